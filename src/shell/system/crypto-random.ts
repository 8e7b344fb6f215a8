// Uniform numbers from the system's cryptographic generator: nobody can foresee the schedule.
import { randomFillSync } from 'node:crypto';

const pool = new Uint32Array(1024);
let at = pool.length;

/** A uniform number in [0, 1) with 53 random bits. */
export function cryptoRandom(): number {
  if (at + 2 > pool.length) {
    randomFillSync(pool);
    at = 0;
  }
  const high = pool[at++]! >>> 5;
  const low = pool[at++]! >>> 6;
  return (high * 67_108_864 + low) / 9_007_199_254_740_992;
}
