// What rates mean for a home: traffic, money, delay, and the devices they carry.
'use strict';
'require baseclass';
'require iotshaper.core as core';
'require iotshaper.controls as controls';
'require iotshaper.settings as settings';
'require iotshaper.words as words';

/** @typedef {ReturnType<import('./settings.js').Settings['main']>} Draft main as far as it is sound */

/** The rates and the packets' size of a draft; null while one of them is not sound. @param {Draft} draft */
function streamOf({ rateKBps, uploadKBps, downloadKBps, packetBytes }) {
  const rates = core.ratesOf({ rateKBps: rateKBps ?? Number.NaN, uploadKBps, downloadKBps });
  return packetBytes === null || Number.isNaN(rates.uploadKBps + rates.downloadKBps)
    ? null
    : { ...rates, packetBytes };
}

/** A figure that a program can read as well. @param {string} kind @param {number} value @param {string} text */
const figure = (kind, value, text) => E('data', { value, class: `iot-${kind}` }, [text]);

const api = {
  streamOf,

  /** What the rates of a draft mean, figure by figure. @param {Draft} draft */
  renderFigures(draft) {
    const stream = streamOf(draft);
    if (stream === null) return E('p', {}, [_('Give a rate and a packet size to see it.')]);
    const schedules = settings.schedules();
    const always = core.costOf(stream);
    const cost = core.costOf({
      ...stream,
      schedules: core.scheduleShares({ schedules }),
      dataCapGB: draft.dataCapGB,
      pricePerGB: draft.pricePerGB,
    });
    /** @param {number} rateKBps */
    const delay = (rateKBps) => words.milliseconds(core.slotMs(rateKBps, stream.packetBytes) / 2);
    /** @type {[string, Child][]} */
    const entries = [
      [
        _('Traffic a month'),
        figure(
          'gb',
          always.gbPerMonth,
          _('%s, both directions and tunnel overhead included').format(
            words.gigabytes(always.gbPerMonth),
          ),
        ),
      ],
    ];
    if (schedules.length > 0)
      entries.push([
        _('With your schedule'),
        figure('gb-scheduled', cost.gbPerMonth, words.gigabytes(cost.gbPerMonth)),
      ]);
    entries.push(
      [
        _('Of your data cap'),
        cost.capPercent === null
          ? _('Give the cap below to see its share.')
          : figure('cap', cost.capPercent, _('%s %%').format(words.number(cost.capPercent))),
      ],
      [
        _('Monthly cost'),
        cost.pricePerMonth === null
          ? _('Give the price of a GB below to see it.')
          : figure('money', cost.pricePerMonth, words.number(cost.pricePerMonth, 2, 2)),
      ],
      [
        _('Added delay'),
        _(
          '%s up, %s down on average while the queue is empty; more when devices send more than the rate.',
        ).format(delay(stream.uploadKBps), delay(stream.downloadKBps)),
      ],
    );
    return controls.figures(entries);
  },

  /** Which of the paper's devices the rates of a draft carry. @param {Draft} draft */
  renderCarried(draft) {
    const stream = streamOf(draft);
    if (stream === null) return E('p', {}, ['–']);
    const { uploadKBps, downloadKBps } = stream;
    const devices = [...core.toleratedRates].sort(
      (a, b) => a.uploadKBps + a.downloadKBps - (b.uploadKBps + b.downloadKBps),
    );
    return E(
      'ul',
      { class: 'iot-carried' },
      devices.map((device) => {
        const carried = uploadKBps >= device.uploadKBps && downloadKBps >= device.downloadKBps;
        const needs = _('%s up, %s down').format(
          words.rate(device.uploadKBps),
          words.rate(device.downloadKBps),
        );
        return E('li', { 'data-carried': String(carried) }, [
          E('strong', {}, [carried ? `✓ ${_('carried')}` : `✕ ${_('too slow for it')}`]),
          ` ${device.name} (${needs})`,
        ]);
      }),
    );
  },
};

/** @typedef {typeof api} Meaning */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
