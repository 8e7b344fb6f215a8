// Decides, from what was read back, whether devices may go on. Pure.

import { type Notice, notice } from '../notices/notice.ts';
import { CLOCK_HANDLE, ROOT_HANDLE } from '../plan/names.ts';
import { type ClockChains, clockLeaf } from '../plan/outer-clock.ts';
import { clockClasses, spacerLeaf } from '../plan/spacers.ts';
import { classId, LEAF_KIND, leafHandle } from '../plan/tc.ts';
import type { QueueListing, TcListing } from '../plan/tc-listing.ts';
import { isPaced, type Shape, slotsPerSecond, waitPerSlotMs } from '../stream/stream.ts';

/** Share of the slots below which next to none are there. */
const NONE = 0.1;
/** Share of the slots asked below which the stream is broken, above which it is not held back. */
const TOO_SLOW = 0.5;
const TOO_FAST = 1.2;
/** What is proposed where less than half of a stream comes: how much less is known once half of it comes. */
const THIN_FITS = 0.4;

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
  const wanted = new Set(minors.map((minor) => classId(minor)));
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

/** Faults of the queue of the clock behind OpenVPN. */
export function findClockFaults({ clock }: TcListing, minor: number): Notice[] {
  const root = clock?.qdiscs.find(({ parent }) => parent === 'root');
  const isWhole =
    root?.kind === 'htb' &&
    root.handle === CLOCK_HANDLE &&
    clock?.classes.length === Object.keys(clockClasses(minor)).length;
  return isWhole ? findClockClassFaults(clock, minor) : [notice('outer-clock-gone')];
}

/** Faults of one stream's classes there. */
export function findClockClassFaults({ classes, qdiscs }: QueueListing, minor: number): Notice[] {
  const ids = clockClasses(minor);
  const hasLeaf = (id: string, handle: string): boolean =>
    qdiscs.some((leaf) => leaf.parent === id && leaf.kind === 'pfifo' && leaf.handle === handle);
  const isWhole =
    Object.values(ids).every((id) => classes.some((one) => one.id === id)) &&
    hasLeaf(ids.slots, clockLeaf(minor)) &&
    hasLeaf(ids.spacers, spacerLeaf(minor));
  return isWhole ? [] : [notice('outer-clock-gone')];
}

/** Whether far less is counted than a paced stream ought to make. */
export function isStalled(shape: Shape, perSecond: number): boolean {
  return isPaced(shape) && perSecond < TOO_SLOW * slotsPerSecond(shape);
}

/** Whether a stream leaves, but next to nothing of it was ever led to the clock behind OpenVPN. */
export function isBypassed({ upload, clockedPerSecond, chains }: Clocked): boolean {
  if (clockedPerSecond === null || chains === null || !isStalled(upload, clockedPerSecond)) {
    return false;
  }
  return chains.ledPackets < (NONE * slotsPerSecond(upload) * meterWindowMs(upload)) / 1000;
}

interface Clocked {
  upload: Shape;
  clockedPerSecond: number | null;
  chains: ClockChains | null;
}

/** Window over which slots are counted: two seconds, or six slots of a slow stream. */
export function meterWindowMs(shape: Shape): number {
  return Math.max(1900, 6 * waitPerSlotMs(shape));
}

/** The same at a start, so that devices do not wait for it: half as long, and no fewer than twenty slots where the other has as many. */
function firstWindowMs(shape: Shape): number {
  return Math.min(meterWindowMs(shape), Math.max(850, 20 * waitPerSlotMs(shape)));
}

/**
 * Slots a second of a stream, or null while they were not counted for long enough.
 *
 * @param count slots a second over a window, or null.
 * @param starts whether less is enough to find it in order; to find it broken takes the whole window.
 */
export function measureStream(
  shape: Shape,
  count: (windowMs: number) => number | null,
  starts: boolean,
): number | null {
  const whole = count(meterWindowMs(shape));
  if (whole !== null || !starts) return whole;
  const first = count(firstWindowMs(shape));
  const share = (first ?? 0) / slotsPerSecond(shape);
  return share >= TOO_SLOW && share <= TOO_FAST ? first : null;
}

/**
 * Faults of a stream that leaves; null = not measured for long enough yet, which is one.
 *
 * @param home where it leads, at an endpoint; null for the one stream of a home.
 * @param isGoing whether anything of a home's has left in the last second.
 */
export function findStreamFaults(
  shape: Shape,
  perSecond: number | null,
  home: string | null = null,
  isGoing = false,
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
  if (home !== null) return [notice('home-stream-stalls', { name: home })];
  return [
    isGoing ? notice('stream-thin', thinValues(shape, 'upload_rate')) : notice('stream-stalls'),
  ];
}

/**
 * Faults of the stream that arrives.
 *
 * @param isComing whether anything of it has come in the last second.
 */
export function findDownloadFaults(
  shape: Shape,
  perSecond: number | null,
  isComing = false,
): Notice[] {
  if (!isPaced(shape)) return [];
  if (perSecond === null) return [notice('endpoint-stream-begun')];
  if (perSecond / slotsPerSecond(shape) >= TOO_SLOW) return [];
  if (!isComing) return [notice('endpoint-stream-stopped')];
  return [notice('endpoint-stream-thin', thinValues(shape, 'download_rate'))];
}

/** To be typed as it is. */
export function rateCommand(option: string, rateKBps: number): string {
  return `uci set iotshaper.main.${option}=${rateKBps}; uci commit iotshaper; reload_config`;
}

/** What the line might not carry, and a rate to try in its place. */
function thinValues({ rateKBps: rate }: Shape, option: string) {
  const fits = Number((rate * THIN_FITS).toPrecision(2));
  return { rate, fits, command: rateCommand(option, fits) };
}
