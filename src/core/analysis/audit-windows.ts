// Windows of one length: how well anything the wire shows tells active from idle ones.

import { seededRandom } from '../random/random.ts';
import type { WindowLabels } from './audit-activity.ts';
import { describeIntervals, type IntervalFigures, windowIntervals } from './audit-intervals.ts';
import { binRows, trainForest } from './forest.ts';
import { trainLogistic } from './forest-logistic.ts';
import { crossValidate } from './forest-validation.ts';
import { aucOfRanks } from './statistics/auc.ts';
import { aucWithInterval, type Interval } from './statistics/auc-interval.ts';
import {
  type Binned,
  binByQuantiles,
  mutualInformationBits,
} from './statistics/mutual-information.ts';
import { type FamilyResult, type LabelTest, testLabels } from './statistics/permutation.ts';
import { ranks } from './statistics/sample.ts';
import { type WirePacket, wireFeatures } from './wire-features.ts';

export interface WindowFigures {
  windowS: number;
  windows: number;
  active: number;
  idle: number;
  meaning: WindowLabels['meaning'];
  /** Cross-validated AUC of the classifiers with its 95 % interval; null where they could not be trained. */
  forest: Interval | null;
  logistic: Interval | null;
  /**
   * Mutual information of activity and the one feature that shares most with it, the plug-in estimate; under the null it
   * is not 0 but has this mean and this 95 % quantile.
   */
  information: { feature: string; bits: number; nullMeanBits: number; nullHighBits: number };
  /** The smallest AUC that would have been found 80 times in 100. */
  detectableAuc: number;
  intervals: IntervalFigures[];
}

export interface WindowsResult {
  figures: WindowFigures;
  tests: FamilyResult;
}

export interface WindowTestOptions {
  startS: number;
  windowS: number;
  labels: WindowLabels;
  permutations: number;
  /** Level each family of tests is held to, for `detectableAuc`. */
  level: number;
  seed: number;
}

const INFORMATION_BINS = 8;

/**
 * Every test on windows of one length, corrected together. Labels are permuted in blocks of a sixtieth of the recording,
 * at least ten seconds, so that what changes slowly on the wire and in the house alike is not taken for a leak.
 */
export function testWindows(
  packets: readonly WirePacket[],
  options: WindowTestOptions,
): WindowsResult {
  const { startS, windowS, labels: labelled, permutations, level, seed } = options;
  const { labels } = labelled;
  const windows = labels.length;
  const place = { startS, windowS, windows };
  const { names, rows } = wireFeatures(packets, place);
  const columns = names.flatMap((name, f) => {
    const column = Float64Array.from(rows, (row) => row[f]!);
    const first = column.find((value) => !Number.isNaN(value));
    const varies = column.some((value) => !Number.isNaN(value) && value !== first);
    return varies ? [{ name, column, rank: ranks(column) }] : [];
  });
  const binned = columns.map(({ column }) => binByQuantiles(column, INFORMATION_BINS));
  const lanes = (['up', 'down'] as const).map((direction) =>
    windowIntervals(packets, direction, place),
  );

  const blockLength = Math.max(1, Math.ceil(10 / windowS), Math.ceil(windows / 60));
  const fitted = fitClassifiers(rows, labels, blockLength, seed);

  const tests: LabelTest[] = columns.map(({ name, rank }) => ({
    name,
    twoSided: true,
    statistic: (drawn) => aucOfRanks(rank, drawn),
  }));
  if (binned.length) tests.push(informationTest(binned));
  for (const name of ['forest', 'logistic'] as const) {
    const own = fitted[name];
    if (!own) continue;
    const rank = ranks(own.scores);
    const statistic = (drawn: Uint8Array) => aucOfRanks(rank, drawn);
    tests.push({ name, twoSided: false, statistic, fitted: own.chance });
  }
  const family = testLabels(tests, labels, {
    blockLength,
    permutations,
    random: seededRandom(seed, 14),
  });

  const bits = informationBits(binned, labels);
  const shared = family.results.find(({ name }) => name === 'information');
  const nullSd = family.results.find(({ name }) => name === 'forest')?.nullSd ?? Number.NaN;
  return {
    figures: {
      windowS,
      windows,
      active: labelled.active,
      idle: labelled.idle,
      meaning: labelled.meaning,
      forest: intervalOf(fitted.forest),
      logistic: intervalOf(fitted.logistic),
      information: {
        feature: columns[bits.indexOf(Math.max(...bits))]?.name ?? 'none',
        bits: shared?.observed ?? 0,
        nullMeanBits: shared?.nullMean ?? 0,
        nullHighBits: shared?.nullHigh ?? 0,
      },
      detectableAuc: Math.min(1, 0.5 + (family.criticalZ(level) + 0.84) * nullSd),
      intervals: lanes.map((lane) => describeIntervals(lane, labels)),
    },
    tests: family,
  };
}

/** Training on moved labels as often as this tells their spread well enough, and a router has the time. */
export const REFITS = 19;

/** A cross-validation that is done so often. */
export const REFITTED = { folds: 5, deals: 3 };

/** Trees of a forest; of few rows several deals to the folds are averaged, and their trees with them. */
export function treesFor(rows: number): number {
  return rows < 150 ? 20 : 40;
}

function fitClassifiers(
  rows: readonly Float64Array[],
  labels: Uint8Array,
  blockLength: number,
  seed: number,
) {
  const binned = binRows(rows);
  const validation = { blockLength: Math.max(blockLength, 2), ...REFITTED };
  const trees = treesFor(rows.length);
  const fit = (stream: number, train: Parameters<typeof crossValidate>[2]) =>
    aucWithInterval(
      labels,
      // The same deal to the folds each time: labels alone are moved.
      (own) =>
        crossValidate(rows, own, train, { ...validation, random: seededRandom(seed, stream) }),
      { blockLength, draws: REFITS, random: seededRandom(seed, 15) },
    );
  return {
    forest: fit(12, (_, own, members) =>
      trainForest(binned, members, own, { random: seededRandom(seed, 11), trees }),
    ),
    logistic: fit(13, (taught, own) => trainLogistic(taught, own)),
  };
}

function intervalOf(fitted: Interval | null): Interval | null {
  return fitted && { value: fitted.value, low: fitted.low, high: fitted.high };
}

/** The most that any one feature shares with activity: one test, so that the null is of the most, too. */
function informationTest(features: readonly Binned[]): LabelTest {
  return {
    name: 'information',
    twoSided: false,
    statistic: (drawn) => Math.max(...informationBits(features, drawn)),
    // 2 n ln 2 times the bits is χ² distributed, whose root is nearly normal.
    stabilise: (bits) => Math.sqrt(Math.max(0, bits)),
  };
}

function informationBits(features: readonly Binned[], labels: Uint8Array): number[] {
  const activity = { place: labels, bins: 2 };
  return features.map((feature) => mutualInformationBits(activity, feature));
}
