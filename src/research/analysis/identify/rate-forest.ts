// A random forest for as many labels as there are devices, on the few features rates have.
import { drawIndex, type Random, shuffle } from '../../../core/random/random.ts';
import type { Classifier, Rows } from './knn.ts';

export interface RateForestOptions {
  random: Random;
  trees?: number;
}

const MAX_DEPTH = 20;

/** A forest, which also says how sure it is. */
export interface RateForest extends Classifier {
  labels: readonly string[];
  /** Share of its trees' votes for each label. */
  shares: (row: readonly number[]) => Float64Array;
}

type Node =
  | { feature: number; threshold: number; below: Node; above: Node }
  /** Share of each label. */
  | { shares: Float64Array };

/**
 * Trains a random forest (Breiman 2001): each tree on rows drawn with replacement, each split the best of as many features
 * as the root of all; trees vote with the shares of labels at their leaves.
 */
export function fitRateForest(
  rows: Rows,
  labels: readonly string[],
  { random, trees = 50 }: RateForestOptions,
): RateForest {
  const names = [...new Set(labels)].sort();
  const codes = Int32Array.from(labels, (label) => names.indexOf(label));
  const width = rows[0]?.length ?? 0;
  const tried = Math.max(1, Math.round(Math.sqrt(width)));
  const grown = Array.from({ length: trees }, () => {
    const sample = Int32Array.from(rows, () => drawIndex(random, rows.length));
    return grow(sample, 0);
  });

  function grow(sample: Int32Array, depth: number): Node {
    const counts = countLabels(sample);
    const isPure = counts.some((count) => count === sample.length);
    const split = isPure || depth >= MAX_DEPTH ? null : bestSplit(sample, counts);
    if (!split) return { shares: counts.map((count) => count / sample.length) };
    const { feature, threshold } = split;
    const below = sample.filter((row) => rows[row]![feature]! <= threshold);
    const above = sample.filter((row) => rows[row]![feature]! > threshold);
    return { feature, threshold, below: grow(below, depth + 1), above: grow(above, depth + 1) };
  }

  function countLabels(sample: Int32Array): Float64Array {
    const counts = new Float64Array(names.length);
    for (const row of sample) counts[codes[row]!]!++;
    return counts;
  }

  function bestSplit(sample: Int32Array, counts: Float64Array) {
    let best: { feature: number; threshold: number } | null = null;
    let bestGain = squares(counts) / sample.length + 1e-9;
    const order = shuffle(
      Array.from({ length: width }, (_, f) => f),
      random,
    );
    let looked = 0;
    for (const feature of order) {
      // A feature that is the same everywhere is no choice.
      if (looked >= tried) break;
      const sorted = sample.slice().sort((a, b) => rows[a]![feature]! - rows[b]![feature]!);
      const values = Float64Array.from(sorted, (row) => rows[row]![feature]!);
      if (values[0] === values.at(-1)) continue;
      looked++;
      const below = new Float64Array(names.length);
      const above = counts.slice();
      let belowSquares = 0;
      let aboveSquares = squares(counts);
      for (let i = 0; i + 1 < sorted.length; i++) {
        const code = codes[sorted[i]!]!;
        belowSquares += 2 * below[code]!++ + 1;
        aboveSquares -= 2 * above[code]!-- - 1;
        if (values[i] === values[i + 1]) continue;
        // Largest sum of squares over size is least Gini impurity.
        const gain = belowSquares / (i + 1) + aboveSquares / (sorted.length - i - 1);
        if (gain <= bestGain) continue;
        bestGain = gain;
        best = { feature, threshold: (values[i]! + values[i + 1]!) / 2 };
      }
    }
    return best;
  }

  const shares = (row: readonly number[]): Float64Array => {
    const sums = new Float64Array(names.length);
    for (const tree of grown) {
      let node = tree;
      while ('below' in node) {
        node = row[node.feature]! <= node.threshold ? node.below : node.above;
      }
      for (let code = 0; code < sums.length; code++) sums[code]! += node.shares[code]! / trees;
    }
    return sums;
  };
  const predict = (row: readonly number[]): string => {
    const sums = shares(row);
    return names[sums.indexOf(Math.max(...sums))]!;
  };
  return { labels: names, shares, predict };
}

function squares(counts: Float64Array): number {
  let sum = 0;
  for (const count of counts) sum += count * count;
  return sum;
}
