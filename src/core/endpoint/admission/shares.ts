// Whether homes get the slots they were promised, by what leaves for them last: at half of them they are cut off, this is said before. Pure.
import type { SlotMeter } from '../../home/slot-meter.ts';
import { listSome } from '../../notices/list.ts';
import type { Notice } from '../../notices/notice.ts';
import { isPaced, type Shape, slotsPerSecond } from '../../stream/stream.ts';
import { notice } from '../notice.ts';

/** Over so long. */
export const SHARE_WINDOW_MS = 60_000;
/** Less than this share is told. */
export const LEAST_SHARE = 0.95;
/** What of them is chance: the average is held over a window, whose two edges fall anywhere between slots. */
const EDGE_SLOTS = 3;

export interface Share {
  name: string;
  share: number;
}

/** What a home got of its slots in the last minute; null while that was not measured for as long, or nothing is promised. */
export function shareOf(meter: SlotMeter, shape: Shape): number | null {
  if (!isPaced(shape)) return null;
  const promised = slotsPerSecond(shape);
  const perSecond = meter.nearestPerSecond(SHARE_WINDOW_MS, promised);
  if (perSecond === null) return null;
  const count = (promised * SHARE_WINDOW_MS) / 1000;
  return Math.min(1, perSecond / promised + EDGE_SLOTS / count);
}

/** Those that get too little, the worst first. */
export function shortOf(shares: readonly Share[]): Share[] {
  return shares.filter(({ share }) => share < LEAST_SHARE).sort((a, b) => a.share - b.share);
}

/** Whether it is the server that can't keep up: more than half of the homes, and more than one, get too little. */
export function isServerShort(shares: readonly Share[]): boolean {
  const { length } = shortOf(shares);
  return length > 1 && 2 * length > shares.length;
}

export function shortNotice(short: readonly Share[]): Notice | null {
  const [worst] = short;
  if (!worst) return null;
  const percent = Math.floor(100 * worst.share);
  return notice('homes-short', { names: listSome(short.map(({ name }) => name)), percent });
}
