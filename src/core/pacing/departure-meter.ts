// Whether more leaves than may: counts departures against the rate. Pure: time and counts are passed in.

/** Share of the rate that leaves without being counted. */
const DRAIN = 1.1;
/** Packets ahead of the rate from which on it is too much: neighbouring intervals vary. */
const AHEAD = 2;

export class DepartureMeter {
  #last: { count: number; atMs: number } | null = null;
  #level = 0;

  /** Packets that have left ahead of the rate. */
  get aheadPackets(): number {
    return this.#level;
  }

  /**
   * @param count departures so far; null while nothing can be counted.
   * @param packetsPerS what may leave.
   */
  isCrowded(count: number | null, packetsPerS: number, nowMs: number): boolean {
    const last = this.#last;
    this.#last = count === null ? null : { count, atMs: nowMs };
    if (count === null || last === null || count < last.count) {
      this.#level = 0;
      return false;
    }
    const drained = (packetsPerS * DRAIN * Math.max(0, nowMs - last.atMs)) / 1000;
    this.#level = Math.max(0, this.#level + (count - last.count) - drained);
    return this.#level > AHEAD;
  }
}
