// Several names as one value of a notice.
import { type Notice, notice } from './notice.ts';

/** `A, B and C`, or `A, B or C`; one name alone as it is. */
export function listOf(
  names: readonly string[],
  code: 'list-and' | 'list-or' = 'list-and',
): string | Notice {
  const first = names.slice(0, -1).join(', ');
  const last = names[names.length - 1] ?? '';
  return first === '' ? last : notice(code, { first, last });
}

/** `A, B and C`; of many, the first three and how many more there are. */
export function listSome(names: readonly string[]): string | Notice {
  if (names.length <= 4) return listOf(names);
  return notice('list-and-more', { first: names.slice(0, 3).join(', '), count: names.length - 3 });
}
