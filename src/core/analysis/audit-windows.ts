// Windows of one length: how well anything the wire shows tells active from idle ones.

import { seededRandom } from '../random/random.ts';
import type { WindowLabels } from './audit-activity.ts';
import { describeIntervals, type IntervalFigures, windowIntervals } from './audit-intervals.ts';
import { trainForest } from './forest.ts';
import { trainLogistic } from './forest-logistic.ts';
import { crossValidate } from './forest-validation.ts';
import { aucBlockBootstrap, aucOfRanks, type Interval } from './statistics/auc.ts';
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
  /** Cross-validated AUC of the classifiers, 95 % interval by block bootstrap; null where they could not be trained. */
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
  const validation = { blockLength: Math.max(blockLength, 2), folds: 10 };
  const forestScores = crossValidate(
    rows,
    labels,
    (taught, own) => trainForest(taught, own, { random: seededRandom(seed, 11) }),
    { ...validation, random: seededRandom(seed, 12) },
  );
  const logisticScores = crossValidate(rows, labels, trainLogistic, {
    ...validation,
    random: seededRandom(seed, 13),
  });

  const tests: LabelTest[] = columns.map(({ name, rank }) => ({
    name,
    twoSided: true,
    statistic: (drawn) => aucOfRanks(rank, drawn),
  }));
  if (binned.length) tests.push(informationTest(binned));
  for (const [name, scores] of [
    ['forest', forestScores],
    ['logistic', logisticScores],
  ] as const) {
    if (!scores) continue;
    const rank = ranks(scores);
    tests.push({ name, twoSided: false, statistic: (drawn) => aucOfRanks(rank, drawn) });
  }
  const family = testLabels(tests, labels, {
    blockLength,
    permutations,
    random: seededRandom(seed, 14),
  });

  const bootstrap = (scores: Float64Array | null, stream: number) =>
    scores &&
    aucBlockBootstrap(scores, labels, { blockLength, random: seededRandom(seed, stream) });
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
      forest: bootstrap(forestScores, 15),
      logistic: bootstrap(logisticScores, 16),
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
