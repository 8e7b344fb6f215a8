// Decides which rate HTB is given when: draws intervals, and holds the average asked. Pure: time is passed in.
import type { Shape } from '../plan/facts.ts';
import { IntervalSchedule, type Random, slotMs } from './schedule.ts';

/**
 * Shortest time between two changes of rate. Above some 100 KB/s one draw covers several slots, all of the same length:
 * their distribution stays as drawn, only neighbours look alike.
 */
const MIN_CHANGE_MS = 5;
/** Time in which a shortfall is made up. */
const CATCH_UP_MS = 4_000;
/** Time over which a lasting shortfall is learnt. */
const LEARN_MS = 20_000;
/** Farthest the rate is bent to hold the average, as a share of it. */
const MAX_BEND = 0.08;
/** A shortfall longer than this is a stopped tunnel, not a late timer: forgotten rather than made up. */
const FORGET_MS = 2_000;

/**
 * The clock of one class. HTB charges a departing packet with its length over the rate of that moment, so the rate in
 * force at a departure decides the whole interval to the next (sch_htb.c, htb_accnt_tokens): one change per drawn
 * interval, each waiting its own interval, keeps step with the departures.
 *
 * HTB's timer fires late by some tens of microseconds, which `burst` only partly makes up; the packets counted at the
 * class against those asked for since the start bend every later interval by the same share, whatever the load.
 */
export class RatePacer {
  readonly shape: Shape;
  readonly #schedule: IntervalSchedule;
  #dueMs: number;
  #bend = 0;
  #learnt = 0;
  #anchor: { atMs: number; packets: number } | null = null;
  #lastObservedMs = 0;

  constructor(shape: Shape, random: Random, nowMs: number) {
    this.shape = shape;
    this.#schedule = new IntervalSchedule({
      meanMs: slotMs(shape.rateKBps, shape.packetBytes),
      sdPercent: shape.sdPercent,
      random,
    });
    this.#dueMs = nowMs;
  }

  /** When {@link RatePacer.step} wants to be called next; Infinity when nothing is to be changed. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** The rate to set now, bytes per second, or null when it is not time yet. */
  step(nowMs: number): number | null {
    if (nowMs < this.#dueMs) return null;
    const intervalMs = this.#schedule.nextMs();
    if (this.shape.sdPercent === 0) this.#dueMs = Number.POSITIVE_INFINITY;
    else {
      // A pause of the process is not made up in a burst of changes.
      const from = nowMs - this.#dueMs > 100 ? nowMs : this.#dueMs;
      this.#dueMs = from + Math.max(intervalMs, MIN_CHANGE_MS);
    }
    const bytesPerMs = this.shape.packetBytes / (intervalMs * (1 - this.#bend));
    return Math.max(1, Math.round(bytesPerMs * 1000));
  }

  /**
   * Takes note of how many packets the class has sent since it was made.
   *
   * @param packets count read from the kernel.
   */
  observe(packets: number, nowMs: number): void {
    if (this.#anchor === null || packets < this.#anchor.packets) {
      this.#anchor = { atMs: nowMs, packets };
      this.#lastObservedMs = nowMs;
      return;
    }
    const meanMs = this.#schedule.meanMs;
    const shortMs = nowMs - this.#anchor.atMs - (packets - this.#anchor.packets) * meanMs;
    const forgetMs = Math.max(FORGET_MS, 20 * meanMs);
    if (Math.abs(shortMs) > forgetMs) {
      this.#anchor = { atMs: nowMs, packets };
    } else {
      const elapsedMs = nowMs - this.#lastObservedMs;
      const catchUpMs = Math.max(CATCH_UP_MS, 20 * meanMs);
      this.#learnt = clamp(
        this.#learnt + (shortMs / catchUpMs) * (elapsedMs / LEARN_MS),
        MAX_BEND / 2,
      );
      this.#bend = clamp(shortMs / catchUpMs + this.#learnt, MAX_BEND);
      if (this.shape.sdPercent === 0) this.#dueMs = nowMs;
    }
    this.#lastObservedMs = nowMs;
  }
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
