// How many cases a property is tried with: all in the whole suite, a share of them where time counts.

const share = Number(process.env.PROPERTY_SHARE ?? 1);

/** This many cases, or the share of them that the environment's `PROPERTY_SHARE` asks for, 25 at least. */
export function runs(full: number): number {
  return Math.min(full, Math.max(25, Math.round(full * share)));
}
