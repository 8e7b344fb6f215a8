// Who made the network chip behind a MAC address.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** Finds makers by MAC address. */
export interface Vendors {
  /** The maker; null where the address is made up (locally administered) or its prefix is not registered. */
  find: (mac: string) => string | null;
}

/**
 * Loads the IEEE's table: `vendors.txt` beside the program, else the package it is made from. Several megabytes, so
 * only what needs it loads it; null where neither is installed, as on a router.
 */
export async function loadVendors(): Promise<Vendors | null> {
  const text = await readFile(new URL('vendors.txt', import.meta.url), 'utf8').catch(() => null);
  if (text !== null) return indexVendors(parseVendors(text));
  try {
    const table: Record<string, string> = createRequire(import.meta.url)('oui-data');
    return indexVendors(new Map(Object.entries(table)));
  } catch {
    return null;
  }
}

/** Reads `PREFIX maker` lines. */
export function parseVendors(text: string): Map<string, string> {
  const table = new Map<string, string>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) table.set(line.slice(0, space), line.slice(space + 1));
  }
  return table;
}

/** Prefixes are 6, 7 or 9 hexadecimal digits: large, medium and small blocks; the longest that fits is right. */
export function indexVendors(table: ReadonlyMap<string, string>): Vendors {
  const find = (mac: string): string | null => {
    const digits = mac.replace(/[:-]/g, '').toUpperCase();
    if (Number.parseInt(digits.slice(0, 2), 16) & 2) return null;
    for (const length of [9, 7, 6]) {
      const entry = table.get(digits.slice(0, length));
      if (entry !== undefined) return entry.split('\n', 1)[0]!;
    }
    return null;
  };
  return { find };
}
