// Area under the ROC curve: how well a score tells active from idle, with its uncertainty.
import { drawIndex, type Random } from '../../random/random.ts';
import { normalQuantile } from './normal.ts';
import { quantileOfSorted, ranks } from './sample.ts';

export interface Interval {
  value: number;
  low: number;
  high: number;
}

/**
 * AUC = P(score of a positive > score of a negative) + half the ties: the Mann–Whitney statistic.
 * @param labels 1 = positive, 0 = negative
 * @returns NaN where one class is empty
 */
export function auc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  return aucOfRanks(ranks(scores), labels);
}

/** AUC from ranks computed once: what a permutation of labels needs. */
export function aucOfRanks(rank: ArrayLike<number>, labels: ArrayLike<number>): number {
  let positives = 0;
  let rankSum = 0;
  for (let i = 0; i < labels.length; i++) {
    if (!labels[i]) continue;
    positives++;
    rankSum += rank[i]!;
  }
  const negatives = labels.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/**
 * AUC with the confidence interval of DeLong, DeLong and Clarke-Pearson 1988 (placement values, in the O(n log n) form
 * of Sun and Xu 2014). Right for *independent* windows; where neighbouring windows depend on each other use
 * {@link aucBlockBootstrap}.
 */
export function aucDeLong(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  confidence = 0.95,
): Interval {
  const all = ranks(scores);
  const own: [number[], number[]] = [[], []];
  const rankInAll: [number[], number[]] = [[], []];
  for (let i = 0; i < labels.length; i++) {
    const side = labels[i] ? 1 : 0;
    own[side].push(scores[i]!);
    rankInAll[side].push(all[i]!);
  }
  const [negatives, positives] = [own[0].length, own[1].length];
  if (negatives < 2 || positives < 2) return { value: Number.NaN, low: 0, high: 1 };
  const value = aucOfRanks(all, labels);
  let spread = 0;
  for (const side of [0, 1] as const) {
    const inOwn = ranks(own[side]);
    const [size, other] = side ? [positives, negatives] : [negatives, positives];
    let sum = 0;
    for (let i = 0; i < size; i++) {
      const below = (rankInAll[side][i]! - inOwn[i]!) / other;
      sum += ((side ? below : 1 - below) - value) ** 2;
    }
    spread += sum / (size - 1) / size;
  }
  const half = normalQuantile((1 + confidence) / 2) * Math.sqrt(spread);
  return { value, low: Math.max(0, value - half), high: Math.min(1, value + half) };
}

export interface BootstrapOptions {
  /** Neighbouring windows drawn together: at least as many as stay correlated. */
  blockLength: number;
  resamples?: number;
  confidence?: number;
  random: Random;
}

/**
 * AUC with a percentile interval of the circular block bootstrap (Politis and Romano 1992): whole stretches of
 * neighbouring windows are drawn, so that activity lasting many windows does not count as many observations. This is the
 * interval the audit reports; {@link aucDeLong} would be too narrow there. Of few windows the bootstrap is the narrower:
 * the wider of the two bounds either end.
 * @param scores in order of time, one a window
 */
export function aucBlockBootstrap(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  { blockLength, resamples = 1000, confidence = 0.95, random }: BootstrapOptions,
): Interval {
  const n = labels.length;
  const value = auc(scores, labels);
  if (Number.isNaN(value)) return { value, low: 0, high: 1 };
  const { place, places } = denseRanks(scores);
  const length = Math.max(1, Math.min(blockLength, n));
  const counts = [new Float64Array(places), new Float64Array(places)] as const;
  const drawn: number[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    counts[0].fill(0);
    counts[1].fill(0);
    for (let filled = 0; filled < n; ) {
      const start = drawIndex(random, n);
      for (let k = 0; k < length && filled < n; k++, filled++) {
        const i = (start + k) % n;
        counts[labels[i] ? 1 : 0][place[i]!]!++;
      }
    }
    const estimate = aucOfCounts(counts[0], counts[1]);
    if (!Number.isNaN(estimate)) drawn.push(estimate);
  }
  const sorted = Float64Array.from(drawn).sort();
  const tail = (1 - confidence) / 2;
  if (sorted.length === 0) return { value, low: 0, high: 1 };
  const independent = aucDeLong(scores, labels, confidence);
  return {
    value,
    low: Math.min(quantileOfSorted(sorted, tail), independent.low),
    high: Math.max(quantileOfSorted(sorted, 1 - tail), independent.high),
  };
}

/** Standard error of the AUC where nothing is to be found, `positives` and `negatives` windows being independent. */
export function aucNullError(positives: number, negatives: number): number {
  return Math.sqrt((positives + negatives + 1) / (12 * positives * negatives));
}

function denseRanks(values: ArrayLike<number>): { place: Int32Array; places: number } {
  const sorted = Float64Array.from(values).sort();
  const distinct = new Map<number, number>();
  for (const value of sorted) if (!distinct.has(value)) distinct.set(value, distinct.size);
  return { place: Int32Array.from(values, (value) => distinct.get(value)!), places: distinct.size };
}

function aucOfCounts(negative: Float64Array, positive: Float64Array): number {
  let below = 0;
  let won = 0;
  let positives = 0;
  for (let k = 0; k < negative.length; k++) {
    won += positive[k]! * (below + negative[k]! / 2);
    below += negative[k]!;
    positives += positive[k]!;
  }
  return won / (below * positives);
}
