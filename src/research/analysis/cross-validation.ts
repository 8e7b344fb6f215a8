// How often a classifier of rates is right about rows it was not trained on.

import type { Random } from '../../core/random/random.ts';
import { contiguousFolds, stratifiedFolds } from './folds.ts';
import { prepareNeighbours, type Rows } from './identify/knn.ts';
import { fitRateForest } from './identify/rate-forest.ts';

export const classifiers = ['neighbours', 'forest'] as const;
/** What tells rows apart: the paper's nearest neighbours, or a random forest. */
export type ClassifierName = (typeof classifiers)[number];

export interface Validation {
  rows: number;
  labels: string[];
  /** Share of rows told right, and its 95 % interval (Wilson; rows taken as independent). */
  accuracy: number;
  interval: [low: number, high: number];
  /** Mean over labels of the share told right: what a large class cannot carry. */
  balancedAccuracy: number;
  /** What always guessing the commonest label gets. */
  baseline: number;
  /** `confusion[i][j]`: rows of label i told to be j. */
  confusion: number[][];
}

export interface ValidationOptions {
  /** Nearest neighbours where left out. */
  classifier?: ClassifierName;
  neighbours: number;
  folds: number;
  random: Random;
  /** Folds of unbroken stretches of time instead of shuffled ones: harder, and nearer to what comes tomorrow. */
  contiguous?: boolean;
}

/** k-fold cross-validation, stratified by label. */
export function validateRates(
  rows: Rows,
  labels: readonly string[],
  options: ValidationOptions,
): Validation {
  const { classifier: name = 'neighbours', neighbours, folds, random, contiguous } = options;
  const foldOf = contiguous
    ? contiguousFolds(labels, folds)
    : stratifiedFolds(labels, folds, random);
  const prepared = name === 'neighbours' ? prepareNeighbours(rows, labels) : null;
  const names = [...new Set(labels)].sort();
  const place = new Map(names.map((name, i) => [name, i]));
  const confusion = names.map(() => new Array<number>(names.length).fill(0));
  for (let fold = 0; fold < folds; fold++) {
    const train = indicesWhere(foldOf, (of) => of !== fold);
    const test = indicesWhere(foldOf, (of) => of === fold);
    if (train.length === 0 || test.length === 0) continue;
    const classifier = prepared
      ? prepared.fit(train, neighbours)
      : fitRateForest(
          train.map((i) => rows[i]!),
          train.map((i) => labels[i]!),
          { random },
        );
    for (const i of test)
      confusion[place.get(labels[i]!)!]![place.get(classifier.predict(rows[i]!))!]!++;
  }
  return summarise(names, confusion);
}

function summarise(labels: string[], confusion: number[][]): Validation {
  const totals = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  const rows = totals.reduce((sum, count) => sum + count, 0);
  const right = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  const recalls = confusion.map((row, i) => row[i]! / totals[i]!);
  return {
    rows,
    labels,
    accuracy: right / rows,
    interval: wilsonInterval(right, rows),
    balancedAccuracy: recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length,
    baseline: Math.max(...totals) / rows,
    confusion,
  };
}

/** 95 % confidence interval of a share (Wilson 1927). */
export function wilsonInterval(right: number, rows: number): [low: number, high: number] {
  const z = 1.959964;
  const share = right / rows;
  const centre = share + z ** 2 / (2 * rows);
  const spread = z * Math.sqrt((share * (1 - share)) / rows + z ** 2 / (4 * rows ** 2));
  const scale = 1 + z ** 2 / rows;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
}

function indicesWhere(values: readonly number[], holds: (value: number) => boolean): number[] {
  const indices: number[] = [];
  values.forEach((value, i) => {
    if (holds(value)) indices.push(i);
  });
  return indices;
}
