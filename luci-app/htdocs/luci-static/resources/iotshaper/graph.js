// The last five minutes as a picture: what the devices did, under what the provider saw.
'use strict';
'require baseclass';
'require iotshaper.words as words';

/** @typedef {import('../../../../../src/core/home/api.ts').HistorySample} HistorySample */
/** @typedef {{ wire: number, device: number }} Point */

const SECONDS = 300;
const HEIGHT = 100;

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {Node[]} [children]
 */
function svg(tag, attributes, children = []) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** The next round number above a value, for the scale. @param {number} value */
function roundUp(value) {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 1.5, 2, 3, 5, 7.5, 10].find((step) => step * magnitude >= value) ?? 10;
  return factor * magnitude;
}

/**
 * One direction: a line for the stream, an area for the devices, told apart by more than colour.
 * @param {string} title
 */
function createPanel(title) {
  const stream = svg('path', { class: 'iot-stream' });
  const devices = svg('path', { class: 'iot-devices' });
  const minutes = [60, 120, 180, 240].map((x) =>
    svg('line', { class: 'iot-grid', x1: x, x2: x, y1: 0, y2: HEIGHT }),
  );
  const middle = svg('line', { class: 'iot-grid', x1: 0, x2: SECONDS, y1: 50, y2: 50 });
  const picture = svg(
    'svg',
    {
      viewBox: `0 0 ${SECONDS} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': title,
    },
    [...minutes, middle, devices, stream],
  );
  const top = E('span', {});
  const summary = E('figcaption', {}, [_('Waiting for the first samples…')]);
  const node = E('figure', { class: 'iot-panel' }, [
    E('div', { class: 'iot-panel-title' }, [E('strong', {}, [title]), top]),
    picture,
    E('div', { class: 'iot-panel-axis', 'aria-hidden': 'true' }, [
      E('span', {}, [_('5 minutes ago')]),
      E('span', {}, [_('now')]),
    ]),
    summary,
  ]);

  /** @param {[x: number, point: Point][]} points @param {number} scale */
  function draw(points, scale) {
    let lowest = Number.POSITIVE_INFINITY;
    let highest = 0;
    let busiest = 0;
    for (const [, { wire, device }] of points) {
      lowest = Math.min(lowest, wire);
      highest = Math.max(highest, wire);
      busiest = Math.max(busiest, device);
    }
    /** @param {number} value */
    const y = (value) => (HEIGHT * (1 - value / scale)).toFixed(1);
    let streamPath = '';
    let devicePath = '';
    let previous = Number.NaN;
    for (const [x, { wire, device }] of points) {
      const follows = x - previous <= 2;
      streamPath += `${follows ? 'L' : 'M'}${x} ${y(wire)}`;
      devicePath += follows
        ? `L${x} ${y(device)}`
        : `${close(previous)}M${x} ${HEIGHT}V${y(device)}`;
      previous = x;
    }
    stream.setAttribute('d', streamPath);
    devices.setAttribute('d', devicePath + close(previous));
    top.textContent = points.length === 0 ? '' : words.rate(scale);
    const text =
      points.length === 0
        ? _('No samples of these minutes.')
        : _('Your provider saw %s to %s KB/s; your devices did up to %s KB/s.').format(
            words.number(lowest),
            words.number(highest),
            words.number(busiest),
          );
    summary.textContent = text;
    picture.setAttribute('aria-label', `${title}. ${text}`);
  }

  return { node, draw };
}

/** @param {string} kind @param {string} text */
const createKey = (kind, text) =>
  E('span', { class: 'iot-key' }, [E('span', { class: kind, 'aria-hidden': 'true' }), text]);

/** @param {number} x */
const close = (x) => (Number.isNaN(x) ? '' : `L${x} ${HEIGHT}Z`);

const api = {
  /** Two panels and their legend; `draw` takes the service's samples in any number. */
  create() {
    const upload = createPanel(_('Upload'));
    const download = createPanel(_('Download'));
    const node = E('div', { class: 'iot-graph' }, [
      E('p', { class: 'iot-legend' }, [
        createKey('iot-key-stream', _('Line: what your provider sees')),
        createKey('iot-key-devices', _('Area: what your devices do')),
      ]),
      upload.node,
      download.node,
    ]);

    /** @param {HistorySample[]} samples */
    function draw(samples) {
      const end = samples[samples.length - 1]?.time ?? 0;
      /** @type {[number, Point][]} */
      const up = [];
      /** @type {[number, Point][]} */
      const down = [];
      for (const sample of samples) {
        const x = SECONDS - (end - sample.time);
        if (x < 0) continue;
        up.push([x, { wire: sample.upload_wire_kBps, device: sample.upload_device_kBps }]);
        down.push([x, { wire: sample.download_wire_kBps, device: sample.download_device_kBps }]);
      }
      // One scale, so that the two can be compared.
      let peak = 0.1;
      for (const [, { wire, device }] of [...up, ...down]) peak = Math.max(peak, wire, device);
      const scale = roundUp(peak * 1.05);
      upload.draw(up, scale);
      download.draw(down, scale);
    }

    return { node, draw };
  },
};

/** @typedef {typeof api} Graph */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
