// Windows one after the other, judged one by one and as sequences.
import type { Random } from '../../src/core/random/random.ts';
import {
  fitRateForest,
  type RateForest,
} from '../../src/research/analysis/identify/rate-forest.ts';
import { decodeSequence, learnChain } from './hidden-markov.ts';

export type LabelledSequence = readonly { row: readonly number[]; label: string }[];

export function fitRateForestOf(
  sequences: readonly LabelledSequence[],
  random: Random,
): RateForest {
  const all = sequences.flat();
  const rows = all.map(({ row }) => row);
  const labels = all.map(({ label }) => label);
  return fitRateForest(rows, labels, { random, trees: 60 });
}

/** Shares told right of what was not trained on: each window alone, and by how labels follow each other. */
export function judgeSequences(
  trained: readonly LabelledSequence[],
  unseen: readonly LabelledSequence[],
  forest: RateForest,
) {
  const chain = learnChain(trained.map((sequence) => sequence.map(({ label }) => label)));
  const truth: string[] = [];
  const alone: string[] = [];
  const overTime: string[] = [];
  for (const sequence of unseen) {
    const shares = sequence.map(({ row }) => forest.shares(row));
    truth.push(...sequence.map(({ label }) => label));
    alone.push(...shares.map((own) => forest.labels[own.indexOf(Math.max(...own))]!));
    overTime.push(...decodeSequence(chain, shares));
  }
  const counts = new Map<string, number>();
  for (const label of truth) counts.set(label, (counts.get(label) ?? 0) + 1);
  const right = (called: readonly string[]) =>
    called.filter((label, k) => label === truth[k]).length / truth.length;
  const balanced = (called: readonly string[]) =>
    [...counts].reduce(
      (sum, [label, count]) =>
        sum + called.filter((one, k) => one === label && truth[k] === label).length / count,
      0,
    ) / counts.size;
  return {
    windows: truth.length,
    guessing: Math.max(...counts.values()) / truth.length,
    alone: right(alone),
    overTime: right(overTime),
    balancedAlone: balanced(alone),
    balancedOverTime: balanced(overTime),
  };
}

/** The columns of a table of what was judged, behind those that say what it was. */
export const judgedColumns = [
  { title: 'windows', right: true },
  { title: 'guessing', right: true },
  { title: 'alone', right: true },
  { title: 'over time', right: true },
  { title: 'balanced, alone', right: true },
  { title: 'over time', right: true },
] as const;

/** A row's cells in them. */
export function judgedCells(judged: ReturnType<typeof judgeSequences>): string[] {
  const { windows, guessing, alone, overTime, balancedAlone, balancedOverTime } = judged;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    String(windows),
    ...[guessing, alone, overTime, balancedAlone, balancedOverTime].map(percent),
  ];
}
