// The third tab: the rate, and what it means for money, delay and the devices it carries.
'use strict';
'require view';
'require dom';
'require iotshaper.service as service';
'require iotshaper.options as options';
'require iotshaper.settings as settings';
'require iotshaper.words as words';
'require iotshaper.controls as controls';
'require iotshaper.cost as cost';
'require iotshaper.meaning as meaning';

/** @typedef {import('../../../../../../src/core/home/api.ts').Recommendation} Recommendation */

/** @typedef {import('../../iotshaper/meaning.js').Draft} Draft */

/** What is edited here: all of main that has a name for people. */
const OPTIONS = Object.keys(options.main).filter((name) => options.main[name]?.label !== '');

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
  const { min = 0, max, unit } = options.main.rate;
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
    unit,
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
  function show(recommendation) {
    const { ok, upload_kBps: up, download_kBps: down } = recommendation;
    const { mean_ms: mean, max_ms: max } = recommendation;
    const reason = words.reasonTold(recommendation);
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

/**
 * A field for an option, as its kind and bounds want it.
 * @param {string} name
 * @param {PageOption} option
 * @param {Draft} draft
 * @param {() => void} onInput
 */
function createField(name, option, draft, onInput) {
  const { label, hint, choices } = option;
  /** @param {string} value */
  const take = (value) => {
    draft[name] = value;
    onInput();
  };
  const value = draft[name] ?? '';
  switch (option.type) {
    case 'boolean':
      return controls.checkField({
        label,
        hint,
        checked: options.trueWords.includes(value),
        onChange: (checked) => take(checked ? '1' : '0'),
      }).node;
    case 'choice':
      return controls.group(label, [
        controls.choice({ legend: label, options: choices, value, onChange: take }),
        E('div', { class: 'cbi-value-description' }, [
          [hint, ...choices.map((each) => each.hint)].filter((text) => text !== '').join(' '),
        ]),
      ]);
    default:
      return controls.numberField({
        label,
        hint,
        value,
        unit: option.unit,
        min: option.min ?? 0,
        max: option.max,
        step: option.step,
        required: option.default !== '',
        onInput: take,
      }).node;
  }
}

/** @param {Draft} draft @param {() => void} onInput */
function renderAdvanced(draft, onInput) {
  const advanced = Object.entries(options.main).filter(([, option]) => option.advanced);
  return E('details', { class: 'iot-advanced' }, [
    E('summary', {}, [_('Advanced')]),
    ...advanced.map(([name, option]) => createField(name, option, draft, onInput)),
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
  /** @param {string} option */
  const input = (option) =>
    createRateInput({
      label: options.main[option]?.label ?? '',
      value: draft[option] || draft.rate || '',
      describe,
      onInput: (value) => {
        draft[option] = value;
        onInput();
      },
    }).node;
  return apart ? [input('upload_rate'), input('download_rate')] : [input('rate')];
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
  /** @param {string} name @param {PageOption} option */
  const amount = (name, option) => createField(name, option, draft, update);

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
      amount('data_cap', options.main.data_cap),
      amount('price_per_gb', options.main.price_per_gb),
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
