// The third tab: the rate, and what it means for money, delay and the devices it carries.
'use strict';
'require view';
'require dom';
'require iotshaper.service as service';
'require iotshaper.settings as settings';
'require iotshaper.words as words';
'require iotshaper.controls as controls';
'require iotshaper.cost as cost';
'require iotshaper.meaning as meaning';

/** @typedef {import('../../../../../../src/daemon/api.ts').Recommendation} Recommendation */

/** @typedef {import('../../iotshaper/meaning.js').Draft} Draft */

const OPTIONS = [
  'rate',
  'upload_rate',
  'download_rate',
  'packet_size',
  'mode',
  'interval_sd',
  'max_delay',
  'killswitch',
  'dns',
  'data_cap',
  'price_per_gb',
];

/** @returns {Draft} */
const readDraft = () =>
  Object.fromEntries(OPTIONS.map((option) => [option, settings.value(option)]));

/** Stages what differs from what holds. @param {Draft} draft */
function stage(draft) {
  settings.fold();
  const held = readDraft();
  for (const [option, value] of Object.entries(draft))
    if (value !== held[option]) settings.set(option, value);
}

/**
 * A slider over useful rates beside a field for any; both say the same.
 * @param {{ label: string, value: string, describe: (rate: number) => string, onInput: (value: string) => void }} options
 */
function createRateInput({ label, value, describe, onInput }) {
  const { min, max } = /** @type {{ min: number, max: number }} */ (settings.bounds.rate);
  const rates = cost.usefulRates;
  /** @param {number} rate */
  const nearest = (rate) => {
    const above = rates.findIndex((each) => each >= rate);
    return above < 0 ? rates.length - 1 : above;
  };
  /** @param {string} text */
  const show = (text) => {
    if (!(Number(text) > 0)) return;
    slider.value = String(nearest(Number(text)));
    slider.setAttribute('aria-valuetext', describe(Number(text)));
  };
  const slider = E('input', {
    type: 'range',
    class: 'iot-slider',
    'aria-label': label,
    min: 0,
    max: rates.length - 1,
    step: 1,
    disabled: controls.isReadOnly() || null,
    input: () => {
      const text = String(rates[Number(slider.value)]);
      exact.input.value = text;
      exact.input.dispatchEvent(new Event('input'));
    },
  });
  const exact = controls.numberField({
    label,
    value,
    unit: _('KB/s'),
    min,
    max,
    required: true,
    onInput: (text) => {
      show(text);
      if (exact.input.validity.valid) onInput(text);
    },
  });
  show(value);
  const node = E('div', { class: 'iot-rate' }, [exact.node, slider]);
  return { node, input: exact.input };
}

/**
 * The rate that the home's own traffic asks for, measured by the service when asked.
 * @param {(rate: { uploadKBps: number, downloadKBps: number }) => void} onUse
 */
function createRecommendation(onUse) {
  const place = E('div', { role: 'status' });

  /** @param {Recommendation} recommendation */
  function show({ ok, reason, upload_kBps: up, download_kBps: down, mean_ms: mean, max_ms: max }) {
    if (!ok || up === undefined || down === undefined) {
      dom.content(place, [E('p', {}, [reason])]);
      return;
    }
    const delay =
      mean === undefined || max === undefined
        ? ''
        : ` ${_('Its packets would wait %s on average, %s at most.').format(words.milliseconds(mean), words.milliseconds(max))}`;
    dom.content(place, [
      E('p', {}, [
        _('Your own devices ask for %s up and %s down.').format(words.rate(up), words.rate(down)),
        delay,
        ` ${reason}`,
      ]),
      E(
        'button',
        {
          class: 'btn cbi-button',
          disabled: controls.isReadOnly() || null,
          click: () => onUse({ uploadKBps: up, downloadKBps: down }),
        },
        [_('Use these rates')],
      ),
    ]);
  }

  const button = E(
    'button',
    {
      class: 'btn cbi-button',
      click: async () => {
        button.disabled = true;
        dom.content(place, [
          E('p', {}, [_('Looking at the last hours of your devices’ traffic…')]),
        ]);
        const answer = await service.recommend();
        button.disabled = false;
        if (answer.ok) show(answer.data);
        else dom.content(place, [controls.notice('error', [service.explain(answer.cause)])]);
      },
    },
    [_('What do my devices need?')],
  );
  return E('div', { class: 'iot-recommend' }, [E('p', {}, [button]), place]);
}

/** @param {Draft} draft @param {() => void} onInput */
function renderAdvanced(draft, onInput) {
  /** @param {string} option @param {string} label @param {string} hint */
  const number = (option, label, hint) => {
    const bound = settings.bounds[option];
    if (!bound) return '';
    const units = { bytes: _('bytes'), '%': '%', s: _('seconds') };
    return controls.numberField({
      label,
      hint,
      value: draft[option] ?? '',
      unit: /** @type {Record<string, string>} */ (units)[bound.unit] ?? bound.unit,
      min: bound.min,
      max: bound.max,
      step: option === 'packet_size' ? 1 : undefined,
      required: true,
      onInput: (value) => {
        draft[option] = value;
        onInput();
      },
    }).node;
  };
  /** @param {string} option @param {string} label @param {string} hint */
  const check = (option, label, hint) =>
    controls.checkField({
      label,
      hint,
      checked: settings.flag(option),
      onChange: (checked) => {
        draft[option] = checked ? '1' : '0';
      },
    }).node;
  return E('details', { class: 'iot-advanced' }, [
    E('summary', {}, [_('Advanced')]),
    number(
      'packet_size',
      _('Packet size'),
      _('Every packet on the tunnel. Devices keep their own size of 1500.'),
    ),
    controls.group(_('Intervals'), [
      controls.choice({
        legend: _('Intervals'),
        options: [
          { value: 'vit', label: _('Varied') },
          { value: 'constant', label: _('Constant') },
        ],
        value: draft.mode ?? 'vit',
        onChange: (mode) => {
          draft.mode = mode;
        },
      }),
      E('div', { class: 'cbi-value-description' }, [
        _(
          'Varied intervals drown the small irregularities of the router itself, which could tell activity.',
        ),
      ]),
    ]),
    number(
      'interval_sd',
      _('Variation'),
      _('Standard deviation of the varied intervals, of their mean.'),
    ),
    number(
      'max_delay',
      _('Longest wait'),
      _('A packet of a device that waited longer is dropped.'),
    ),
    check(
      'killswitch',
      _('Kill switch'),
      _('Devices are cut off rather than exposed when the tunnel fails.'),
    ),
    check(
      'dns',
      _('DNS through the tunnel'),
      _('The names your devices look up would tell your provider what they are.'),
    ),
  ]);
}

/** Draws the page anew from what UCI holds by now. */
let redraw = () => {};
/** @type {Draft} */
let draft = {};
const root = E('div', {});

/** @param {boolean} apart */
function renderRates(apart, onInput = () => {}) {
  /** @param {number} rate */
  const describe = (rate) => {
    const { uploadKBps, downloadKBps } = meaning.ratesOf(draft);
    const gb = cost.gbPerMonth(uploadKBps, downloadKBps, Number(draft.packet_size));
    return `${words.rate(rate)}, ${_('%s a month').format(words.gigabytes(gb))}`;
  };
  /** @param {string} option @param {string} label */
  const input = (option, label) =>
    createRateInput({
      label,
      value: draft[option] || draft.rate || '',
      describe,
      onInput: (value) => {
        draft[option] = value;
        onInput();
      },
    }).node;
  return apart
    ? [input('upload_rate', _('Upload')), input('download_rate', _('Download'))]
    : [input('rate', _('Rate in each direction'))];
}

function renderPage() {
  const rates = E('div', {});
  const figures = E('div', { 'aria-live': 'polite' });
  const carried = E('div', {});

  function update() {
    dom.content(figures, [meaning.renderFigures(draft)]);
    dom.content(carried, [meaning.renderCarried(draft)]);
  }
  /** @param {boolean} apart */
  function divide(apart) {
    if (!apart) Object.assign(draft, { upload_rate: '', download_rate: '' });
    else {
      draft.upload_rate ||= draft.rate ?? '';
      draft.download_rate ||= draft.rate ?? '';
    }
    dom.content(rates, renderRates(apart, update));
    update();
  }

  const apart = controls.checkField({
    label: _('Upload and download apart'),
    checked: draft.upload_rate !== '' || draft.download_rate !== '',
    onChange: divide,
  });
  divide(apart.input.checked);
  /** @param {string} option @param {string} label @param {string} unit */
  const amount = (option, label, unit) =>
    controls.numberField({
      label,
      value: draft[option] ?? '',
      unit,
      min: option === 'data_cap' ? 0.001 : 0,
      onInput: (value) => {
        draft[option] = value;
        update();
      },
    }).node;

  const typed = settings.typedRate();
  return [
    typed === null
      ? ''
      : controls.notice('info', [
          _(
            'A rate of %s KB/s was typed on the command line and counts. Saving makes it the setting here.',
          ).format(typed),
        ]),
    controls.section(_('Rate'), [
      E('p', {}, [
        _(
          'This much flows all the time, used or not: that is what hides your devices. More costs more and lets them answer faster.',
        ),
      ]),
      rates,
      apart.node,
      createRecommendation(({ uploadKBps, downloadKBps }) => {
        draft.upload_rate = String(uploadKBps);
        draft.download_rate = String(downloadKBps);
        apart.input.checked = uploadKBps !== downloadKBps;
        if (uploadKBps === downloadKBps) draft.rate = String(uploadKBps);
        divide(apart.input.checked);
      }),
    ]),
    controls.section(_('What it means'), [
      figures,
      amount('data_cap', _('Data cap'), _('GB a month')),
      amount('price_per_gb', _('Price'), _('for a GB')),
    ]),
    controls.section(_('Devices this rate carries'), [
      E('p', {}, [
        _(
          'As measured in the paper this service is built on; it packs tighter, so that less may do.',
        ),
      ]),
      carried,
    ]),
    controls.section(_('More'), [renderAdvanced(draft, update)]),
  ];
}

const page = view.extend({
  load: () => settings.load(),

  /** @param {string} problem */
  render(problem) {
    redraw = () => {
      draft = readDraft();
      dom.content(root, renderPage());
    };
    redraw();
    const errors = E('div', {});
    controls.showConfigErrors(errors);
    return controls.page(
      _('Privacy and cost'),
      _('The rate decides what your privacy costs and how fast your devices answer.'),
      [...controls.hindrances(problem), errors, root],
    );
  },

  async handleSave() {
    controls.refuseInvalid(root);
    stage(draft);
    await settings.save();
    redraw();
  },

  async handleReset() {
    await settings.reload();
    redraw();
  },
});

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return page;
