// Windows one after the other, judged one by one and as sequences: the observer over time.
import { drawIndex, type Random } from '../../../../core/random/random.ts';
import { fitRateForest, type RateForest } from '../rate-forest.ts';
import { decodeSequence, learnChain } from './hidden-markov.ts';

/** Windows in order of time, and whose each is. */
export type LabelledSequence = readonly { row: readonly number[]; label: string }[];

/** How often windows are called after the right label. */
export interface JudgedSequences {
  windows: number;
  /** What always calling the commonest label gets right. */
  guessing: number;
  /** Share right: each window alone, and by how labels follow each other. */
  alone: number;
  overTime: number;
  /** The same, each label counting as much. */
  balancedAlone: number;
  balancedOverTime: number;
}

const TREES = 60;
const SHIFTS = 999;

/** A forest of all windows of all sequences. */
export function fitRateForestOf(
  sequences: readonly LabelledSequence[],
  random: Random,
): RateForest {
  const all = sequences.flat();
  const rows = all.map(({ row }) => row);
  const labels = all.map(({ label }) => label);
  return fitRateForest(rows, labels, { random, trees: TREES });
}

/** What sequences are called. */
export interface Called {
  truth: string[];
  alone: string[];
  overTime: string[];
}

/** Calls sequences that were not trained on: each window alone, and by how labels follow each other (hidden Markov model). */
export function callSequences(
  trained: readonly LabelledSequence[],
  unseen: readonly LabelledSequence[],
  random: Random,
): Called[] {
  const forest = fitRateForestOf(trained, random);
  const chain = learnChain(trained.map((sequence) => sequence.map(({ label }) => label)));
  return unseen.map((sequence) => {
    const shares = sequence.map(({ row }) => forest.shares(row));
    return {
      truth: sequence.map(({ label }) => label),
      alone: shares.map((own) => forest.labels[own.indexOf(Math.max(...own))]!),
      overTime: decodeSequence(chain, shares),
    };
  });
}

/** Shares told right of all that was called. */
export function summariseCalled(called: readonly Called[]): JudgedSequences {
  const truth = called.flatMap((one) => one.truth);
  const alone = called.flatMap((one) => one.alone);
  const overTime = called.flatMap((one) => one.overTime);
  const counts = countLabels(truth);
  const right = (names: readonly string[]) =>
    names.filter((label, k) => label === truth[k]).length / truth.length;
  return {
    windows: truth.length,
    guessing: Math.max(...counts.values()) / truth.length,
    alone: right(alone),
    overTime: right(overTime),
    balancedAlone: balancedShare(alone, truth, counts),
    balancedOverTime: balancedShare(overTime, truth, counts),
  };
}

/** How often as large a balanced share over time comes about where each sequence's labels are turned by a random shift. */
export function chanceOfCalled(called: readonly Called[], random: Random): number {
  const overTime = called.flatMap((one) => one.overTime);
  const truth = called.flatMap((one) => one.truth);
  const counts = countLabels(truth);
  const found = balancedShare(overTime, truth, counts);
  let asLarge = 0;
  for (let shift = 0; shift < SHIFTS; shift++) {
    const turned = called.flatMap((one) => turn(one.truth, drawIndex(random, one.truth.length)));
    if (balancedShare(overTime, turned, counts) >= found) asLarge++;
  }
  return (asLarge + 1) / (SHIFTS + 1);
}

function countLabels(labels: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

function balancedShare(
  names: readonly string[],
  truth: readonly string[],
  counts: ReadonlyMap<string, number>,
): number {
  let sum = 0;
  for (const [k, label] of truth.entries()) if (names[k] === label) sum += 1 / counts.get(label)!;
  return sum / counts.size;
}

function turn<T>(items: readonly T[], by: number): T[] {
  return [...items.slice(by), ...items.slice(0, by)];
}

/** Each sequence called by what was trained on all others: how an observer does in a home that is new to it. */
export function callEachUnseen(sequences: readonly LabelledSequence[], random: Random): Called[] {
  return sequences.flatMap((sequence) =>
    callSequences(
      sequences.filter((other) => other !== sequence),
      [sequence],
      random,
    ),
  );
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
export function judgedCells(judged: JudgedSequences): string[] {
  const { windows, guessing, alone, overTime, balancedAlone, balancedOverTime } = judged;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    String(windows),
    ...[guessing, alone, overTime, balancedAlone, balancedOverTime].map(percent),
  ];
}
