// Networks all of whose devices are shaped: a box to tick for each, as a section of a form.
'use strict';
'require baseclass';
'require form';
'require uci';
'require iotshaper.settings as settings';

/** @typedef {{ name: string, netdev: string }} Network */

const TYPE = 'network';

/** Boxes in the place of a section each: what is ticked is staged when the form is saved. */
const Boxes = form.AbstractSection.extend({
  /** @type {Network[]} */
  known: [],
  /** @type {{ netdev: string, label: string, input: HTMLInputElement }[]} */
  boxes: [],

  load: () => Promise.resolve(),
  checkDepends: () => false,

  /** The sections of UCI by the network device they name, or whose interface they name. @returns {Map<string, string>} */
  written() {
    const isNetdev = new Set(this.known.map(({ netdev }) => netdev));
    const interfaces = new Map(this.known.map(({ name, netdev }) => [name, netdev]));
    return new Map(
      uci.sections(settings.CONFIG, TYPE).map((section) => {
        const name = String(section.device);
        const netdev = isNetdev.has(name) ? name : (interfaces.get(name) ?? name);
        return [netdev, section['.name']];
      }),
    );
  },

  parse() {
    const written = this.written();
    for (const { netdev, input } of this.boxes) {
      const section = written.get(netdev);
      if (section !== undefined && !input.checked) uci.remove(settings.CONFIG, section);
      if (section === undefined && input.checked)
        uci.set(settings.CONFIG, uci.add(settings.CONFIG, TYPE), 'device', netdev);
    }
    return Promise.resolve();
  },

  render() {
    const chosen = [...this.written().keys()];
    const labels = new Map(
      this.known.map(({ name, netdev }) => [
        netdev,
        name === netdev ? netdev : `${name} (${netdev})`,
      ]),
    );
    for (const netdev of chosen) if (!labels.has(netdev)) labels.set(netdev, netdev);
    this.boxes = [...labels].map(([netdev, label]) => ({
      netdev,
      label,
      input: E('input', {
        type: 'checkbox',
        checked: chosen.includes(netdev) || null,
        disabled: this.map.readonly || null,
      }),
    }));
    return Promise.resolve(
      E('div', { class: 'cbi-section' }, [
        E('h3', {}, [this.title]),
        E('div', { class: 'cbi-section-descr' }, [this.description]),
        this.boxes.length > 0
          ? E(
              'div',
              { role: 'group', 'aria-label': this.title },
              this.boxes.map(({ input, label }) =>
                E('label', { class: 'iot-check' }, [input, ' ', label]),
              ),
            )
          : E('p', {}, [_('The router names no network besides the one to the Internet.')]),
      ]),
    );
  },
});

const api = {
  /** The networks as a section of a map. @param {FormMap} map @param {Network[]} known */
  addTo(map, known) {
    map.section(
      Boxes,
      TYPE,
      _('Whole networks'),
      _('Everything behind a chosen network is shaped, unless a device below says otherwise.'),
    ).known = known;
  },
};

/** @typedef {typeof api} Networks */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
