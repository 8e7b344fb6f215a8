// Decides, from what was read back, whether devices may go on: pure, every fault in a person's words.
import { ROOT_HANDLE } from '../plan/names.ts';
import { classId, LEAF_KIND, leafHandle } from '../plan/tc.ts';
import type { TcListing } from '../plan/tc-listing.ts';
import { isPaced, type Shape, slotsPerSecond, waitPerSlotMs } from '../stream/stream.ts';

/** Share of the slots asked below which the stream is broken, above which it is not held back. */
const TOO_SLOW = 0.5;
const TOO_FAST = 1.2;

/** What was read back about the queue. */
export interface QueueEvidence {
  listing: TcListing;
  /** Minors of exactly the classes that ought to be there. */
  minors: readonly number[];
}

/**
 * Faults of the queue's structure: a class too many is as bad as one too few.
 *
 * @param bare minors of classes that have no leaf of ours.
 */
export function findQueueFaults(
  { listing, minors }: QueueEvidence,
  bare: readonly number[] = [],
): string[] {
  const root = listing.qdiscs.find(({ parent }) => parent === 'root');
  if (!root) return ['the queue that keeps the schedule can’t be read'];
  if (root.kind !== 'htb' || root.handle !== ROOT_HANDLE) {
    return [`the queue that keeps the schedule was replaced by ${root.kind}`];
  }
  const faults: string[] = [];
  const wanted = new Set(minors.map(classId));
  for (const { id } of listing.classes) {
    if (!wanted.has(id)) faults.push(`the queue has a class ${id} that is not ours`);
  }
  for (const minor of minors) {
    if (!listing.classes.some(({ id }) => id === classId(minor))) {
      faults.push(`the queue’s class ${classId(minor)} is missing`);
      continue;
    }
    if (bare.includes(minor)) continue;
    const leaf = listing.qdiscs.find(({ parent }) => parent === classId(minor));
    if (leaf?.kind !== LEAF_KIND || leaf.handle !== leafHandle(minor)) {
      faults.push(`the priorities in the queue’s class ${classId(minor)} were changed`);
    }
  }
  return faults;
}

/** Window over which slots are counted: two seconds, or six slots of a slow stream. */
export function meterWindowMs(shape: Shape): number {
  return Math.max(1900, 6 * waitPerSlotMs(shape));
}

/**
 * Faults of a stream that leaves; null = not measured for long enough yet, which is one.
 *
 * @param name of the stream in a sentence.
 */
export function findStreamFaults(
  shape: Shape,
  perSecond: number | null,
  name = 'the stream to the endpoint',
): string[] {
  if (!isPaced(shape)) return [];
  if (perSecond === null) return [`${name} has only just begun`];
  const share = perSecond / slotsPerSecond(shape);
  const slots = (slotsPerSecond(shape) * meterWindowMs(shape)) / 1000;
  // Few slots vary by chance: five standard deviations of their count, and the one at the edge.
  const chance = (5 * shape.sdPercent) / 100 / Math.sqrt(slots) + 1 / slots;
  if (share > TOO_FAST + chance) return ['packets leave faster than the schedule'];
  if (share < TOO_SLOW - 1 / slots) return [`${name} stalls`];
  return [];
}

/** Faults of the stream that arrives. */
export function findDownloadFaults(shape: Shape, perSecond: number | null): string[] {
  if (!isPaced(shape)) return [];
  if (perSecond === null) return ['the endpoint’s stream has only just begun'];
  return perSecond / slotsPerSecond(shape) < TOO_SLOW
    ? ['the endpoint stopped sending its stream']
    : [];
}
