// How long a frame that would not be full waits for more behind another one.

/** Share of a slot: as good as no interval is drawn shorter, and a busy machine's timers have the rest. */
const SHARE = 0.25;

/**
 * Whole milliseconds, as timers have them, that a frame may wait for more while another stands before it: its own slot comes an interval
 * after that one's, so that this costs nothing.
 */
export function companyMs(slotMs: number): number {
  return Math.floor(SHARE * slotMs);
}
