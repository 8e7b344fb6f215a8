// Names of packages, sections, options and types, as libuci takes and makes them.

/** Section and option names: `[A-Za-z0-9_]+` (libuci: `uci_validate_name`). */
export function isUciName(text: string): boolean {
  return /^[A-Za-z0-9_]+$/.test(text);
}

/** Section types: printable ASCII (libuci: `uci_validate_type`). */
export function isUciType(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** The name libuci gives the `count`-th section when it has none (list.c: `uci_fixup_section`). */
export function anonymousName(type: string, count: number): string {
  let hash = 5381;
  for (const character of type) hash = (Math.imul(hash, 33) + character.charCodeAt(0)) >>> 0;
  const digits = (value: number, width: number) => value.toString(16).padStart(width, '0');
  return `cfg${digits(count, 2)}${digits(hash % 0x10000, 4)}`;
}

/** A name libuci accepts for the package in a file: `/x/set-as-typed.uci` is `set_as_typed`. */
export function packageNameOf(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1);
  return base.replace(/\.uci$/, '').replace(/[^A-Za-z0-9_]/g, '_') || 'config';
}
