// Text of numbers that are written once and never again.

const PAIRS = Array.from({ length: 100 }, (_, pair) => `${pair}`.padStart(2, '0'));

/**
 * A whole number's digits. V8 keeps the text of every number it writes itself until its next whole collection: of some hundred
 * rates a second that is most of what a thread ever leaves to it.
 */
export function decimalOf(whole: number): string {
  if (!Number.isSafeInteger(whole) || whole < 0) return `${whole}`;
  let text = '';
  let rest = whole;
  for (; rest >= 100; rest = Math.floor(rest / 100)) text = PAIRS[rest % 100]! + text;
  return rest < 10 ? `${rest}${text}` : PAIRS[rest]! + text;
}
