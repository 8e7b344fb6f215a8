// Bounds of what an endpoint's answer may change at the home: the addresses its profile names.
import { networkOf } from '../ip/address.ts';
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
    [prefix4, resolver4].find((one) => !lies(one, inside.inner4)) ??
    [prefix6, resolver6].find((one) => one !== null && !lies(one, inside.inner6));
  if (!outside) return null;
  const bounds = listOf([inside.inner4, inside.inner6].filter((one) => one !== null));
  return notice('answer-out-of-bounds', { outside, bounds });
}

function lies(one: string, network: string | null): boolean {
  if (network === null || one.includes(':') !== network.includes(':')) return false;
  const [base = '', length] = network.split('/');
  const [address = ''] = one.split('/');
  return networkOf(address, Number(length)) === networkOf(base, Number(length));
}
