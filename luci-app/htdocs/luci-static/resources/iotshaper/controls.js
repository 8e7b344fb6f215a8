// Small parts the pages are made of: labelled fields, choices, notices; all of them nodes and text.
'use strict';
'require baseclass';
'require dom';
'require iotshaper.service as service';
'require iotshaper.words as words';

/** @typedef {import('../../../../../src/core/home/api.ts').Status} Status */
/** @typedef {{ value: string, label: string }} Option */

let lastId = 0;
const nextId = () => `iotshaper-${++lastId}`;

const isReadOnly = () => L.hasViewPermission() !== true;

/**
 * A label, a control and a hint, as LuCI's forms lay them out.
 * @param {{ label: string, hint?: string, control: HTMLElement, extra?: Child[] }} parts
 */
function field({ label, hint = '', control, extra = [] }) {
  control.id ||= nextId();
  const hintId = `${control.id}-hint`;
  if (hint) control.setAttribute('aria-describedby', hintId);
  return E('div', { class: 'cbi-value' }, [
    E('label', { class: 'cbi-value-title', for: control.id }, [label]),
    E('div', { class: 'cbi-value-field' }, [
      control,
      ...extra,
      hint ? E('div', { class: 'cbi-value-description', id: hintId }, [hint]) : '',
    ]),
  ]);
}

/**
 * A group of controls under one name, laid out as a field.
 * @param {string} legend '' for buttons, which name themselves
 * @param {Child[]} children
 */
function group(legend, children) {
  if (legend === '')
    return E('div', { class: 'cbi-value' }, [
      E('div', { class: 'cbi-value-title' }),
      E('div', { class: 'cbi-value-field' }, children),
    ]);
  const id = nextId();
  return E('div', { class: 'cbi-value', role: 'group', 'aria-labelledby': id }, [
    E('label', { class: 'cbi-value-title', id }, [legend]),
    E('div', { class: 'cbi-value-field' }, children),
  ]);
}

const api = {
  /** Puts the pages' style sheet in place: menu.d has no word for it in LuCI 24.10. */
  __init__() {
    const href = L.resource('iotshaper/page.css');
    document.head.append(E('link', { rel: 'stylesheet', href }));
  },

  nextId,
  isReadOnly,
  field,
  group,

  /**
   * Sets text only where it differs, so that a screen reader speaks and the browser lays out no
   * more often than needed.
   * @param {Node} node
   * @param {string} text
   */
  setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
  },

  /**
   * @param {'error' | 'warning' | 'success' | 'info'} kind
   * @param {Child[]} children
   */
  notice(kind, children) {
    return E(
      'div',
      { class: `alert-message ${kind} iot-notice`, role: kind === 'error' ? 'alert' : 'status' },
      children,
    );
  },

  /**
   * One of a few, each a click or an arrow key away.
   * @param {{ legend: string, options: Option[], value: string, onChange: (value: string) => void }} choice
   */
  choice({ legend, options, value, onChange }) {
    const name = nextId();
    const disabled = isReadOnly() || null;
    return E('fieldset', { class: 'iot-choice' }, [
      E('legend', { class: 'iot-hidden' }, [legend]),
      ...options.map((option) =>
        E('label', {}, [
          E('input', {
            type: 'radio',
            name,
            value: option.value,
            checked: option.value === value || null,
            disabled,
            change: () => onChange(option.value),
          }),
          E('span', {}, [option.label]),
        ]),
      ),
    ]);
  },

  /**
   * @param {{ label: string, options: Option[], value: string, onChange?: (value: string) => void }} options
   */
  selectInput({ label, options, value, onChange }) {
    const select = E(
      'select',
      {
        class: 'cbi-input-select iot-select',
        'aria-label': label,
        disabled: isReadOnly() || null,
        change: () => {
          onChange?.(select.value);
        },
      },
      options.map((option) =>
        E('option', { value: option.value, selected: option.value === value || null }, [
          option.label,
        ]),
      ),
    );
    return select;
  },

  /**
   * Names and what they stand at.
   * @param {[string, Child][]} entries
   */
  figures: (entries) =>
    E(
      'dl',
      { class: 'iot-figures' },
      entries.map(([name, value]) => E('div', {}, [E('dt', {}, [name]), E('dd', {}, [value])])),
    ),

  /**
   * The frame of a page: its name, what it is for, and a place for what is wrong.
   * @param {string} title
   * @param {string} description
   * @param {Child[]} children
   */
  page(title, description, children) {
    return E('div', { class: 'iot-page' }, [
      E('h2', {}, [title]),
      E('div', { class: 'cbi-map-descr' }, [description]),
      ...children,
    ]);
  },

  /** @param {string} title @param {Child[]} children */
  section(title, children) {
    const id = nextId();
    return E('section', { class: 'cbi-section', 'aria-labelledby': id }, [
      E('h3', { id }, [title]),
      ...children,
    ]);
  },

  /**
   * What stands in the way of the page: settings that can't be read, a login that may only look.
   * @param {string} problem
   */
  hindrances(problem) {
    if (problem) return [api.notice('error', [problem])];
    return isReadOnly()
      ? [api.notice('info', [_('This login may look at the settings but not change them.')])]
      : [];
  },

  /**
   * What the service finds wrong with the configuration as it stands, option by option.
   * @param {Status} status
   */
  configErrors({ config: { errors } }) {
    if (errors.length === 0) return [];
    return [
      api.notice('error', [
        E('strong', {}, [_('The configuration is refused; what was in force before stays.')]),
        E(
          'ul',
          {},
          errors.map(({ path, message, code, values }) => {
            const text = words.told({ code, values }, message);
            return E('li', {}, [text.startsWith(path) ? text : `${path}: ${text}`]);
          }),
        ),
      ]),
    ];
  },

  /**
   * Asks the service once how it takes the configuration, and shows what it says against it.
   * @param {Node} place
   */
  async showConfigErrors(place) {
    const answer = await service.status();
    if (answer.ok) dom.content(place, api.configErrors(answer.data));
    else api.showFault(place, service.explain(answer.cause));
  },

  /**
   * Shows why the service has nothing to say, or clears the place.
   * @param {Node} place
   * @param {string} text
   */
  showFault(place, text) {
    if (place.textContent === text) return;
    dom.content(place, text === '' ? [] : [api.notice('error', [text])]);
  },
};

/** @typedef {typeof api} Controls */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
