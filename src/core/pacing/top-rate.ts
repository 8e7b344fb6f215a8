// The highest rate at which intervals still have the spread that is asked for, by how late this machine's timers are. Pure.
import type { Shape } from '../stream/stream.ts';

/**
 * Never refused, whatever was measured: there each slot has a draw of its own and, with packets of the usual size, 5 ms, beside
 * which no timer of a machine that works is late. A measure that failed is no reason to leave a home without shaping.
 */
export const ALWAYS_HELD_KBPS = 100;

/**
 * Spread that departures have on the wire, fitted to what docs/performance.md measured on one machine (17 µs at 1,000 KB/s, 25 to
 * 33 at 2,000): a packet that OpenVPN is busy with keeps the next one waiting, and a timer is anything from on time, where the
 * processor is awake, to as late as one that wakes it.
 */
const BUSY_MS = 0.012;
const LATE_SHARE = 0.4;
/** Independent spreads add up as squares: sqrt(1 + 0.2²) = 1.02, the 2 % that intervals may be off. */
const MOST_SHARE = 0.2;
/** Nobody needs it any finer. */
const STEP_KBPS = 10;

/** KB/s up to which it is held; no bound where intervals are not varied. @param lateMs how late this machine's timers are */
export function topRateKBps(
  { packetBytes, sdPercent }: Pick<Shape, 'packetBytes' | 'sdPercent'>,
  lateMs: number,
): number {
  if (sdPercent === 0) return Number.POSITIVE_INFINITY;
  const leastSdMs = (BUSY_MS + LATE_SHARE * lateMs) / MOST_SHARE;
  const top = (packetBytes * sdPercent) / 100 / leastSdMs;
  return Math.max(ALWAYS_HELD_KBPS, Math.floor(top / STEP_KBPS) * STEP_KBPS);
}
