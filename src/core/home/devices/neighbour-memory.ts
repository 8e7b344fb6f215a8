// Neighbours that the kernel has forgotten, or reaches no longer, since they have been quiet: a device stays one. Pure.
import type { Neighbour } from './device-table.ts';

const KEEP_MS = 24 * 3_600_000;
const MOST = 1024;

/** Remembers for a day who was seen, on which netdev and at which address. */
export class NeighbourMemory {
  readonly #seen = new Map<string, { neighbour: Neighbour; seenMs: number }>();

  /** All that are there now, and those that were lately and whose address nobody else has. */
  observe(neighbours: readonly Neighbour[], nowMs: number): Neighbour[] {
    for (const neighbour of neighbours) {
      if (!neighbour.lladdr || neighbour.state?.includes('FAILED')) continue;
      const key = `${neighbour.dev} ${neighbour.dst}`;
      this.#seen.delete(key); // so that who was seen last stands last
      this.#seen.set(key, { neighbour, seenMs: nowMs });
    }
    for (const [key, { seenMs }] of this.#seen) {
      if (nowMs - seenMs > KEEP_MS || this.#seen.size > MOST) this.#seen.delete(key);
    }
    return [...this.#seen.values()].map(({ neighbour }) => neighbour);
  }
}
