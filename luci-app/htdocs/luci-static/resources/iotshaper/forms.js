// LuCI's own forms over the option table: a field for each option, and saving that says when it fails.
'use strict';
'require baseclass';
'require dom';
'require form';
'require uci';
'require ui';
'require iotshaper.core as core';
'require iotshaper.service as service';
'require iotshaper.settings as settings';
'require iotshaper.words as words';

/** @typedef {import('../../../../../src/core/page/fields.ts').Field} Field */

/** @param {string} text of the option table, which is English */
const translate = (text) => (text === '' ? '' : _(text));

/** A line to write in, with its unit behind it and the keyboard it asks for. */
const Text = form.Value.extend({
  /** @param {string} section @param {number} index @param {Written} value */
  renderWidget(section, index, value) {
    const frame = form.Value.prototype.renderWidget.call(this, section, index, value);
    const input = /** @type {HTMLInputElement} */ (frame.querySelector('input'));
    const { type, unit, maxLength } = this.field;
    if (type === 'time') input.type = 'time';
    if (type === 'number') input.inputMode = 'decimal';
    if (maxLength > 0) input.maxLength = maxLength;
    if (unit !== '') frame.append(` ${translate(unit)}`);
    return frame;
  },
});

/** A box with a name for whoever does not see it, which LuCI's has not. */
const Flag = form.Flag.extend({
  /** @param {string} section @param {number} index @param {Written} value */
  renderWidget(section, index, value) {
    const frame = form.Flag.prototype.renderWidget.call(this, section, index, value);
    frame.querySelector('input[type=checkbox]')?.setAttribute('aria-label', this.title);
    return frame;
  },

  /** UCI has more words for yes than a box. @param {string} section */
  load(section) {
    const text = form.Flag.prototype.load.call(this, section);
    return typeof text === 'string' ? core.flagText(text) : text;
  },
});

/** One of a few; the default is no choice that a look at the page writes. */
const Choice = form.ListValue.extend({
  /** @param {string} section */
  load(section) {
    return form.ListValue.prototype.load.call(this, section) ?? this.field.default;
  },
});

/** @typedef {{ value: string, label: string, title: string }} Box `title` is what the label is short for */
/** @typedef {{ id: string, legend: string, refusal: string, isDisabled: boolean }} BoxesOptions */

/** Boxes for the words of a list, of which there has to be one. */
const Boxes = ui.AbstractElement.extend({
  /** @param {readonly string[]} values @param {Box[]} choices @param {BoxesOptions} options */
  __init__(values, choices, options) {
    Object.assign(this, { values, choices, options });
  },

  render() {
    /** @type {{ values: readonly string[], choices: Box[], options: BoxesOptions }} */
    const { values, choices, options } = Object(this);
    const fault = E('div', { class: 'iot-fault', role: 'alert' });
    const boxes = choices.map(({ value, label, title }) => {
      const input = E('input', {
        type: 'checkbox',
        value,
        checked: values.includes(value) || null,
        'aria-label': title,
        disabled: options.isDisabled || null,
      });
      return E('label', { class: 'iot-check' }, [input, ' ', label]);
    });
    const group = { id: options.id, role: 'group', 'aria-label': options.legend };
    this.node = E('div', group, [...boxes, fault]);
    this.node.addEventListener('change', () => {
      fault.textContent = this.getValidationError();
    });
    this.setChangeEvents(this.node, 'change');
    dom.bindClassInstance(this.node, this);
    return this.node;
  },

  /** @returns {string[]} */
  getValue() {
    /** @type {NodeListOf<HTMLInputElement>} */
    const chosen = this.node.querySelectorAll('input:checked');
    return [...chosen].map(({ value }) => value);
  },

  isValid() {
    return this.getValue().length > 0;
  },

  getValidationError() {
    return this.isValid() ? '' : String(this.options.refusal);
  },

  triggerValidation: () => false,
});

/** A list of words, each with a box. */
const Words = form.Value.extend({
  /** @param {string} section */
  load(section) {
    return L.toArray(form.Value.prototype.load.call(this, section) ?? this.field.default);
  },

  /** @param {string} section @param {number} _index @param {Written} values */
  renderWidget(section, _index, values) {
    const choices = this.field.choices.map(({ value, label }) => {
      const called = { short: translate(label), long: translate(label) };
      const { short, long } = this.nameOf?.(value) ?? called;
      return { value, label: short, title: long };
    });
    return new Boxes(values, choices, {
      id: this.cbid(section),
      legend: this.title,
      refusal: _('Choose at least one.'),
      isDisabled: this.map.readonly === true,
    }).render();
  },
});

/** A list of lines, of which one that is wrong is not left out in silence. */
const List = form.DynamicList.extend({
  /** The line that is still being written. @param {string} section @returns {HTMLElement | null} */
  refused(section) {
    return this.getUIElement(section)?.node.querySelector('.add-item .cbi-input-invalid') ?? null;
  },

  /** @param {string} section */
  isValid(section) {
    return this.refused(section) === null;
  },

  /** @param {string} section */
  getValidationError(section) {
    return this.refused(section)?.dataset.tooltip ?? '';
  },
});

/** @param {Field} field */
function classOf({ type, isList }) {
  if (type === 'choice') return isList ? Words : Choice;
  if (isList) return List;
  return type === 'flag' ? Flag : Text;
}

/** Something of the page's own among the fields: no option of UCI. */
const Part = form.DummyValue.extend({
  load: () => null,
  parse: () => Promise.resolve(),
  isActive: () => true,
  render() {
    return Promise.resolve(this.node);
  },
});

/** The fields of a section, out of the way until asked for. */
const Folded = form.NamedSection.extend({
  /** @param {unknown} data */
  renderContents(data) {
    const node = form.NamedSection.prototype.renderContents.call(this, data);
    node.querySelector('h3')?.remove();
    const summary = E('summary', {}, [this.title]);
    const details = E(
      'details',
      {
        class: 'iot-advanced',
        open: this.isOpen || null,
        toggle: () => {
          this.isOpen = details.open;
        },
      },
      [summary, ...node.childNodes],
    );
    node.append(details);
    return node;
  },
});

/** What was last said of a save that failed. @type {HTMLElement | null} */
let refusal = null;

/**
 * Says that nothing was saved, and why, where it is seen.
 * @param {string} reason
 * @param {HTMLElement | null} [dialog] the form's, where one is open: what lies under it is not seen
 */
function showRefusal(reason, dialog = null) {
  refusal?.remove();
  refusal = ui.addNotification(_('Not saved'), [E('p', {}, [reason])], 'error');
  refusal.setAttribute('role', 'alert');
  dialog?.prepend(refusal);
  refusal.scrollIntoView({ block: 'center' });
}

/**
 * Makes a map say in words when it is not saved, also where LuCI keeps silent: as a section is added or removed, or
 * edited in a dialog.
 * @param {FormMap} map
 */
function tellRefusals(map) {
  const { parse, save } = map;
  /** What a field refused, which LuCI words for people. @type {unknown} */
  let fault = null;
  map.parse = () => {
    fault = null;
    return parse.call(map).catch((/** @type {unknown} */ error) => {
      fault = error;
      throw error;
    });
  };
  map.save = async (then) => {
    try {
      const saved = await save.call(map, then, true);
      refusal?.remove();
      return saved;
    } catch (error) {
      const root = /** @type {HTMLElement} */ (map.root);
      root
        .querySelector('details:not([open]) .cbi-input-invalid')
        ?.closest('details')
        ?.setAttribute('open', '');
      const isOfField = error === fault && error instanceof Error;
      const reason = isOfField ? error.message : service.explainRefusal(error);
      showRefusal(reason, root.closest('.modal') ? root : null);
      throw error;
    }
  };
}

/** The map of the configuration, which tells when it is drawn again. */
const SettingsMap = form.Map.extend({
  /** Back to what the router holds, sections added and removed since included. */
  async reset() {
    uci.unload(settings.CONFIG);
    await settings.load();
    await this.load();
    return form.Map.prototype.reset.call(this);
  },

  async renderContents() {
    const node = await form.Map.prototype.renderContents.call(this);
    this.ondraw?.();
    return node;
  },
});

const api = {
  Part,
  Folded,
  Text,
  Flag,
  showRefusal,

  tellRefusals,

  /** A map over the configuration, without a heading: the page has its own. */
  createMap() {
    const map = new SettingsMap(settings.CONFIG);
    tellRefusals(map);
    return map;
  },

  /**
   * A field for an option, as its kind, bounds and words have it.
   * @param {FormSection} section
   * @param {Field} field
   * @param {FormClass} [type]
   */
  addField(section, field, type = classOf(field)) {
    const hints = [field.hint, ...field.choices.map(({ hint }) => hint)].filter(Boolean);
    const option = section.option(
      type,
      field.name,
      translate(field.label),
      hints.map(translate).join(' '),
    );
    option.field = field;
    option.rmempty = !field.isRequired;
    if (field.type === 'flag') option.default = core.flagText(field.default);
    else if (field.default !== '') option.placeholder = field.default;
    if (field.type === 'choice')
      for (const { value, label } of field.choices) option.value(value, translate(label) || value);
    else
      option.validate = (_section, text) => {
        const fault = field.findFault(String(text ?? ''));
        return fault === null || words.told(fault, '');
      };
    return option;
  },

  /**
   * Something of the page's own among a section's fields.
   * @param {FormSection} section
   * @param {string} name
   * @param {Node} node
   */
  addPart(section, name, node) {
    section.option(Part, `_${name}`).node = node;
  },

  translate,
};

/** @typedef {typeof api} Forms */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
