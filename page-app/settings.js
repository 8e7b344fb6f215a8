// LuCI's `uci` for the pages: the settings as they were read, as a form has left them, and as they are being changed.

/** @param {(method: string, args: object) => Promise<object>} call of the object `uci` */
export function createUci(call) {
  /** What the router holds. @type {{ revision: string, values: object } | null} */
  let original = null;
  /** With what was saved in forms, and is in force once applied. */
  let saved = null;
  /** With what is being changed. Null before it is loaded. */
  let current = null;
  let made = 0;

  const ordered = (sections) => Object.values(sections).sort((a, b) => a['.index'] - b['.index']);

  /** The same for the same settings, whatever was written and taken back. */
  const textOf = (sections) =>
    JSON.stringify(ordered(sections).map((section) => Object.entries(section).sort()));

  const uci = {
    async load(config) {
      if (current) return [];
      if (!original) {
        original = await call('get', { config });
        saved = structuredClone(original.values);
      }
      current = structuredClone(saved);
      return [config];
    },

    unload() {
      current = null;
    },

    sections(_config, type) {
      return ordered(current ?? {})
        .filter((section) => !type || section['.type'] === type)
        .map((section) => ({ ...section }));
    },

    get(_config, name, option) {
      const section = current?.[name];
      if (!section) return null;
      return option === undefined ? section : section[option];
    },

    set(_config, name, option, value) {
      const section = current?.[name];
      if (!section) return;
      if (value === null || value === undefined || value.length === 0) delete section[option];
      else section[option] = value;
    },

    unset: (config, name, option) => uci.set(config, name, option, null),

    add(_config, type, name) {
      const section = name ?? `new${++made}`;
      current[section] = {
        '.type': type,
        '.name': section,
        '.anonymous': name === undefined,
        '.index': 1e6 + made++,
      };
      return section;
    },

    remove(_config, name) {
      if (current) delete current[name];
    },

    async save() {
      if (current) saved = structuredClone(current);
    },
  };

  return {
    uci,
    isChanged: () => original !== null && textOf(saved) !== textOf(original.values),
    /** Back to what the router holds. */
    discard() {
      original = null;
      saved = null;
      current = null;
    },
    apply: () => call('apply', { revision: original?.revision, sections: ordered(saved) }),
  };
}
