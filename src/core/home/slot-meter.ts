// Slots a second over a sliding window, from a counter that is read now and then.

/** Readings may be closer than a second. */
const LATEST_MS = 900;

/** Longest history a window may need, in readings. */
const MAX_READINGS = 64;

interface Reading {
  /** It was read between these two. */
  askedMs: number;
  atMs: number;
  count: number;
}

/** Measures the rate of a counter that only grows. A value: each reading makes another one. */
export class SlotMeter {
  static readonly EMPTY = new SlotMeter([]);
  readonly #readings: readonly Reading[];

  private constructor(readings: readonly Reading[]) {
    this.#readings = readings;
  }

  /**
   * With one reading more; null (the counter is away) or a smaller count than before starts over.
   *
   * @param atMs when it was read, whenever anybody hears of it.
   * @param askedMs since when it may have been, where another program read it.
   */
  with(count: number | null, atMs: number, askedMs = atMs): SlotMeter {
    if (count === null) return SlotMeter.EMPTY;
    const last = this.#readings.at(-1);
    const before = last && count < last.count ? [] : this.#readings.slice(1 - MAX_READINGS);
    return new SlotMeter([...before, { askedMs, atMs, count }]);
  }

  /** Events a second over at least `windowMs`, or null while there are no readings that old. */
  perSecond(windowMs: number): number | null {
    const last = this.#readings.at(-1);
    if (!last) return null;
    const first = this.#readings.findLast((reading) => last.atMs - reading.atMs >= windowMs);
    if (!first) return null;
    return ((last.count - first.count) / (last.atMs - first.atMs)) * 1000;
  }

  /**
   * Of the rates that may have been, as it is not known when between asking and hearing the counter was read, the one
   * nearest to this. So what a busy machine is late with is held against nobody.
   */
  nearestPerSecond(windowMs: number, wanted: number): number | null {
    const last = this.#readings.at(-1);
    if (!last) return null;
    const first = this.#readings.findLast((reading) => last.askedMs - reading.atMs >= windowMs);
    if (!first) return null;
    const count = 1000 * (last.count - first.count);
    const least = count / (last.atMs - first.askedMs);
    const most = count / (last.askedMs - first.atMs);
    return Math.min(most, Math.max(least, wanted));
  }

  /** Events a second in the last second; 0 before it has passed. */
  get latestPerSecond(): number {
    return this.perSecond(LATEST_MS) ?? 0;
  }
}
