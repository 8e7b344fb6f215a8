// Whether one network lies in another.
import { networkOf, splitPrefix } from './address.ts';

/** Whether every address of `inner` is one of `outer`, too. */
export function holds(outer: string, inner: string): boolean {
  const [wide, narrow] = [splitPrefix(outer), splitPrefix(inner)];
  if (!wide || !narrow || wide.family !== narrow.family || wide.length > narrow.length)
    return false;
  return networkOf(narrow.address, wide.length) === networkOf(wide.address, wide.length);
}
