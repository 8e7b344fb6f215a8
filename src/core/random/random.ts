// A seeded source of uniform numbers, so that every simulation, every resampling and every tree can be run again.

/** A source of uniform numbers in [0, 1). */
export type Random = () => number;

/**
 * Uniform numbers in [0, 1) with 32 bits each, the same ones for the same seed and stream.
 * Generator: sfc32 (Doty-Humphrey, PractRand). Not for anything an observer must not guess.
 */
export function seededRandom(seed: number, stream = 0): Random {
  let a = 0;
  let b = seed | 0;
  let c = stream | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4294967296;
  };
  // The state starts almost empty; sfc32's author lets it run 12 rounds before the first use.
  for (let round = 0; round < 12; round++) next();
  return next;
}

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
