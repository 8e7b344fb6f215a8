// Draws the intervals between slots: a pure schedule shared by the daemon and the simulator.
import type { Random } from '../random/random.ts';

/** Draws farther than this many standard deviations from the mean are drawn again. */
export const TRUNCATION_SDS = 2.5;

/**
 * What truncation at {@link TRUNCATION_SDS} leaves of a normal distribution's standard deviation:
 * sqrt(1 - 2kφ(k)/(2Φ(k)-1)) with k = 2.5 (Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1, §13.10.1).
 * Symmetric truncation leaves the mean where it was.
 */
const TRUNCATED_SD_SHARE = 0.954582;

export interface ScheduleOptions {
  /** Mean interval between slots. */
  meanMs: number;
  /** Standard deviation of the interval, percent of its mean; 0 draws a constant. At most 40. */
  sdPercent: number;
  random: Random;
}

/**
 * Intervals T ~ N(mean, sd), truncated symmetrically and scaled so that the asked sd is what comes out; independent of
 * each other and of all traffic: the variable-interval-time padding (VIT) of Fu et al. 2003, which Apthorpe et al.
 * 2017, §7.6, name as the answer to timing jitter.
 */
export class IntervalSchedule {
  readonly meanMs: number;
  readonly sdMs: number;
  readonly #random: Random;
  #spare: number | null = null;

  constructor({ meanMs, sdPercent, random }: ScheduleOptions) {
    if (!(meanMs > 0)) throw new RangeError(`meanMs: must be above 0, got ${meanMs}`);
    if (!(sdPercent >= 0 && sdPercent <= 40)) {
      throw new RangeError(`sdPercent: must be between 0 and 40, got ${sdPercent}`);
    }
    this.meanMs = meanMs;
    this.sdMs = (meanMs * sdPercent) / 100;
    this.#random = random;
  }

  /** The next interval, ms; never at or below 0: 2.5 / 0.9546 × 40 % of the mean is still above -100 %… of it. */
  nextMs(): number {
    if (this.sdMs === 0) return this.meanMs;
    const interval = this.meanMs + (this.sdMs / TRUNCATED_SD_SHARE) * this.#truncatedNormal();
    return Math.max(interval, this.meanMs * 0.05);
  }

  #truncatedNormal(): number {
    for (;;) {
      const z = this.#normal();
      if (Math.abs(z) <= TRUNCATION_SDS) return z;
    }
  }

  /** Marsaglia's polar method: two normals from two uniforms, no trigonometry. */
  #normal(): number {
    if (this.#spare !== null) {
      const z = this.#spare;
      this.#spare = null;
      return z;
    }
    for (;;) {
      const u = 2 * this.#random() - 1;
      const v = 2 * this.#random() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const scale = Math.sqrt((-2 * Math.log(s)) / s);
        this.#spare = v * scale;
        return u * scale;
      }
    }
  }
}

/** Mean interval between slots of `packetBytes` at `rateKBps` (1 KB = 1000 bytes), ms. */
export function slotMs(rateKBps: number, packetBytes: number): number {
  return packetBytes / rateKBps;
}
