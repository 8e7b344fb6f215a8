// Puts input after input through one target, each told by its number alone.
import { drawFrom } from './mutation.ts';
import type { FuzzTarget } from './targets.ts';

export interface FuzzOptions {
  seed: number;
  count: number;
  /** Called before each input with its number. */
  onInput?: (number: number) => void;
}

/** How many inputs anything was taken of, and how many were refused whole. */
export interface FuzzCounts {
  taken: number;
  refused: number;
}

/** @throws Error that names the target, the seed and the input's number when anything but a refusal comes of it */
export async function fuzz(
  { name, prepare }: FuzzTarget,
  { seed, count, onInput }: FuzzOptions,
): Promise<FuzzCounts> {
  const counts = { taken: 0, refused: 0 };
  const exercise = prepare();
  for (let number = 0; number < count; number++) {
    onInput?.(number);
    try {
      // As the draws of one input are apart from the next one's, so are those of one seed.
      const outcome = exercise(drawFrom(Math.imul(seed, 0x85ebca6b) + number));
      counts[typeof outcome === 'string' ? outcome : await outcome]++;
    } catch (error) {
      throw new Error(`${name}, seed ${seed}, input ${number}: ${(error as Error).stack}`);
    }
  }
  return counts;
}
