// Decides, from what was read back, whether devices may go on. Pure.
import { type Notice, notice } from '../notices/notice.ts';
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
): Notice[] {
  const root = listing.qdiscs.find(({ parent }) => parent === 'root');
  if (!root) return [notice('queue-unread')];
  if (root.kind !== 'htb' || root.handle !== ROOT_HANDLE) {
    return [notice('queue-replaced', { kind: root.kind })];
  }
  const faults: Notice[] = [];
  const wanted = new Set(minors.map(classId));
  for (const { id } of listing.classes) {
    if (!wanted.has(id)) faults.push(notice('queue-class-foreign', { class: id }));
  }
  for (const minor of minors) {
    if (!listing.classes.some(({ id }) => id === classId(minor))) {
      faults.push(notice('queue-class-missing', { class: classId(minor) }));
      continue;
    }
    if (bare.includes(minor)) continue;
    const leaf = listing.qdiscs.find(({ parent }) => parent === classId(minor));
    if (leaf?.kind !== LEAF_KIND || leaf.handle !== leafHandle(minor)) {
      faults.push(notice('queue-priorities-changed', { class: classId(minor) }));
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
 * @param home where it leads, at an endpoint; null for the one stream of a home.
 */
export function findStreamFaults(
  shape: Shape,
  perSecond: number | null,
  home: string | null = null,
): Notice[] {
  if (!isPaced(shape)) return [];
  if (perSecond === null) {
    return [home === null ? notice('stream-begun') : notice('home-stream-begun', { name: home })];
  }
  const share = perSecond / slotsPerSecond(shape);
  const slots = (slotsPerSecond(shape) * meterWindowMs(shape)) / 1000;
  // Few slots vary by chance: five standard deviations of their count, and the one at the edge.
  const chance = (5 * shape.sdPercent) / 100 / Math.sqrt(slots) + 1 / slots;
  if (share > TOO_FAST + chance) return [notice('stream-too-fast')];
  if (share >= TOO_SLOW - 1 / slots) return [];
  return [home === null ? notice('stream-stalls') : notice('home-stream-stalls', { name: home })];
}

/** Faults of the stream that arrives. */
export function findDownloadFaults(shape: Shape, perSecond: number | null): Notice[] {
  if (!isPaced(shape)) return [];
  if (perSecond === null) return [notice('endpoint-stream-begun')];
  return perSecond / slotsPerSecond(shape) < TOO_SLOW ? [notice('endpoint-stream-stopped')] : [];
}
