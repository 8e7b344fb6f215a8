// Cross-validation over stretches of time, so that windows that resemble their neighbours cannot flatter a classifier.

import { type Random, shuffle } from '../random/random.ts';
import type { Scorer } from './forest.ts';
import { ranks } from './statistics/sample.ts';

export interface ValidationOptions {
  random: Random;
  folds?: number;
  /** Neighbouring windows that stay in one fold. */
  blockLength: number;
  /** At most how often few rows are dealt to the folds anew. */
  deals?: number;
  /** Windows on either side of a held-out block that are not trained on. */
  purge?: number;
}

/** With fewer rows than this the deal to the folds is repeated, at most so often: a fold's ranks are coarse then. */
const DEALT_ROWS = 300;
const MOST_DEALS = 10;

/** Trains on rows, which are those at `members` of all. */
type Train = (
  rows: readonly ArrayLike<number>[],
  labels: Uint8Array,
  members: Int32Array,
) => Scorer;

/**
 * Scores of every row by a classifier that never saw it, nor its neighbours in time: contiguous blocks are dealt to the
 * folds at random. A held-out window is scored by its rank *within its fold*, from 0 to 1: what is left out shifts the
 * training set the other way, so that raw scores pooled over folds give an AUC below 0.5 where nothing is to be found.
 * Of few rows the scores are means over several deals.
 * @param rows in order of time
 * @returns null where some training set of every deal lacks a class
 */
export function crossValidate(
  rows: readonly ArrayLike<number>[],
  labels: Uint8Array,
  train: Train,
  options: ValidationOptions,
): Float64Array | null {
  const n = rows.length;
  const deals = Math.max(1, Math.min(options.deals ?? MOST_DEALS, Math.round(DEALT_ROWS / n)));
  const scored = Array.from({ length: deals }, () =>
    scoreByDeal(rows, labels, train, options),
  ).filter((scores) => scores !== null);
  if (scored.length === 0) return null;
  return Float64Array.from(
    { length: n },
    (_, i) => scored.reduce((sum, scores) => sum + scores[i]!, 0) / scored.length,
  );
}

function scoreByDeal(
  rows: readonly ArrayLike<number>[],
  labels: Uint8Array,
  train: Train,
  { random, folds = 10, blockLength, purge = 1 }: ValidationOptions,
): Float64Array | null {
  const n = rows.length;
  const blocks = Math.ceil(n / blockLength);
  const parts = Math.min(folds, blocks);
  if (parts < 2) return null;
  const dealt = Uint8Array.from({ length: blocks }, (_, block) => block % parts);
  shuffle(dealt, random);
  const foldOf = Uint8Array.from({ length: n }, (_, i) => dealt[Math.floor(i / blockLength)]!);
  const scores = new Float64Array(n);
  for (let fold = 0; fold < parts; fold++) {
    const taught: ArrayLike<number>[] = [];
    const taughtLabels: number[] = [];
    const members: number[] = [];
    for (let i = 0; i < n; i++) {
      if (foldOf[i] === fold) continue;
      let near = false;
      for (let k = Math.max(0, i - purge); k <= Math.min(n - 1, i + purge); k++) {
        if (foldOf[k] === fold) near = true;
      }
      if (near) continue;
      taught.push(rows[i]!);
      members.push(i);
      taughtLabels.push(labels[i]!);
    }
    const positives = taughtLabels.reduce((sum, label) => sum + label, 0);
    if (positives === 0 || positives === taughtLabels.length) return null;
    const score = train(taught, Uint8Array.from(taughtLabels), Int32Array.from(members));
    const held = rows.flatMap((_, i) => (foldOf[i] === fold ? [i] : []));
    const rank = ranks(held.map((i) => score(rows[i]!, i)));
    held.forEach((i, k) => {
      scores[i] = (rank[k]! - 0.5) / held.length;
    });
  }
  return scores;
}
