// Decides which rate HTB is given when: draws intervals, and holds the average asked. Pure: time is passed in.
import type { Random } from '../random/random.ts';
import { type Shape, slotMs } from '../stream/stream.ts';
import { Average } from './average.ts';
import { modes } from './modes.ts';
import { IntervalSchedule } from './schedule.ts';

/**
 * Shortest mean time between two changes of rate. Above some 100 KB/s one draw covers several slots, always as many: their
 * distribution stays as drawn, only neighbours look alike. (As long for each would favour the short ones.)
 */
const MIN_CHANGE_MS = 5;
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
  readonly #average: Average;

  constructor(shape: Shape, random: Random, nowMs: number) {
    this.shape = shape;
    this.#varies = modes[shape.mode].varies;
    this.#schedule = new IntervalSchedule({
      mode: shape.mode,
      meanMs: slotMs(shape.rateKBps, shape.packetBytes),
      sdPercent: shape.sdPercent,
      random,
    });
    this.#average = new Average(this.#schedule.meanMs, shape.sdPercent);
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
    const { bend } = this.#average;
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
    const isCounted = this.#average.observe(packets, nowMs);
    if (isCounted && !this.#varies) this.#dueMs = nowMs;
  }
}
