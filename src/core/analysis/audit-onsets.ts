// Superposed epochs: what the slots do right after devices begin, against what they do a little earlier or later.

import { drawIndex, type Random } from '../random/random.ts';
import type { Onset } from './audit-activity.ts';
import { type FamilyResult, type LabelTest, maxT } from './statistics/permutation.ts';
import { mean, quantileOfSorted } from './statistics/sample.ts';
import type { WirePacket } from './wire-features.ts';

export interface OnsetOptions {
  permutations: number;
  random: Random;
}

/** Fewest onsets of one kind that are tested. */
export const FEWEST_ONSETS = 5;

/** More onsets than this add time, not power. */
const MOST_ONSETS = 1500;

const KINDS: Record<Onset['follows'], string> = {
  nothing: 'where a device began',
  down: 'where a packet reached a device',
  either: 'where activity began',
};

/** How far onsets are moved to get the null, in seconds or slots, whichever is longer. */
const JITTER_S = 10;
const JITTER_SLOTS = 200;

/** A figure of the slots around one interval. */
interface EpochStatistic {
  name: string;
  /** By index of the interval in which the moment lies. */
  value: Float64Array;
  /** Whether it marks something rare, so that its sum over onsets is a count. */
  counts?: boolean;
}

type Stabiliser = (value: number) => number;

/** Where moments lie among the slots. */
interface Moments {
  /** Index of the interval each moment lies in. */
  index: Int32Array;
  /** From the moment to the slot that ends that interval. */
  waitMs: Float64Array;
}

interface Lane {
  timesS: Float64Array;
  clippedMs: Float64Array;
  statistics: EpochStatistic[];
  indexOf(timeS: number): number;
}

/**
 * Tests whether slots around onsets differ from slots around the same moments moved at random by some seconds (the
 * interval jitter of Amarasingham et al. 2012): that keeps whatever changes slowly and destroys what answers at once — an
 * extra slot, a slot off schedule, a pause of cover. Where the onset's own time follows the wire (packets from the tunnel),
 * the null's moments are moved on to a slot's end as well, and only figures of whole intervals beside it are compared: the
 * interval an onset falls into and the wait in it would differ in a clean stream too.
 * @returns null with too few onsets or packets
 */
export function testOnsets(
  packets: readonly WirePacket[],
  onsets: readonly Onset[],
  { permutations, random }: OnsetOptions,
): FamilyResult | null {
  const tests: Omit<LabelTest, 'statistic'>[] = [];
  const observed: number[] = [];
  const drawn: Float64Array[] = [];
  for (const direction of ['up', 'down'] as const) {
    const lane = readLane(packets, direction);
    if (!lane) continue;
    for (const follows of ['nothing', 'down', 'either'] as const) {
      const times = onsetsWithin(lane, onsets, follows, random);
      if (times.length < FEWEST_ONSETS) continue;
      const synchronous = follows === direction || follows === 'either';
      const kind = KINDS[follows];
      const at = momentsAt(lane, times);
      const nullAt = drawNull(lane, times, synchronous, permutations, random);
      const add = (name: string, figure: (moments: Moments) => number, stabilise?: Stabiliser) => {
        tests.push({ name: `${direction} ${name} ${kind}`, twoSided: true, stabilise });
        observed.push(figure(at));
        drawn.push(Float64Array.from(nullAt, figure));
      };
      for (const { name, value, counts } of lane.statistics) {
        const stabilise = (share: number) => Math.sqrt(share * times.length + 3 / 8);
        add(name, ({ index }) => meanAt(value, index), counts ? stabilise : undefined);
      }
      if (synchronous) continue;
      add('interval', ({ index }) => meanAt(lane.clippedMs, index));
      add('wait for the next slot', ({ waitMs }) => mean(waitMs));
    }
  }
  return tests.length ? maxT(tests, observed, drawn) : null;
}

function readLane(packets: readonly WirePacket[], direction: 'up' | 'down'): Lane | null {
  const timesS = Float64Array.from(
    packets.flatMap((packet) => (packet.direction === direction ? [packet.timeS] : [])),
  );
  if (timesS.length < 300) return null;
  const raw = new Float64Array(timesS.length - 1);
  for (let i = 0; i < raw.length; i++) raw[i] = (timesS[i + 1]! - timesS[i]!) * 1000;
  const sorted = raw.slice().sort();
  const low = quantileOfSorted(sorted, 0.001);
  const high = quantileOfSorted(sorted, 0.999);
  const clipped = raw.map((value) => Math.min(high, Math.max(low, value)));
  const rare = raw.map((value) => (value > high ? 1 : 0));
  const short = raw.map((value) => (value < low ? 1 : 0));
  const squared = clipped.map((value) => value * value);
  const mean8 = spanMean(clipped, 1, 8);
  const mean16 = spanMean(clipped, 1, 16);
  const square16 = spanMean(squared, 1, 16);
  const statistics: EpochStatistic[] = [
    { name: 'next interval', value: spanMean(clipped, 1, 1) },
    { name: 'mean of next 2 intervals', value: spanMean(clipped, 1, 2) },
    { name: 'shortest of next 4 intervals', value: spanLeast(clipped, 1, 4) },
    { name: 'mean of next 8 intervals', value: mean8 },
    { name: 'mean of next 64 intervals', value: spanMean(clipped, 1, 64) },
    { name: 'variance of next 16 intervals', value: mean16.map((m, i) => square16[i]! - m * m) },
    { name: 'gaps among next 9 intervals', value: spanMost(rare, 0, 8), counts: true },
    { name: 'very short among next 9 intervals', value: spanMost(short, 0, 8), counts: true },
    { name: 'mean of last 8 intervals', value: spanMean(clipped, -8, -1) },
    { name: 'shortest of last 8 intervals', value: spanLeast(clipped, -8, -1) },
    { name: 'gaps among last 8 intervals', value: spanMost(rare, -8, -1), counts: true },
    { name: 'very short among last 8 intervals', value: spanMost(short, -8, -1), counts: true },
  ];
  return {
    timesS,
    clippedMs: clipped,
    statistics,
    indexOf: (timeS) => {
      let from = 0;
      let to = timesS.length;
      while (from < to) {
        const middle = (from + to) >>> 1;
        if (timesS[middle]! <= timeS) from = middle + 1;
        else to = middle;
      }
      return from - 1;
    },
  };
}

/** Onsets of one kind that have slots on both sides, thinned to the most that are worth the time. */
function onsetsWithin(
  lane: Lane,
  onsets: readonly Onset[],
  follows: Onset['follows'],
  random: Random,
): Float64Array {
  const { timesS } = lane;
  const [startS, endS] = [timesS[16]!, timesS[timesS.length - 70]!];
  const chosen = onsets.filter(
    (onset) => onset.follows === follows && onset.timeS > startS && onset.timeS < endS,
  );
  while (chosen.length > MOST_ONSETS) chosen.splice(drawIndex(random, chosen.length), 1);
  return Float64Array.from(chosen, ({ timeS }) => timeS);
}

function drawNull(
  lane: Lane,
  times: Float64Array,
  synchronous: boolean,
  permutations: number,
  random: Random,
): Moments[] {
  const { timesS } = lane;
  const [startS, endS] = [timesS[16]!, timesS[timesS.length - 70]!];
  const slotS = (timesS.at(-1)! - timesS[0]!) / (timesS.length - 1);
  const reachS = Math.min(Math.max(JITTER_S, JITTER_SLOTS * slotS), (endS - startS) / 2);
  return Array.from({ length: permutations }, () => {
    const moments = momentsAt(
      lane,
      times.map((timeS) => {
        const moved = timeS + (2 * random() - 1) * reachS;
        if (moved < startS) return 2 * startS - moved;
        return moved > endS ? 2 * endS - moved : moved;
      }),
    );
    // A packet that came at a moment rides in the slot after next: two frames stand in the kernel.
    return synchronous ? { ...moments, index: moments.index.map((index) => index + 2) } : moments;
  });
}

function momentsAt(lane: Lane, times: Float64Array): Moments {
  const index = Int32Array.from(times, (timeS) => lane.indexOf(timeS));
  return { index, waitMs: times.map((timeS, k) => (lane.timesS[index[k]! + 1]! - timeS) * 1000) };
}

function meanAt(values: Float64Array, indices: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < indices.length; i++) sum += values[indices[i]!]!;
  return sum / indices.length;
}

/** Mean of values[i + from … i + to], cut at the ends of the recording. */
function spanMean(values: Float64Array, from: number, to: number): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let i = 0; i < values.length; i++) sums[i + 1] = sums[i]! + values[i]!;
  return values.map((value, i) => {
    const low = Math.max(0, i + from);
    const high = Math.min(values.length - 1, i + to);
    return high < low ? value : (sums[high + 1]! - sums[low]!) / (high - low + 1);
  });
}

function spanMost(values: Float64Array, from: number, to: number): Float64Array {
  return spanLeast(
    values.map((value) => -value),
    from,
    to,
  ).map((value) => -value);
}

function spanLeast(values: Float64Array, from: number, to: number): Float64Array {
  return values.map((value, i) => {
    let least = Number.POSITIVE_INFINITY;
    for (let k = Math.max(0, i + from); k <= Math.min(values.length - 1, i + to); k++) {
      least = Math.min(least, values[k]!);
    }
    return least === Number.POSITIVE_INFINITY ? value : least;
  });
}
