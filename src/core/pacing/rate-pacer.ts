// Decides which rate HTB is given when: draws intervals, and holds the average asked. Pure: time is passed in.
import type { Random } from '../random/random.ts';
import { type Shape, slotMs } from '../stream/stream.ts';
import { modes } from './modes.ts';
import { IntervalSchedule } from './schedule.ts';

/**
 * Shortest mean time between two changes of rate. Above some 100 KB/s one draw covers several slots, always as many: their
 * distribution stays as drawn, only neighbours look alike. (As long for each would favour the short ones.)
 */
const MIN_CHANGE_MS = 5;
/** Time in which a shortfall is made up. */
const CATCH_UP_MS = 4_000;
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
  readonly #varies: boolean;
  readonly #slotsPerDraw: number;
  #dueMs: number;
  /** Share by which intervals are shortened to make up what is missing now. */
  #catchUp = 0;
  /** Share that every interval loses to late timers. */
  #learnt = 0;
  #observed: { atMs: number; packets: number } | null = null;
  /** Observation from which on packets are counted against time. */
  #anchor = { atMs: 0, packets: 0 };

  constructor(shape: Shape, random: Random, nowMs: number) {
    this.shape = shape;
    this.#varies = modes[shape.mode].varies;
    this.#schedule = new IntervalSchedule({
      mode: shape.mode,
      meanMs: slotMs(shape.rateKBps, shape.packetBytes),
      sdPercent: shape.sdPercent,
      random,
    });
    this.#slotsPerDraw = Math.max(1, Math.ceil(MIN_CHANGE_MS / this.#schedule.meanMs));
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
    const bend = clamp(this.#catchUp + this.#learnt, MAX_BEND);
    if (!this.#varies) this.#dueMs = Number.POSITIVE_INFINITY;
    else {
      // A pause of the process is not made up in a burst of changes.
      const from = nowMs - this.#dueMs > 100 ? nowMs : this.#dueMs;
      this.#dueMs = from + this.#slotsPerDraw * intervalMs * (1 - bend);
    }
    const bytesPerMs = this.shape.packetBytes / (intervalMs * (1 - bend));
    return Math.max(1, Math.round(bytesPerMs * 1000));
  }

  /**
   * Takes note of how many packets the class has sent since it was made.
   *
   * @param packets count read from the kernel.
   */
  observe(packets: number, nowMs: number): void {
    const last = this.#observed;
    this.#observed = { atMs: nowMs, packets };
    const { meanMs } = this.#schedule;
    const stopped =
      packets === last?.packets && nowMs - last.atMs > Math.max(STOPPED_MS, STOPPED_SLOTS * meanMs);
    if (last === null || packets < last.packets || stopped) {
      this.#startOver();
      return;
    }
    const shortMs = nowMs - this.#anchor.atMs - (packets - this.#anchor.packets) * meanMs;
    if (Math.abs(shortMs) > Math.max(FORGET_MS, 20 * meanMs)) {
      this.#startOver();
      return;
    }
    const catchUpMs = Math.max(CATCH_UP_MS, 20 * meanMs);
    const lessonMs = clamp(shortMs, Math.max(LEARN_FROM_MS, 2 * meanMs));
    this.#learnt = clamp(
      this.#learnt + (lessonMs / catchUpMs) * ((nowMs - last.atMs) / LEARN_MS),
      MAX_BEND / 2,
    );
    this.#catchUp = clamp(shortMs / catchUpMs, MAX_BEND / 2);
    if (!this.#varies) this.#dueMs = nowMs;
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
