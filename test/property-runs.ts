// How many cases a property is tried with: all in the whole suite, a share of them where time counts, many times as many by `make properties`.

const share = Number(process.env.PROPERTY_SHARE ?? 1);

/** This many cases, or the share or multiple of them that the environment's `PROPERTY_SHARE` asks for, 10 at least. */
export function runs(full: number): number {
  return Math.max(Math.min(full, 10), Math.round(full * share));
}

/** These cases, or as many of them, spread over the list, as the environment's `PROPERTY_SHARE` asks for: 5 at least. */
export function some<T>(cases: readonly T[]): T[] {
  const count = Math.min(cases.length, Math.max(5, Math.round(cases.length * share)));
  return Array.from({ length: count }, (_, k) => cases[Math.floor((k * cases.length) / count)]!);
}

/** So many numbers for a statistic whose bounds are standard errors: a quarter of them where time counts. */
export function draws(full: number): number {
  return share < 1 ? full / 4 : full;
}
