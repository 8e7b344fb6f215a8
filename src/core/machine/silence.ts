// How long nothing was reported while somebody listened. A value. Pure.

/** A second may be so long; what is beyond is a process that was held up itself, and heard nothing of what was said meanwhile. */
const LONGEST_SECOND_MS = 1500;

export class Silence {
  readonly lengthMs: number;
  readonly #seenMs: number;

  private constructor(lengthMs: number, seenMs: number) {
    this.lengthMs = lengthMs;
    this.#seenMs = seenMs;
  }

  /** None so far, from this time on. */
  static from(nowMs: number): Silence {
    return new Silence(0, nowMs);
  }

  /** Another second has passed without a report. */
  goOn(nowMs: number): Silence {
    const passedMs = Math.max(0, Math.min(nowMs - this.#seenMs, LONGEST_SECOND_MS));
    return new Silence(this.lengthMs + passedMs, nowMs);
  }
}
