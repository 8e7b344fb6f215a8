// Whether the intervals that follow what comes into a tunnel differ from all others.
//
// Not the interval in which something comes: at a moment that has nothing to do with the stream one falls into a long interval more often
// than into a short one (the inspection paradox), however clean the stream is.

import { maxT } from '../../core/analysis/statistics/permutation.ts';
import { binOf, quantileEdges } from '../../core/analysis/statistics/sample.ts';
import { seededRandom } from '../../core/random/random.ts';

/** One direction's intervals after what came, held against the others. */
export interface NextInterval {
  /** Slots that were the next to leave after something had come. */
  after: number;
  /** Which interval after such a slot is farthest from chance; 1 begins with it. */
  lag: number;
  /** The largest distance of its distribution from that of the others, and what 95 of 100 draws of chance stay below. */
  gap: number;
  nullHigh: number;
  /** Chance of anything as far out at any of the lags tried. */
  pValue: number;
}

export interface NextIntervalOptions {
  startS: number;
  endS: number;
  draws?: number;
  seed: number;
}

/** What came leaves as many slots later as stand encrypted; and what it does to the machine may go on for a while. */
const LAGS = [1, 2, 3, 5, 9, 17, 33, 65];
const BINS = 128;
const FEWEST_SLOTS = 30;
/** Moments are moved by at least this. */
const LEAST_SHIFT_S = 1;
const STREAM = 16;

/**
 * Chance turns the moments against the wire by a random stretch: so they keep how they follow each other, as the wire does, and what
 * comes still falls into long intervals.
 * @param slotsS when the stream's packets left
 * @param cameS when something came, at moments of its own; both in order of time
 * @returns null with too few slots of either kind
 */
export function testNextInterval(
  slotsS: ArrayLike<number>,
  cameS: readonly number[],
  { startS, endS, draws = 499, seed }: NextIntervalOptions,
): NextInterval | null {
  const moments = Float64Array.from(cameS.filter((timeS) => timeS >= startS && timeS < endS));
  const spanS = endS - startS;
  const next = nextSlots(slotsS, moments);
  if (spanS <= 2 * LEAST_SHIFT_S) return null;
  if (Math.min(next.length, slotsS.length - next.length) < FEWEST_SLOTS) return null;

  const gapsOf = measureGaps(slotsS);
  const drawn = LAGS.map(() => new Float64Array(draws));
  const random = seededRandom(seed, STREAM);
  for (let k = 0; k < draws; k++) {
    const shiftS = LEAST_SHIFT_S + random() * (spanS - 2 * LEAST_SHIFT_S);
    const gaps = gapsOf(nextSlots(slotsS, turnRound(moments, shiftS, endS, spanS)));
    for (let l = 0; l < LAGS.length; l++) drawn[l]![k] = gaps[l]!;
  }
  const tests = LAGS.map((lag) => ({ name: `${lag}`, twoSided: false }));
  const { results } = maxT(tests, gapsOf(next), drawn);
  const farthest = results.reduce((one, other) => (other.adjustedP < one.adjustedP ? other : one));
  return {
    after: next.length,
    lag: Number(farthest.name),
    gap: farthest.observed,
    nullHigh: farthest.nullHigh,
    pValue: farthest.adjustedP,
  };
}

/** The first slot after each moment, each but once. */
function nextSlots(slotsS: ArrayLike<number>, moments: Float64Array): Int32Array {
  const found = new Int32Array(moments.length);
  let count = 0;
  let slot = 0;
  for (const timeS of moments) {
    while (slot < slotsS.length && slotsS[slot]! <= timeS) slot++;
    if (slot === slotsS.length) break;
    if (count === 0 || found[count - 1] !== slot) found[count++] = slot;
  }
  return found.subarray(0, count);
}

/** All moments later by `shiftS`; those that would come after the end come at the beginning. */
function turnRound(
  moments: Float64Array,
  shiftS: number,
  endS: number,
  spanS: number,
): Float64Array {
  let first = moments.findIndex((timeS) => timeS + shiftS >= endS);
  if (first < 0) first = moments.length;
  const turned = new Float64Array(moments.length);
  for (let i = 0; i < moments.length; i++) {
    const from = (first + i) % moments.length;
    turned[i] = moments[from]! + shiftS - (from >= first ? spanS : 0);
  }
  return turned;
}

/** For each lag the largest gap between the distributions of the intervals at it and of all others. */
function measureGaps(slotsS: ArrayLike<number>): (slots: Int32Array) => number[] {
  const intervals = new Float64Array(slotsS.length - 1);
  for (let i = 0; i < intervals.length; i++) intervals[i] = slotsS[i + 1]! - slotsS[i]!;
  const edges = quantileEdges(intervals, BINS);
  const bins = Uint8Array.from(intervals, (interval) => binOf(edges, interval));
  const all = new Float64Array(edges.length + 1);
  for (const bin of bins) all[bin]!++;
  const own = new Float64Array(all.length);
  return (slots) =>
    LAGS.map((lag) => {
      own.fill(0);
      let count = 0;
      for (const slot of slots) {
        const interval = slot + lag - 1;
        if (interval >= bins.length) break;
        own[bins[interval]!]!++;
        count++;
      }
      let ownBelow = 0;
      let othersBelow = 0;
      let gap = 0;
      for (let b = 0; b < all.length; b++) {
        ownBelow += own[b]!;
        othersBelow += all[b]! - own[b]!;
        gap = Math.max(gap, Math.abs(ownBelow / count - othersBelow / (bins.length - count)));
      }
      return gap;
    });
}
