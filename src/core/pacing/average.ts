// Bends intervals by what is missing of the packets that ought to have left, so that the average holds whatever the load. Pure.

/**
 * Time in which a shortfall is made up: the shorter, the closer a minute's rate, and the more each interval is bent by counts, which are whole
 * slots. What is spread by so many percent hides that.
 */
const CATCH_UP_MS = 30_000;
const MOST_CATCH_UP_MS = 4_000;
const LEAST_CATCH_UP_MS = 1_000;
/** Time over which a lasting shortfall is learnt. */
const LEARN_MS = 20_000;
/** Largest shortfall that late timers may leave behind; what is beyond came from a stop and teaches nothing. */
const LEARN_FROM_MS = 200;
/** Farthest the rate is bent to hold the average, as a share of it. */
const MAX_BEND = 0.08;
/** A shortfall longer than this is no late timer's: forgotten rather than made up. */
const FORGET_MS = 2_000;
/** A class that sent nothing for so long stands still, and its slots are gone. */
const STOPPED_MS = 500;
const STOPPED_SLOTS = 4;

/** Counts packets against time. */
export class Average {
  readonly #meanMs: number;
  readonly #catchUpMs: number;
  /** Share by which intervals are shortened to make up what is missing now. */
  #catchUp = 0;
  /** Share that every interval loses to late timers. */
  #learnt = 0;
  #observed: { atMs: number; packets: number } | null = null;
  /** Observation from which on packets are counted against time. */
  #anchor = { atMs: 0, packets: 0 };

  /**
   * @param meanMs interval between packets.
   * @param sdPercent standard deviation of what is drawn, percent of that.
   */
  constructor(meanMs: number, sdPercent: number) {
    this.#meanMs = meanMs;
    const catchUpMs = Math.min(MOST_CATCH_UP_MS, CATCH_UP_MS / sdPercent);
    this.#catchUpMs = Math.max(LEAST_CATCH_UP_MS, catchUpMs, 20 * meanMs);
  }

  /** Share by which every interval is to be shortened. */
  get bend(): number {
    return clamp(this.#catchUp + this.#learnt, MAX_BEND);
  }

  /**
   * Takes note of how many packets have left since there is a count of them.
   *
   * @param packets count read from the kernel.
   * @returns whether they were counted against those before
   */
  observe(packets: number, nowMs: number): boolean {
    const last = this.#observed;
    this.#observed = { atMs: nowMs, packets };
    const meanMs = this.#meanMs;
    const stopped =
      packets === last?.packets && nowMs - last.atMs > Math.max(STOPPED_MS, STOPPED_SLOTS * meanMs);
    if (last === null || packets < last.packets || stopped) {
      this.#startOver();
      return false;
    }
    const shortMs = nowMs - this.#anchor.atMs - (packets - this.#anchor.packets) * meanMs;
    if (Math.abs(shortMs) > Math.max(FORGET_MS, 20 * meanMs)) {
      this.#startOver();
      return false;
    }
    const catchUpMs = this.#catchUpMs;
    const lessonMs = clamp(shortMs, Math.max(LEARN_FROM_MS, 2 * meanMs));
    this.#learnt = clamp(
      this.#learnt + (lessonMs / catchUpMs) * ((nowMs - last.atMs) / LEARN_MS),
      MAX_BEND / 2,
    );
    this.#catchUp = clamp(shortMs / catchUpMs, MAX_BEND / 2);
    return true;
  }

  /** Counts what is missing from the last observation on. */
  #startOver(): void {
    this.#anchor = this.#observed!;
    this.#catchUp = 0;
  }
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
