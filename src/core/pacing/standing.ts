// How much faster or slower than the clock behind it a queue has to be, so that as many slots as meant stand there. Pure.

/**
 * Farthest the inner rate is raised, as a share of it. Outside shows what the outer clock lets go, so this is seen by nobody;
 * it bounds what a count that is wrong could do.
 */
export const MAX_STANDING_BEND = 0.05;
/** Farthest it is lowered: what piled up while OpenVPN paused has devices' packets wait as long as it stands there. */
export const MAX_PILED_BEND = 0.5;
/** What is too much or too little is made up in about so long, or so many slots. Looked at five times a second, less would overshoot. */
const MAKE_UP_S = 1;
const MAKE_UP_SLOTS = 20;
/**
 * The two clocks are not in step within an interval, for which a frame waits half of one more: where more than one stands, so much less is
 * aimed at, on average.
 */
const OUT_OF_STEP = 0.25;

/**
 * Share by which the inner rate is raised (or lowered, where negative).
 *
 * @param standing slots that stand in the outer clock
 * @param meant slots that ought to
 * @param perSecond slots that leave
 */
export function standingBend(standing: number, meant: number, perSecond: number): number {
  const aim = meant > 1 ? meant - OUT_OF_STEP : meant;
  const bend = (aim - standing) / Math.max(MAKE_UP_S * perSecond, MAKE_UP_SLOTS);
  return Math.max(-MAX_PILED_BEND, Math.min(MAX_STANDING_BEND, bend));
}
