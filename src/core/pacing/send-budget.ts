// How fast packets may be handed to a queue, so that one that stands open lets no burst through. Pure: time is passed in.

/** Share of the rate by which what was lost is made up for. */
const SURPLUS = 1.2;
export interface SendBudgetOptions {
  packetsPerS: number;
  /** Packets that may be handed over before any is counted. */
  first?: number;
  /** What may be handed over at once, in time: on a busy machine timers come late. {@link SendBudgetOptions.least} at least. */
  atOnceMs: number;
  /** Fewest that may be handed over at once. */
  least: number;
}

/**
 * The queue holds packets back; this holds back what is handed to it: where somebody empties or deletes the queue, all that
 * stood there is not sent again at once.
 */
export class SendBudget {
  readonly #perMs: number;
  readonly #most: number;
  #credit: number;
  #atMs: number;

  constructor({ packetsPerS, first = 0, atOnceMs, least }: SendBudgetOptions, nowMs: number) {
    this.#perMs = (packetsPerS * SURPLUS) / 1000;
    this.#most = Math.max(least, this.#perMs * atOnceMs);
    this.#credit = Math.max(first, this.#most);
    this.#atMs = nowMs;
  }

  /** How long to wait before the next packet; 0 when it may go now. */
  waitMs(nowMs: number): number {
    this.#grow(nowMs);
    return this.#credit >= 1 ? 0 : (1 - this.#credit) / this.#perMs;
  }

  /** So many more may go at once. */
  grant(packets: number): void {
    this.#credit = Math.max(this.#credit, packets);
  }

  /** One is handed over. */
  take(nowMs: number): void {
    this.#grow(nowMs);
    this.#credit--;
  }

  #grow(nowMs: number): void {
    const grown = this.#credit + Math.max(0, nowMs - this.#atMs) * this.#perMs;
    // What is there from the beginning is not lost.
    this.#credit = Math.max(this.#credit, Math.min(grown, this.#most));
    this.#atMs = nowMs;
  }
}
