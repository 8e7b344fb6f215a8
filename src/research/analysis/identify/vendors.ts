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
  const lines = await readFile(new URL('vendors.txt', import.meta.url)).catch(() => null);
  if (lines !== null) return searchVendors(lines);
  try {
    const table: Record<string, string> = createRequire(import.meta.url)('oui-data');
    return vendorsBy((prefix) => table[prefix]?.split('\n', 1)[0]);
  } catch {
    return null;
  }
}

/**
 * Finds makers in lines of `PREFIX maker`, sorted or not. A table of all prefixes takes many times as much memory as the
 * lines, and longer to make than the few devices of a home take to be looked up.
 */
export function searchVendors(lines: Buffer): Vendors {
  return vendorsBy((prefix) => {
    const begin = `${prefix} `;
    const isFirst = lines.subarray(0, begin.length).toString('latin1') === begin;
    const at = isFirst ? 0 : lines.indexOf(`\n${begin}`) + 1;
    if (at === 0 && !isFirst) return undefined;
    const end = lines.indexOf('\n', at);
    return lines.toString('utf8', at + begin.length, end < 0 ? lines.length : end);
  });
}

/** Prefixes are 6, 7 or 9 hexadecimal digits: large, medium and small blocks; the longest that fits is right. */
function vendorsBy(makerOf: (prefix: string) => string | undefined): Vendors {
  const known = new Map<string, string | null>();
  const find = (mac: string): string | null => {
    const digits = mac.replace(/[:-]/g, '').toUpperCase();
    if (Number.parseInt(digits.slice(0, 2), 16) & 2) return null;
    for (const length of [9, 7, 6]) {
      const entry = makerOf(digits.slice(0, length));
      if (entry !== undefined) return entry;
    }
    return null;
  };
  return {
    find: (mac) => {
      let maker = known.get(mac);
      if (maker === undefined) {
        maker = find(mac);
        known.set(mac, maker);
      }
      return maker;
    },
  };
}
