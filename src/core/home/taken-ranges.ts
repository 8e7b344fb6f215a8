// Networks of the home that lie where the tunnel's inside is: what is sent to them would be held back as the inside's. Pure.
import { holds } from '../ip/within.ts';
import { type Notice, notice } from '../notices/notice.ts';
import type { InsideRanges } from '../plan/facts.ts';

/** A netdev with the networks it is in. */
export interface AddressedNetdev {
  name: string;
  prefixes: readonly string[];
}

/** The netdevs that are in one of these ranges, each with what to do about it. */
export function findTakenRanges(
  inside: InsideRanges,
  netdevs: readonly AddressedNetdev[],
): Notice[] {
  const ranges = [inside.tunnel, inside.inner4, ...(inside.inner6 === null ? [] : [inside.inner6])];
  return netdevs.flatMap(({ name, prefixes }) =>
    prefixes.flatMap((prefix) =>
      ranges
        // The tunnel's go before a wider network's.
        .filter((range) => holds(range, prefix))
        .map((range) => notice('inside-range-taken', { prefix, netdev: name, range })),
    ),
  );
}
