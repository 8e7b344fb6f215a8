// The configuration as UCI has it: reading it, and folding in options typed as sections.
'use strict';
'require baseclass';
'require uci';
'require iotshaper.core as core';

/** @typedef {import('../../../../../src/core/config/uci/uci.ts').UciPackage} UciPackage */

const CONFIG = 'iotshaper';

/** The rate that `uci set iotshaper.rate=40` named, where one was; it stands above the option. */
let typedRate = '';

/** The configuration with all that was changed on the page. @returns {UciPackage} */
const readPackage = () => ({
  name: CONFIG,
  sections: uci
    .sections(CONFIG)
    .map(({ '.name': name, '.type': type, '.anonymous': anonymous, ...texts }) => ({
      name,
      type,
      anonymous,
      options: new Map(
        Object.entries(texts).flatMap(([option, value]) =>
          typeof value === 'string' || Array.isArray(value) ? [[option, value]] : [],
        ),
      ),
    })),
});

/** Makes options of the sections that a typed `uci set iotshaper.rate=40` left; in force once saved. */
function fold() {
  const before = readPackage();
  const { sections } = core.foldRateSection(before);
  for (const { name } of before.sections)
    if (!sections.some((section) => section.name === name)) uci.remove(CONFIG, name);
  const { name: main } = core.mainSection;
  const written = before.sections.find(({ name }) => name === main)?.options ?? new Map();
  const folded = sections.find(({ name }) => name === main)?.options ?? new Map();
  for (const option of new Set([...written.keys(), ...folded.keys()]))
    if (written.get(option) !== folded.get(option))
      uci.set(CONFIG, main, option, folded.get(option) ?? null);
}

const api = {
  CONFIG,

  /** Loads the configuration; says why not in a sentence, or nothing when all is well. */
  async load() {
    try {
      await uci.load(CONFIG);
    } catch (error) {
      return /code 4\b/.test(String(error))
        ? _('There is no /etc/config/iotshaper. Install the package iot-shaper again.')
        : _('The settings (UCI configuration iotshaper) can’t be read with this login.');
    }
    // A form has fields for a section that is there.
    for (const { name, type } of [core.mainSection, core.tunnelSection])
      if (!uci.get(CONFIG, name)) uci.add(CONFIG, type, name);
    typedRate = uci.get(CONFIG, 'rate')?.['.type'] ?? '';
    fold();
    return '';
  },

  /** What main holds, defaults included; null for what is refused. */
  main: () => core.readDraft(core.mainSection, uci.get(CONFIG, core.mainSection.name) ?? {}),

  /** Whether a network or a device is chosen to be shaped. */
  hasDevices: () =>
    ['network', core.deviceSection.type].some((type) =>
      uci.sections(CONFIG, type).some(({ policy }) => (policy ?? 'shape') === 'shape'),
    ),

  /** The schedules that say all they have to. */
  schedules: () =>
    uci
      .sections(CONFIG, core.scheduleSection.type)
      .flatMap((section) => api.wholeSchedule(section) ?? []),

  /** A schedule of UCI's texts or a form's; null while it is not whole. @param {Record<string, unknown>} texts */
  wholeSchedule(texts) {
    const { days, startMinute, endMinute, rateKBps } = core.readDraft(core.scheduleSection, texts);
    return days === null || startMinute === null || endMinute === null || rateKBps === null
      ? null
      : { days, startMinute, endMinute, rateKBps };
  },

  /** The rate typed on the command line before this page folded it in, '' when there was none. */
  typedRate: () => typedRate,
};

/** @typedef {typeof api} Settings */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
