// What rates mean for a home: traffic, money, delay, and the devices they carry.
'use strict';
'require baseclass';
'require iotshaper.cost as cost';
'require iotshaper.controls as controls';
'require iotshaper.settings as settings';
'require iotshaper.week as week';
'require iotshaper.words as words';

/**
 * Options of main as a person edits them; numbers as typed, so that half a number is no other.
 * @typedef {Record<string, string>} Draft
 */

/** @param {Draft} draft */
function ratesOf({ rate, upload_rate: up, download_rate: down }) {
  return { uploadKBps: Number(up || rate), downloadKBps: Number(down || rate) };
}

/** Traffic a month with the schedule, where there is one. @param {Draft} draft @returns {[string, Child][]} */
function renderScheduled(draft) {
  const entries = week.entriesOf(settings.sections('schedule'));
  if (entries.length === 0) return [];
  const { uploadKBps, downloadKBps } = ratesOf(draft);
  const parts = week
    .shares(entries)
    .map((share, index) => ({ share, rateKBps: entries[index]?.rateKBps ?? 0 }));
  const size = Number(draft.packet_size);
  const gb = cost.gbWithSchedule(uploadKBps, downloadKBps, size, parts);
  return [
    [
      _('With your schedule'),
      E('data', { value: gb, class: 'iot-gb-scheduled' }, [words.gigabytes(gb)]),
    ],
  ];
}

/** What the rates of a draft mean, figure by figure. @param {Draft} draft */
function renderFigures(draft) {
  const { uploadKBps, downloadKBps } = ratesOf(draft);
  const size = Number(draft.packet_size);
  const gb = cost.gbPerMonth(uploadKBps, downloadKBps, size);
  const cap = Number(draft.data_cap);
  const price = Number(draft.price_per_gb);
  const [upMs, downMs] = [uploadKBps, downloadKBps].map((rate) => cost.slotMs(rate, size));
  /** @param {number} ms */
  const half = (ms) => words.milliseconds(ms / 2);
  /** @type {[string, Child][]} */
  const entries = [
    [
      _('Traffic a month'),
      E('data', { value: gb, class: 'iot-gb' }, [
        _('%s, both directions and tunnel overhead included').format(words.gigabytes(gb)),
      ]),
    ],
    ...renderScheduled(draft),
    [
      _('Of your data cap'),
      cap > 0
        ? E('data', { value: (100 * gb) / cap, class: 'iot-cap' }, [
            _('%s %%').format(words.number((100 * gb) / cap)),
          ])
        : _('Give the cap below to see its share.'),
    ],
    [
      _('Money a month'),
      draft.price_per_gb
        ? E('data', { value: gb * price, class: 'iot-money' }, [words.number(gb * price, 2, 2)])
        : _('Give the price of a GB below to see it.'),
    ],
    [
      _('Added delay'),
      _(
        '%s up, %s down on average while the queue is empty; more when devices send more than the rate.',
      ).format(half(upMs ?? 0), half(downMs ?? 0)),
    ],
  ];
  return controls.figures(entries);
}

/** Which of the paper's devices the rates carry. @param {Draft} draft */
function renderCarried(draft) {
  const { uploadKBps, downloadKBps } = ratesOf(draft);
  return E(
    'ul',
    { class: 'iot-carried' },
    cost.paperDevices.map((device) => {
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
}

const api = { ratesOf, renderFigures, renderCarried };

/** @typedef {typeof api} Meaning */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
