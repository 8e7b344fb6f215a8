// Splits labelled rows into folds for cross-validation.
import { type Random, shuffle } from '../../core/random/random.ts';

/**
 * Deals rows out to folds so that each label is spread evenly: stratified k-fold with shuffling.
 * @returns the fold, 0…`folds`-1, of every row
 */
export function stratifiedFolds(
  labels: readonly string[],
  folds: number,
  random: Random,
): number[] {
  const result = new Array<number>(labels.length);
  let dealt = 0;
  for (const rows of rowsByLabel(labels).values()) {
    // Going on where the last label ended keeps folds the same size where labels are many and small.
    for (const row of shuffle(rows, random)) result[row] = dealt++ % folds;
  }
  return result;
}

/**
 * Like `stratifiedFolds`, but every fold takes one unbroken stretch of each label's rows in their order. Windows next to
 * each other in time resemble each other; shuffled folds put the one in the training set and the other in the test.
 */
export function contiguousFolds(labels: readonly string[], folds: number): number[] {
  const result = new Array<number>(labels.length);
  for (const rows of rowsByLabel(labels).values()) {
    rows.forEach((row, place) => {
      result[row] = Math.floor((place * folds) / rows.length);
    });
  }
  return result;
}

function rowsByLabel(labels: readonly string[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  labels.forEach((label, row) => {
    const rows = groups.get(label);
    if (rows) rows.push(row);
    else groups.set(label, [row]);
  });
  return groups;
}
