// The third tab: the rate, and what it means for money, delay and the devices it carries.
'use strict';
'require view';
'require dom';
'require form';
'require iotshaper.core as core';
'require iotshaper.settings as settings';
'require iotshaper.words as words';
'require iotshaper.controls as controls';
'require iotshaper.forms as forms';
'require iotshaper.meaning as meaning';
'require iotshaper.rates as rates';

const { name: MAIN, type: TYPE } = core.mainSection;
const DIRECTIONS = ['upload_rate', 'download_rate'];
const COSTS = ['data_cap', 'price_per_gb'];

/** Whether each direction has a rate of its own: a field of the form alone, which says which rates hold. */
const Separate = forms.Flag.extend({
  load() {
    const { uploadKBps, downloadKBps } = settings.main();
    return uploadKBps === null && downloadKBps === null ? '0' : '1';
  },
  write() {},
  remove() {},
});

/** What is written in the fields now, saved or not. @param {FormOption[]} options */
const textsOf = (options) =>
  Object.fromEntries(
    options
      .filter((option) => option.isActive(MAIN))
      .map((option) => [option.option, option.formvalue(MAIN)]),
  );

/** Writes into a field as a person would. @param {FormOption} option @param {string} text */
function write(option, text) {
  const widget = option.getUIElement(MAIN);
  if (widget === null) return;
  widget.setValue(text);
  widget.triggerValidation();
  widget.node.dispatchEvent(new CustomEvent('widget-change', { bubbles: true }));
}

/** The whole form, drawn, with what follows from the fields beside them. */
async function drawForm() {
  const map = forms.createMap();
  const figures = E('div', { 'aria-live': 'polite' });
  const carried = E('div', {});
  /** @type {Map<string, FormOption>} */
  const options = new Map();
  const fields = core.fieldsOf(core.mainSection);
  /** @param {FormSection} section @param {string[]} names @param {FormClass} [type] */
  const add = (section, names, type) => {
    for (const field of fields.filter(({ name }) => names.includes(name)))
      options.set(field.name, forms.addField(section, field, type));
  };
  /** @param {string} name */
  const option = (name) => /** @type {FormOption} */ (options.get(name));

  const rate = map.section(
    form.NamedSection,
    MAIN,
    TYPE,
    _('Rate'),
    _(
      'This much flows all the time, used or not: that is what hides your devices. More costs more and lets them answer faster.',
    ),
  );
  add(rate, ['rate'], rates.Slider);
  const separate = rate.option(Separate, '_separate', _('Separate upload and download'));
  add(rate, DIRECTIONS, rates.Slider);
  option('rate').depends('_separate', '0');
  // The rate for both stays, for whoever joins the directions again.
  option('rate').retain = true;
  for (const name of DIRECTIONS) option(name).depends('_separate', '1');
  separate.onchange = () => {
    for (const name of DIRECTIONS)
      if (option(name).formvalue(MAIN) === '')
        write(option(name), String(option('rate').formvalue(MAIN) ?? ''));
  };
  forms.addPart(
    rate,
    'recommendation',
    rates.createRecommendation(({ uploadKBps, downloadKBps }) => {
      const areSame = uploadKBps === downloadKBps;
      write(option('upload_rate'), String(uploadKBps));
      write(option('download_rate'), String(downloadKBps));
      if (areSame) write(option('rate'), String(uploadKBps));
      write(separate, areSame ? '0' : '1');
    }),
  );

  const meant = map.section(form.NamedSection, MAIN, TYPE, _('What it means'));
  forms.addPart(meant, 'figures', figures);
  add(meant, COSTS);
  const devices = map.section(
    form.NamedSection,
    MAIN,
    TYPE,
    _('Devices this rate carries'),
    _('As measured in the paper this service is built on; it packs tighter, so that less may do.'),
  );
  forms.addPart(devices, 'carried', carried);
  const advanced = map.section(forms.Folded, MAIN, TYPE, _('Advanced'));
  add(
    advanced,
    fields.map(({ name }) => name).filter((name) => !options.has(name)),
  );

  function update() {
    const draft = core.readDraft(core.mainSection, textsOf([...options.values()]));
    dom.content(figures, [meaning.renderFigures(draft)]);
    dom.content(carried, [meaning.renderCarried(draft)]);
    const stream = meaning.streamOf(draft);
    const month = stream === null ? '–' : words.gigabytes(core.costOf(stream).gbPerMonth);
    for (const name of ['rate', ...DIRECTIONS]) {
      option(name).describe = (/** @type {number} */ rateKBps) =>
        `${words.rate(rateKBps)}, ${_('%s a month').format(month)}`;
      option(name).follow();
    }
  }

  map.ondraw = update;
  const node = await map.render();
  for (const kind of ['input', 'widget-change']) node.addEventListener(kind, update);
  return node;
}

const page = view.extend({
  load: () => settings.load(),

  /** @param {string} problem */
  async render(problem) {
    const errors = E('div', {});
    controls.showConfigErrors(errors);
    const typed = settings.typedRate();
    return controls.page(
      _('Privacy and cost'),
      _('The rate decides what your privacy costs and how fast your devices answer.'),
      [
        ...controls.hindrances(problem),
        errors,
        typed === ''
          ? ''
          : controls.notice('info', [
              _(
                'A rate of %s KB/s was typed on the command line and counts. Saving makes it the setting here.',
              ).format(typed),
            ]),
        problem ? '' : await drawForm(),
      ],
    );
  },
});

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return page;
