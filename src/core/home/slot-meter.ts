// Slots a second over a sliding window, from a counter that is read now and then.

/** Longest history a window may need, in readings. */
const MAX_READINGS = 64;

/** Measures the rate of a counter that only grows. */
export class SlotMeter {
  #readings: { atMs: number; count: number }[] = [];

  /** Takes one reading; null (the counter is away) or a smaller count than before starts over. */
  push(count: number | null, nowMs: number): void {
    const last = this.#readings.at(-1);
    if (count === null || (last && count < last.count)) this.#readings = [];
    if (count === null) return;
    this.#readings.push({ atMs: nowMs, count });
    if (this.#readings.length > MAX_READINGS) this.#readings.shift();
  }

  reset(): void {
    this.#readings = [];
  }

  /** Events a second over at least `windowMs`, or null while there are no readings that old. */
  perSecond(windowMs: number): number | null {
    const last = this.#readings.at(-1);
    if (!last) return null;
    const first = this.#readings.findLast((reading) => last.atMs - reading.atMs >= windowMs);
    if (!first) return null;
    return ((last.count - first.count) / (last.atMs - first.atMs)) * 1000;
  }

  /** Events a second between the last two readings; 0 before there are two. */
  get latestPerSecond(): number {
    return this.perSecond(1) ?? 0;
  }
}
