// What the document tells its scripts.

/** @param {string} name */
export const toldOf = (name) =>
  document.querySelector(`meta[name="iotshaper-${name}"]`)?.getAttribute('content') ?? '';
