// Draws the intervals between slots: a pure schedule shared by the daemon and the simulator.
import type { Random } from '../random/random.ts';
import { sdBounds } from '../stream/stream.ts';
import { type Mode, modes, sdOf } from './modes.ts';

export interface ScheduleOptions {
  mode: Mode;
  /** Mean interval between slots. */
  meanMs: number;
  /** Standard deviation of the interval, percent of its mean; at most 40, of no consequence where the mode does not vary. */
  sdPercent: number;
  random: Random;
}

/** Intervals of one stream, independent of each other and of all traffic. */
export class IntervalSchedule {
  readonly meanMs: number;
  readonly sdMs: number;
  readonly #draw: () => number;

  constructor({ mode, meanMs, sdPercent, random }: ScheduleOptions) {
    if (!(meanMs > 0)) throw new RangeError(`meanMs: must be above 0, got ${meanMs}`);
    if (!(sdPercent >= 0 && sdPercent <= sdBounds.most)) {
      throw new RangeError(`sdPercent: must be between 0 and ${sdBounds.most}, got ${sdPercent}`);
    }
    this.meanMs = meanMs;
    this.sdMs = (meanMs * sdOf(mode, sdPercent)) / 100;
    this.#draw = modes[mode].createDraw(meanMs, this.sdMs, random);
  }

  /** The next interval, ms; above 0. */
  nextMs(): number {
    return this.#draw();
  }
}
