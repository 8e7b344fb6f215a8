// Moments that all have in common who do something every so often: what falls together wakes a thread once. Pure.

/**
 * Milliseconds until the next whole multiple of the period that is no nearer than half of one: a timer that fires early must not fire twice.
 */
export function untilSharedMs(nowMs: number, periodMs: number): number {
  const leftMs = periodMs - (Math.floor(nowMs) % periodMs);
  return leftMs < periodMs / 2 ? leftMs + periodMs : leftMs;
}

/**
 * Does something at all these moments until it is cancelled.
 *
 * @param after a timer's: does it once so many milliseconds have passed, and returns what cancels that.
 */
export function everyShared(
  after: (delayMs: number, work: () => void) => () => void,
  nowMs: () => number,
  periodMs: number,
  work: () => void,
): () => void {
  const arm = (): (() => void) =>
    after(untilSharedMs(nowMs(), periodMs), () => {
      cancel = arm();
      work();
    });
  let cancel = arm();
  return () => cancel();
}
