// Intervals between packets under idleness and activity: KS, variance and entropy, each against a permutation null.

import type { Random } from '../random/random.ts';
import type { WindowLabels } from './audit-activity.ts';
import { kolmogorovSmirnov } from './statistics/kolmogorov-smirnov.ts';
import {
  type DetectorResult,
  detectByStatistic,
  entropyBits,
  sampleVariance,
} from './statistics/link-padding.ts';
import { type FamilyResult, type LabelTest, testLabels } from './statistics/permutation.ts';
import { binOf, mean, quantileEdges, quantileOfSorted, variance } from './statistics/sample.ts';
import type { WirePacket } from './wire-features.ts';

/** Intervals in milliseconds with the window in which each ends. */
export interface WindowedIntervals {
  direction: 'up' | 'down';
  intervalMs: Float64Array;
  window: Int32Array;
  windows: number;
}

export interface IntervalFigures {
  direction: 'up' | 'down';
  idle: { n: number; meanMs: number; sdMs: number };
  active: { n: number; meanMs: number; sdMs: number };
  /** Two-sample KS; its p assumes independent intervals, the audit's verdict rests on permutations instead. */
  ks: { statistic: number; pValue: number };
  /** Fu et al.'s detectors, per length of sample; empty where there are too few intervals. */
  varianceDetectors: DetectorResult[];
  entropyDetectors: DetectorResult[];
}

const SAMPLE_LENGTHS = [100, 400, 1600];
const KS_BINS = 128;

/** Fewest ticks of either kind that are tested. */
const FEWEST_TICKS = 40;

/**
 * Tests all intervals, told apart by whether devices were active in the tick in which each ends.
 * @returns null with too few ticks of either kind
 */
export function testIntervals(
  packets: readonly WirePacket[],
  startS: number,
  tickS: number,
  { labels, active, idle }: WindowLabels,
  options: { permutations: number; random: Random },
): FamilyResult | null {
  if (Math.min(active, idle) < FEWEST_TICKS) return null;
  const place = { startS, windowS: tickS, windows: labels.length };
  const tests = (['up', 'down'] as const).flatMap((direction) =>
    intervalTests(windowIntervals(packets, direction, place)),
  );
  const blockLength = Math.ceil(Math.max(10 / tickS, labels.length / 60));
  return tests.length ? testLabels(tests, labels, { ...options, blockLength }) : null;
}

/** Intervals of one direction, those that end in one of the windows. */
export function windowIntervals(
  packets: readonly WirePacket[],
  direction: 'up' | 'down',
  { startS, windowS, windows }: { startS: number; windowS: number; windows: number },
): WindowedIntervals {
  const intervals: number[] = [];
  const places: number[] = [];
  let before = Number.NaN;
  for (const packet of packets) {
    if (packet.direction !== direction) continue;
    const window = Math.floor((packet.timeS - startS) / windowS);
    if (!Number.isNaN(before) && window >= 0 && window < windows) {
      intervals.push((packet.timeS - before) * 1000);
      places.push(window);
    }
    before = packet.timeS;
  }
  return {
    direction,
    intervalMs: Float64Array.from(intervals),
    window: Int32Array.from(places),
    windows,
  };
}

/** The tests on one direction's intervals; none where there are too few. */
function intervalTests(intervals: WindowedIntervals): LabelTest[] {
  const { direction, intervalMs, window, windows } = intervals;
  if (intervalMs.length < 50) return [];
  const sorted = intervalMs.slice().sort();
  // One hiccup of the machine would rule a variance: clip the outermost half per cent.
  const low = quantileOfSorted(sorted, 0.005);
  const high = quantileOfSorted(sorted, 0.995);
  const center = mean(intervalMs);
  const moments = new Float64Array(windows * 3);
  const ksEdges = quantileEdges(intervalMs, KS_BINS);
  const ksWidth = ksEdges.length + 1;
  const ksCounts = new Uint32Array(windows * ksWidth);
  const step = Math.max((high - low) / 24, Number.MIN_VALUE);
  const entropyWidth = 25;
  const entropyCounts = new Uint32Array(windows * entropyWidth);
  for (let i = 0; i < intervalMs.length; i++) {
    const w = window[i]!;
    const value = Math.min(high, Math.max(low, intervalMs[i]!));
    moments[w * 3]!++;
    moments[w * 3 + 1]! += value - center;
    moments[w * 3 + 2]! += (value - center) ** 2;
    ksCounts[w * ksWidth + binOf(ksEdges, intervalMs[i]!)]!++;
    entropyCounts[w * entropyWidth + Math.min(24, Math.floor((value - low) / step))]!++;
  }
  const momentSums = sumBySide(moments, 3);
  const ksSums = sumBySide(ksCounts, ksWidth);
  const entropySums = sumBySide(entropyCounts, entropyWidth);
  return [
    {
      name: `${direction} KS`,
      twoSided: false,
      statistic: (labels) => {
        const [idle, active] = ksSums(labels);
        return largestGap(idle, active);
      },
    },
    {
      name: `${direction} variance`,
      twoSided: true,
      statistic: (labels) => {
        const [idle, active] = momentSums(labels);
        return Math.log(varianceOfSums(active) / varianceOfSums(idle));
      },
    },
    {
      name: `${direction} entropy`,
      twoSided: true,
      statistic: (labels) => {
        const [idle, active] = entropySums(labels);
        return entropyOfCounts(active) - entropyOfCounts(idle);
      },
    },
  ];
}

/** What the intervals look like, idle and active: figures to report beside the tests. */
export function describeIntervals(
  intervals: WindowedIntervals,
  labels: Uint8Array,
): IntervalFigures {
  const { direction, intervalMs, window } = intervals;
  const idle = intervalMs.filter((_, i) => !labels[window[i]!]);
  const active = intervalMs.filter((_, i) => labels[window[i]!]);
  const moments = (values: Float64Array) => ({
    n: values.length,
    meanMs: mean(values),
    sdMs: Math.sqrt(variance(values)),
  });
  const bin = mean(intervalMs) / 8;
  const detectors = (statistic: (sample: Float64Array) => number) =>
    SAMPLE_LENGTHS.flatMap((length) => detectByStatistic(idle, active, length, statistic) ?? []);
  return {
    direction,
    idle: moments(idle),
    active: moments(active),
    ks:
      idle.length && active.length ? kolmogorovSmirnov(idle, active) : { statistic: 0, pValue: 1 },
    varianceDetectors: detectors(sampleVariance),
    entropyDetectors: detectors((sample) => entropyBits(sample, bin)),
  };
}

/** Sums of each window's `width` values over idle and over active windows. */
function sumBySide(
  values: ArrayLike<number>,
  width: number,
): (labels: Uint8Array) => [idle: Float64Array, active: Float64Array] {
  const all = new Float64Array(width);
  for (let i = 0; i < values.length; i++) all[i % width]! += values[i]!;
  const idle = new Float64Array(width);
  const active = new Float64Array(width);
  return (labels) => {
    active.fill(0);
    for (let w = 0; w < labels.length; w++) {
      if (!labels[w]) continue;
      const from = w * width;
      for (let k = 0; k < width; k++) active[k]! += values[from + k]!;
    }
    for (let k = 0; k < width; k++) idle[k] = all[k]! - active[k]!;
    return [idle, active];
  };
}

function largestGap(idle: Float64Array, active: Float64Array): number {
  let idleTotal = 0;
  let activeTotal = 0;
  for (let k = 0; k < idle.length; k++) {
    idleTotal += idle[k]!;
    activeTotal += active[k]!;
  }
  let idleBelow = 0;
  let activeBelow = 0;
  let gap = 0;
  for (let k = 0; k < idle.length; k++) {
    idleBelow += idle[k]!;
    activeBelow += active[k]!;
    gap = Math.max(gap, Math.abs(idleBelow / idleTotal - activeBelow / activeTotal));
  }
  return gap;
}

function varianceOfSums([n, sum, squares]: ArrayLike<number> & Iterable<number>): number {
  return (squares! - (sum! * sum!) / n!) / n!;
}

function entropyOfCounts(counts: Float64Array): number {
  let total = 0;
  for (const count of counts) total += count;
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / total) * Math.log2(count / total);
  // Miller and Madow: fewer observations make an entropy look smaller than it is.
  return bits + (counts.length - 1) / (2 * total * Math.LN2);
}
