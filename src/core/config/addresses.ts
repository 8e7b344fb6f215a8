// Addresses and prefixes of devices in one canonical form, and how they lie to each other.

import IPCIDR from 'ip-cidr';
import { splitPrefix } from '../ip/address.ts';

/** A block of addresses; `first` and `last` are numbers of its family. */
export interface AddressBlock {
  family: 4 | 6;
  /** Canonical: network address, prefix length, IPv6 after RFC 5952. */
  cidr: string;
  first: bigint;
  last: bigint;
  /** Whether bits behind the prefix were given and dropped, as in `192.168.1.50/24`. */
  trimmed: boolean;
}

/**
 * Parses an IPv4 or IPv6 address (a block of one) or CIDR prefix.
 *
 * @returns null for anything else, and for the whole Internet (`/0`)
 */
export function parseAddressBlock(text: string): AddressBlock | null {
  const split = splitPrefix(text);
  if (split === null) return null;
  const { family, address, length } = split;
  const cidr = new IPCIDR(`${address}/${length}`);
  const [first, last, asked] = [cidr.addressStart, cidr.addressEnd, cidr.address].map((one) =>
    BigInt(one.bigInteger().toString()),
  ) as [bigint, bigint, bigint];
  return {
    family,
    cidr: `${cidr.addressStart.correctForm()}/${length}`,
    first,
    last,
    trimmed: asked !== first,
  };
}

/** Two blocks of which one holds the other; prefixes cannot overlap otherwise. */
export interface Nesting<T extends AddressBlock> {
  outer: T;
  inner: T;
}

/** Every block that lies within another (or equals it), with the largest that holds it. */
export function findNestings<T extends AddressBlock>(blocks: readonly T[]): Nesting<T>[] {
  const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = [...blocks].sort(
    (a, b) => a.family - b.family || order(a.first, b.first) || order(b.last, a.last),
  );
  const nestings: Nesting<T>[] = [];
  let outer: T | null = null;
  for (const block of sorted) {
    if (outer !== null && outer.family === block.family && block.first <= outer.last)
      nestings.push({ outer, inner: block });
    else outer = block;
  }
  return nestings;
}
