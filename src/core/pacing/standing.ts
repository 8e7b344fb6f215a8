// How much faster or slower than the clock behind it a queue has to be, so that as many slots as meant stand there. Pure.

/**
 * Farthest the inner rate is bent, as a share of it. Outside shows what the outer clock lets go, so this is seen by nobody;
 * it bounds what a count that is wrong could do.
 */
export const MAX_STANDING_BEND = 0.05;
/** Share by which the rate is bent where none stands. Looked at five times a second, a larger one would overshoot. */
const BEND_WHERE_NONE = 0.03;

/**
 * Share by which the inner rate is raised (or lowered, where negative).
 *
 * @param standing slots that stand in the outer clock
 * @param meant slots that ought to, at least one
 */
export function standingBend(standing: number, meant: number): number {
  const bend = (BEND_WHERE_NONE * (meant - standing)) / meant;
  return Math.max(-MAX_STANDING_BEND, Math.min(MAX_STANDING_BEND, bend));
}
