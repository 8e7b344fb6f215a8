// What a pacing mode is: how it draws the intervals between slots, and all that is said of it to people.
import type { Random } from '../../random/random.ts';

export interface PacingMode {
  /** False where every interval is the mean: `interval_sd` then has no part in it, and its stream's sdPercent is 0. */
  varies: boolean;
  /**
   * Makes the source of intervals, ms. They have this mean and standard deviation, are above 0 and independent of each other
   * (the simulator passes many at once as their sum) and of all traffic.
   */
  createDraw(meanMs: number, sdMs: number, random: Random): () => number;
  /** Shortest and longest interval at this standard deviation, as shares of the mean. */
  reach(sdPercent: number): { shortest: number; longest: number };
  words: ModeWords;
}

/** Sentences of a mode, each where a person reads it. */
export interface ModeWords {
  /** Follows the mode's name in the documentation: `varies the intervals between packets, …`. */
  does: string;
  /** On the page, a word to choose by. */
  label: string;
  /** On the page below the choice; '' for nothing. */
  hint: string;
  /** From `recommend` where it is the best found; '' where nothing speaks against it. */
  caution: string;
  /** In the lab's report after `iot-shaper, `, and the sentence below. */
  title: string;
  picture: string;
}
