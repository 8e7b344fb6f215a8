// Whether two networks share addresses.
import { networkOf, splitPrefix } from './address.ts';

/** Whether any address is in both prefixes; those of different families never share one. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [splitPrefix(one), splitPrefix(other)];
  if (!a || !b || a.family !== b.family) return false;
  const length = Math.min(a.length, b.length);
  return networkOf(a.address, length) === networkOf(b.address, length);
}
