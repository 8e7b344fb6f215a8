// The configuration as UCI has it: reading, staging, and folding in options typed as sections.
'use strict';
'require baseclass';
'require uci';
'require iotshaper.options as options';

const CONFIG = 'iotshaper';

/**
 * `uci set iotshaper.rate=40` makes a section named rate of type 40: the service reads its type.
 * @param {'rate' | 'enabled'} name
 */
const typedOption = (name) => uci.get(CONFIG, name)?.['.type'] ?? null;

/** @returns {string} the name of main's section, made if there is none */
function ensureMain() {
  if (!uci.get(CONFIG, 'main')) uci.add(CONFIG, 'iotshaper', 'main');
  return 'main';
}

const api = {
  CONFIG,

  /** Loads the configuration; says why not in a sentence, or nothing when all is well. */
  async load() {
    try {
      await uci.load(CONFIG);
      return '';
    } catch (error) {
      return /code 4\b/.test(String(error))
        ? _('There is no /etc/config/iotshaper. Install the package iot-shaper again.')
        : _('The settings (UCI configuration iotshaper) can’t be read with this login.');
    }
  },

  /** Drops whatever was changed on the page and not saved. */
  reload() {
    uci.unload(CONFIG);
    return api.load();
  },

  /** An option of main as text, '' when not set. @param {string} option */
  written(option) {
    const value = uci.get(CONFIG, 'main', option);
    return typeof value === 'string' ? value : '';
  },

  /** What holds for an option of main, typed sections and defaults included. @param {string} option */
  value(option) {
    if (/load_rate$/.test(option) && typedOption('rate') !== null) return '';
    const typed = option === 'rate' || option === 'enabled' ? typedOption(option) : null;
    return typed ?? (api.written(option) || (options.main[option]?.default ?? ''));
  },

  /** @param {string} option */
  flag(option) {
    return options.trueWords.includes(api.value(option));
  },

  /** Changes an option of main; empty text removes it. @param {string} option @param {string} value */
  set(option, value) {
    const main = ensureMain();
    if (value !== api.written(option)) uci.set(CONFIG, main, option, value === '' ? null : value);
  },

  /** @param {string} type */
  sections: (type) => uci.sections(CONFIG, type),

  /** The rate typed on the command line, which stands above the option; null when there is none. */
  typedRate: () => typedOption('rate'),

  /**
   * Turns sections that a typed `uci set iotshaper.rate=40` made into main's options. A typed rate
   * stood above the rates of each direction, so these go with it.
   */
  fold() {
    for (const name of /** @type {const} */ (['rate', 'enabled'])) {
      const typed = typedOption(name);
      if (typed === null) continue;
      api.set(name, typed);
      if (name === 'rate')
        for (const option of ['upload_rate', 'download_rate']) api.set(option, '');
      uci.remove(CONFIG, name);
    }
  },

  /** Stages everything. Nothing is in force before it is applied. */
  async save() {
    api.fold();
    await uci.save();
  },
};

/** @typedef {typeof api} Settings */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
