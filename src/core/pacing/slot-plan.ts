// The slots of one stream for the next second: drawn ahead, since the kernel holds their intervals as spacers. Pure.
import { SLOT_UNITS } from '../plan/spacers.ts';
import type { Random } from '../random/random.ts';
import { type Shape, slotMs } from '../stream/stream.ts';
import { Average } from './average.ts';
import { IntervalSchedule } from './schedule.ts';

/** So many slots are drawn ahead, and no less or more than so long: no pause of this process is as long. */
const AHEAD_SLOTS = 100;
const LEAST_AHEAD_MS = 400;
const MOST_AHEAD_MS = 1000;
const FEWEST_AHEAD = 4;
/** The clock before it follows so often, or each few times so long. All streams at the same moments. */
const BEAT_MS = 40;
const MOST_BEATS = 5;
/** Where it may be off by more, so many slots at most. */
const MOST_SLOTS_A_BEAT = 8;
/** Within a beat it may be off, in the middle and by one standard deviation, by such a share of what stands between the two. */
const OFF_SHARE = 0.2;
/** Bounds of what the clock before is told, as shares of the mean: a beat more or less is not made up for at once. */
const LEAST_SHARE = 0.2;
const MOST_SHARE = 2.5;
/** Of a beat: late by more than the rest of it is late for the next one as well. */
const LATE_SHARE = 0.5;
/** The one that goes on may have gone by when the clock is counted. */
const COUNT_SLACK = 1;

/**
 * Draws intervals and knows which of them is going on. The clock that has them as spacers needs nothing else; the clock before it is
 * told how many slots leave within the next moment, so that what stands between the two stays about the same.
 */
export class SlotPlan {
  readonly shape: Shape;
  /** How often {@link SlotPlan.step} wants to be called. */
  readonly beatMs: number;
  readonly #schedule: IntervalSchedule;
  readonly #average: Average;
  readonly #aheadMs: number;
  /** Intervals that are not over, ms; the first is going on. */
  #intervals: number[] = [];
  #sumMs = 0;
  /** What is over of the first. */
  #doneMs = 0;
  #atMs = 0;
  #dueMs = Number.POSITIVE_INFINITY;
  #fresh: number[] = [];
  /** Handed over since it began. */
  #taken = 0;
  /** What the clock before was told last, slots a millisecond; and slots that have left beyond all it was told, to be made up for. */
  #told = 0;
  #owed = 0;
  /** When the clock was asked what stands there, and what had been handed over by then. */
  #asked = { atMs: 0, taken: 0 };
  /** That have left the clock, as counted there last. */
  #gone = 0;
  /** What rounding has left of the last one. */
  #rest = 0;
  #units = 0;

  /** @param standing slots that stand between the two clocks. */
  constructor(shape: Shape, standing: number, random: Random) {
    this.shape = shape;
    const meanMs = slotMs(shape.rateKBps, shape.packetBytes);
    this.#schedule = new IntervalSchedule({
      ...{ mode: shape.mode, meanMs, sdPercent: shape.sdPercent, random },
    });
    this.#average = new Average(meanMs, shape.sdPercent);
    const aheadMs = Math.min(MOST_AHEAD_MS, Math.max(LEAST_AHEAD_MS, AHEAD_SLOTS * meanMs));
    this.#aheadMs = Math.max(aheadMs, FEWEST_AHEAD * meanMs);
    const beats = Math.round((slotsABeat(shape.sdPercent, standing) * meanMs) / BEAT_MS);
    this.beatMs = Math.max(1, Math.min(MOST_BEATS, beats)) * BEAT_MS;
  }

  /** When {@link SlotPlan.step} wants to be called next; Infinity before it has begun. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Share by which every interval is to be shortened. */
  get bend(): number {
    return this.#average.bend;
  }

  /** Spacers that stand at most, as long as nothing is late. */
  get mostAhead(): number {
    return Math.ceil(this.#aheadMs / this.#schedule.meanMs) + FEWEST_AHEAD;
  }

  /** Of all spacers since {@link SlotPlan.begin}. */
  get units(): number {
    return this.#units;
  }

  /** Spacers since then that the clock ought to have had by when it was asked. */
  get asked(): number {
    return this.#asked.taken;
  }

  /** No spacers stand there: it goes on from here. */
  begin(nowMs: number): void {
    this.#intervals = [];
    this.#fresh = [];
    this.#sumMs = 0;
    this.#doneMs = 0;
    this.#units = 0;
    this.#gone = 0;
    this.#told = 0;
    this.#owed = 0;
    this.#taken = 0;
    this.#asked = { atMs: nowMs, taken: 0 };
    this.#atMs = nowMs;
    this.#dueMs = nowMs;
  }

  /** Nothing is drawn until it begins again. */
  pause(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
  }

  /** What the clock before is to let go until the next call, bytes a second; null when it is not time yet. */
  step(nowMs: number): number | null {
    if (nowMs < this.#dueMs) return null;
    this.#go(nowMs);
    while (this.#sumMs - this.#doneMs < this.#aheadMs) this.#draw();
    // One that comes late for this beat leaves the next one out: what it says for a moment may have to do for longer.
    this.#dueMs = (Math.floor(nowMs / this.beatMs + LATE_SHARE) + 1) * this.beatMs;
    const windowMs = this.#dueMs - nowMs;
    const mean = windowMs / this.#schedule.meanMs;
    const slots = this.#slotsWithin(windowMs / this.#scale) + this.#owed;
    this.#told = Math.max(LEAST_SHARE * mean, Math.min(MOST_SHARE * mean, slots)) / windowMs;
    return Math.max(1, Math.round(1000 * this.#told * this.shape.packetBytes));
  }

  /** Spacers that were drawn and not handed over: the units of each. */
  take(): number[] {
    this.#taken += this.#fresh.length;
    return this.#fresh.splice(0);
  }

  /** @param packets slots that the clock has let go since it was made. */
  observe(packets: number, nowMs: number): void {
    this.#average.observe(packets, nowMs);
  }

  /** The clock is asked now what stands there: {@link SlotPlan.follow} has the answer. */
  ask(nowMs: number): void {
    this.#asked = { atMs: nowMs, taken: this.#taken };
  }

  /**
   * Goes on from where the clock is; what that is off by is made up for by who counts what stands there.
   *
   * @param gone spacers that have left since their class was made.
   * @param standing those that stood there at some moment since it was asked: all but the one whose interval went on.
   * @returns false where these are another class's, or somebody has thrown them away.
   */
  follow(gone: number, standing: number, nowMs: number): boolean {
    this.#go(nowMs);
    if (gone < this.#gone) return false;
    this.#gone = gone;
    const { atMs, taken } = this.#asked;
    const known = this.#intervals.length - this.#fresh.length;
    const least = known - (this.#taken - taken) - COUNT_SLACK;
    const most = known + (nowMs - atMs) / this.#schedule.meanMs + COUNT_SLACK;
    const counted = standing + 1;
    for (let n = counted; n < least && this.#intervals.length > 0; n++) this.#drop();
    // What was taken to be over is not; how long it was is not known any more.
    for (let n = counted; n > most; n--) this.#takeBack();
    return true;
  }

  /** What a millisecond of the plan takes. */
  get #scale(): number {
    return 1 - this.#average.bend;
  }

  #draw(): void {
    const intervalMs = this.#schedule.nextMs();
    const exact = (intervalMs / this.#schedule.meanMs) * SLOT_UNITS + this.#rest;
    const units = Math.max(1, Math.round(exact));
    this.#rest = exact - units;
    this.#units += units;
    this.#fresh.push(units);
    this.#intervals.push(intervalMs);
    this.#sumMs += intervalMs;
  }

  #drop(): void {
    this.#sumMs -= this.#intervals.shift()!;
    this.#doneMs = 0;
  }

  #takeBack(): void {
    const { meanMs } = this.#schedule;
    this.#intervals.unshift(meanMs);
    this.#sumMs += meanMs;
    this.#doneMs = 0;
  }

  /** Whatever is over by now is. */
  #go(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#owed -= this.#told * elapsedMs;
    let passedMs = elapsedMs / this.#scale + this.#doneMs;
    this.#atMs = nowMs;
    while (this.#intervals.length > 0 && passedMs >= this.#intervals[0]!) {
      passedMs -= this.#intervals[0]!;
      this.#owed += 1 - this.#doneMs / this.#intervals[0]!;
      this.#drop();
    }
    const [goesOnMs] = this.#intervals;
    if (goesOnMs === undefined) {
      // Nobody knows how many have left since the last that was drawn.
      this.#owed = 0;
      return;
    }
    this.#owed += (passedMs - this.#doneMs) / goesOnMs;
    this.#doneMs = passedMs;
  }

  /** Slots of the next so many milliseconds of the plan, parts of one too. */
  #slotsWithin(windowMs: number): number {
    let leftMs = windowMs;
    let slots = 0;
    let skippedMs = this.#doneMs;
    for (const intervalMs of this.#intervals) {
      const partMs = Math.min(leftMs, intervalMs - skippedMs);
      slots += partMs / intervalMs;
      leftMs -= partMs;
      skippedMs = 0;
      if (leftMs <= 0) break;
    }
    return slots;
  }
}

/**
 * A clock that is told the sum of n intervals is off by sd × √n / 2 slots after half of them (the bridge of a random walk).
 */
function slotsABeat(sdPercent: number, standing: number): number {
  const slots = ((2 * OFF_SHARE * standing) / (sdPercent / 100)) ** 2;
  return Math.min(MOST_SLOTS_A_BEAT, slots);
}
