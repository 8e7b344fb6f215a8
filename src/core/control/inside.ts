// Bounds of what an endpoint's answer may change at the home: the addresses its profile names.
import { holds } from '../ip/within.ts';
import { listOf } from '../notices/list.ts';
import { type Notice, notice } from '../notices/notice.ts';
import type { InnerNetwork, InsideRanges } from '../plan/facts.ts';

/** What of an inner network lies outside the profile's bounds; null when nothing does. */
export function findInsideFault(
  inner: InnerNetwork,
  inside: Pick<InsideRanges, 'inner4' | 'inner6'>,
): Notice | null {
  const { prefix4, prefix6, resolver4, resolver6 } = inner;
  const outside =
    [prefix4, resolver4].find((one) => !holds(inside.inner4, one)) ??
    [prefix6, resolver6].find(
      (one) => one !== null && (inside.inner6 === null || !holds(inside.inner6, one)),
    );
  if (!outside) return null;
  const bounds = listOf([inside.inner4, inside.inner6].filter((one) => one !== null));
  return notice('answer-out-of-bounds', { outside, bounds });
}
