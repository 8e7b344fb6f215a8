// Seeded randomness of the analysis: every resampling and every tree can be run again.
import { seededRandom } from '../simulation/random.ts';

export { seededRandom };

/** A source of uniform numbers in [0, 1). */
export type Random = () => number;

/** An integer in [0, `below`). */
export function drawIndex(random: Random, below: number): number {
  return Math.min(below - 1, Math.floor(random() * below));
}

/** Shuffles in place (Fisher and Yates) and returns the same array. */
export function shuffle<T extends { [index: number]: number; length: number }>(
  items: T,
  random: Random,
): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = drawIndex(random, i + 1);
    const kept = items[i]!;
    items[i] = items[j]!;
    items[j] = kept;
  }
  return items;
}
