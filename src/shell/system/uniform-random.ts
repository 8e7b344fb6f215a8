// Uniform numbers from the system's cryptographic generator: nobody can foresee the schedule.
import type { System } from './system.ts';

/**
 * Drawn at once: a draw of its own for each number would cost more than the number. Used up within a second or so, before it
 * grows old, for what is old waits long for the collector.
 */
const POOL_BYTES = 512;

/** Makes a source of uniform numbers in [0, 1) with 53 random bits each. */
export function uniformRandom(system: Pick<System, 'randomBytes'>): () => number {
  let pool: DataView = new DataView(new ArrayBuffer(0));
  let at = 0;
  return () => {
    if (at + 8 > pool.byteLength) {
      const { buffer, byteOffset, byteLength } = system.randomBytes(POOL_BYTES);
      pool = new DataView(buffer, byteOffset, byteLength);
      at = 0;
    }
    const high = pool.getUint32(at) >>> 5;
    const low = pool.getUint32(at + 4) >>> 6;
    at += 8;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  };
}
