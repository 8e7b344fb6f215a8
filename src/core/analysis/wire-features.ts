// What an observer at the provider can compute per window from times, sizes and directions alone.
import { quantileOfSorted } from './statistics/sample.ts';

/** A packet as the provider sees it; `up` leaves the home. */
export interface WirePacket {
  timeS: number;
  bytes: number;
  direction: 'up' | 'down';
}

export interface WireFeatures {
  names: string[];
  /** One row a window, one value a name; NaN where a window holds too few packets to say. */
  rows: Float64Array[];
  windowS: number;
  startS: number;
}

export interface WindowOptions {
  /** Where the first window begins, seconds. */
  startS: number;
  windowS: number;
  /** How many whole windows follow. */
  windows: number;
}

const DIRECTIONS = ['up', 'down'] as const;

const NAMES = [
  'packets',
  'bytes',
  'size mean',
  'size sd',
  'size min',
  'distinct sizes',
  'interval mean',
  'interval sd',
  'interval min',
  'interval max',
  'interval q10',
  'interval q25',
  'interval q50',
  'interval q75',
  'interval q90',
  'interval skew',
  'interval entropy',
  'autocorrelation 1',
  'autocorrelation 2',
  'autocorrelation 3',
  'short intervals',
  'long intervals',
  'bursts',
  'spectrum slow',
  'spectrum middle',
  'spectrum fast',
] as const;

/** Of both directions together: what a question and its answer would leave. */
const JOINT_NAMES = ['surplus up', 'answer mean', 'answer sd', 'answer min'] as const;

/**
 * Features of each window, per direction: counts, bytes, sizes, moments, quantiles and entropy of the intervals, their
 * autocorrelation at lags 1 to 3, shares of short (below half the mean) and long (over 1.5 means) intervals, bursts (two
 * short intervals in a row), and the spectrum of the intervals in three bands. Of both directions: how many more went up,
 * and how long after each packet up the next one down came (mean, deviation, least).
 * @param packets in order of time
 */
export function wireFeatures(
  packets: readonly WirePacket[],
  { startS, windowS, windows }: WindowOptions,
): WireFeatures {
  const names: string[] = [];
  const width = NAMES.length * 2 + JOINT_NAMES.length;
  const rows = Array.from({ length: windows }, () => new Float64Array(width));
  DIRECTIONS.forEach((direction, side) => {
    for (const name of NAMES) names.push(`${direction} ${name}`);
    const own = packets.filter((packet) => packet.direction === direction);
    const meanMs =
      own.length > 1 ? ((own.at(-1)!.timeS - own[0]!.timeS) * 1000) / (own.length - 1) : 1;
    let next = own.findIndex((packet) => packet.timeS >= startS);
    if (next < 0) next = own.length;
    for (let w = 0; w < windows; w++) {
      const endS = startS + (w + 1) * windowS;
      const from = next;
      while (next < own.length && own[next]!.timeS < endS) next++;
      rows[w]!.set(windowFeatures(own, from, next, meanMs), side * NAMES.length);
    }
  });
  for (const name of JOINT_NAMES) names.push(name);
  const joint = jointFeatures(packets, { startS, windowS, windows });
  joint.forEach((features, w) => {
    rows[w]!.set(features, NAMES.length * 2);
  });
  return { names, rows, windowS, startS };
}

/** Features of own[from…to); an interval belongs to the window in which it ends. */
function windowFeatures(
  own: readonly WirePacket[],
  from: number,
  to: number,
  meanMs: number,
): number[] {
  const packets = to - from;
  let bytes = 0;
  let squares = 0;
  let smallest = Number.POSITIVE_INFINITY;
  const sizes = new Set<number>();
  for (let i = from; i < to; i++) {
    const size = own[i]!.bytes;
    bytes += size;
    squares += size * size;
    smallest = Math.min(smallest, size);
    sizes.add(size);
  }
  const sizeMean = bytes / packets;
  const sizeSd = Math.sqrt(Math.max(0, squares / packets - sizeMean * sizeMean));
  const intervals: number[] = [];
  for (let i = Math.max(from, 1); i < to; i++) {
    intervals.push((own[i]!.timeS - own[i - 1]!.timeS) * 1000);
  }
  return [
    packets,
    bytes,
    sizeMean,
    // Rounding of equal sizes must not look like a spread.
    sizes.size === 1 ? 0 : sizeSd,
    packets ? smallest : Number.NaN,
    sizes.size,
    ...intervalFeatures(intervals, meanMs),
  ];
}

/** Per window {@link JOINT_NAMES}; a packet up belongs to the window in which it left. */
function jointFeatures(
  packets: readonly WirePacket[],
  { startS, windowS, windows }: WindowOptions,
): number[][] {
  const surplus = new Float64Array(windows);
  const lags: number[][] = Array.from({ length: windows }, () => []);
  let downS = Number.NaN;
  // From the end, so that the next packet down is known.
  for (let i = packets.length - 1; i >= 0; i--) {
    const { timeS, direction } = packets[i]!;
    const window = Math.floor((timeS - startS) / windowS);
    const inside = window >= 0 && window < windows;
    if (inside) surplus[window]! += direction === 'up' ? 1 : -1;
    if (direction === 'down') downS = timeS;
    else if (inside && !Number.isNaN(downS)) lags[window]!.push((downS - timeS) * 1000);
  }
  return lags.map((own, w) => {
    if (own.length < 4) return [surplus[w]!, Number.NaN, Number.NaN, Number.NaN];
    let sum = 0;
    let least = Number.POSITIVE_INFINITY;
    for (const lag of own) {
      sum += lag;
      least = Math.min(least, lag);
    }
    const mean = sum / own.length;
    let squares = 0;
    for (const lag of own) squares += (lag - mean) ** 2;
    return [surplus[w]!, mean, Math.sqrt(squares / own.length), least];
  });
}

function intervalFeatures(intervals: number[], meanMs: number): number[] {
  const n = intervals.length;
  if (n < 4) return new Array<number>(NAMES.length - 6).fill(Number.NaN);
  const sorted = Float64Array.from(intervals).sort();
  let mean = 0;
  for (const interval of intervals) mean += interval / n;
  let second = 0;
  let third = 0;
  for (const interval of intervals) {
    const away = interval - mean;
    second += (away * away) / n;
    third += (away * away * away) / n;
  }
  const sd = Math.sqrt(second);
  const autocorrelation = (lag: number): number => {
    if (n <= lag + 2 || second === 0) return 0;
    let sum = 0;
    for (let i = lag; i < n; i++) sum += (intervals[i]! - mean) * (intervals[i - lag]! - mean);
    return sum / n / second;
  };
  let short = 0;
  let long = 0;
  let bursts = 0;
  for (let i = 0; i < n; i++) {
    if (intervals[i]! < meanMs / 2) {
      short++;
      if (i > 0 && intervals[i - 1]! < meanMs / 2) bursts++;
    } else if (intervals[i]! > meanMs * 1.5) long++;
  }
  return [
    mean,
    sd,
    sorted[0]!,
    sorted[n - 1]!,
    quantileOfSorted(sorted, 0.1),
    quantileOfSorted(sorted, 0.25),
    quantileOfSorted(sorted, 0.5),
    quantileOfSorted(sorted, 0.75),
    quantileOfSorted(sorted, 0.9),
    sd > 0 ? third / (second * sd) : 0,
    histogramEntropy(sorted, meanMs / 8),
    autocorrelation(1),
    autocorrelation(2),
    autocorrelation(3),
    short / n,
    long / n,
    bursts / n,
    ...spectrum(intervals, mean, second),
  ];
}

function histogramEntropy(sorted: Float64Array, binMs: number): number {
  let bits = 0;
  for (let from = 0; from < sorted.length; ) {
    const bin = Math.floor(sorted[from]! / binMs);
    let to = from + 1;
    while (to < sorted.length && Math.floor(sorted[to]! / binMs) === bin) to++;
    const share = (to - from) / sorted.length;
    bits -= share * Math.log2(share);
    from = to;
  }
  return bits;
}

/** Share of the intervals' variance at periods of about 16, 6 and 3 packets (Goertzel, three frequencies a band). */
function spectrum(intervals: number[], mean: number, second: number): number[] {
  const n = intervals.length;
  return [1 / 16, 1 / 6, 1 / 3].map((band) => {
    if (second === 0) return 0;
    let power = 0;
    for (const frequency of [band * 0.85, band, band * 1.15]) {
      const k = 2 * Math.cos(2 * Math.PI * frequency);
      let before = 0;
      let last = 0;
      for (const interval of intervals) {
        const now = interval - mean + k * last - before;
        before = last;
        last = now;
      }
      power += last * last + before * before - k * last * before;
    }
    return power / (3 * n * second);
  });
}
