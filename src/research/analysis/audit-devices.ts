// Which device it was: each device's own activity held against windows of the wire, and windows named after who said most.

import {
  type ActivitySample,
  FEWEST_WINDOWS,
  labelWindows,
} from '../../core/analysis/audit-activity.ts';
import { REFITS, REFITTED, treesFor } from '../../core/analysis/audit-windows.ts';
import { type BinnedRows, binRows, trainForest } from '../../core/analysis/forest.ts';
import { crossValidate } from '../../core/analysis/forest-validation.ts';
import { aucOfRanks } from '../../core/analysis/statistics/auc.ts';
import { aucWithInterval, type Interval } from '../../core/analysis/statistics/auc-interval.ts';
import { maxT, permuteBlocks, widen } from '../../core/analysis/statistics/permutation.ts';
import { mean, quantileOfSorted, ranks } from '../../core/analysis/statistics/sample.ts';
import { type WirePacket, wireFeatures } from '../../core/analysis/wire-features.ts';
import { seededRandom } from '../../core/random/random.ts';

export interface DeviceTestOptions {
  startS: number;
  windowS: number;
  /** How many whole windows follow. */
  windows: number;
  permutations: number;
  seed: number;
}

/** How well the wire tells when one device was active, or busier than it mostly is where it is never idle. */
export interface DeviceTold {
  device: string;
  active: number;
  idle: number;
  auc: Interval;
  /** Chance of as much where wire and device have nothing to do with each other, corrected for all devices tried. */
  adjustedP: number;
}

/** Windows called after the device that said most in them. */
export interface WindowsNamed {
  /** Windows in which a device of those `labels` said most. */
  windows: number;
  labels: string[];
  right: number;
  /** What as many guesses get right by chance: mean and 95 % quantile. */
  chance: number;
  chanceHigh: number;
  pValue: number;
}

export interface DeviceFigures {
  windowS: number;
  windows: number;
  /** Those with enough windows of either kind, best told first. */
  devices: DeviceTold[];
  /** Null with fewer than two devices that said most in enough windows. */
  named: WindowsNamed | null;
}

/**
 * Asks the wire which device was active, with random forests on all features an observer has, trained on this very wire
 * and judged on stretches of time they have not seen. The null moves a device's labels in blocks, as the audit does.
 * @param packets in order of time
 * @param activity each device's packets, in order of time
 */
export function testDevices(
  packets: readonly WirePacket[],
  activity: ReadonlyMap<string, readonly ActivitySample[]>,
  options: DeviceTestOptions,
): DeviceFigures {
  const { rows } = wireFeatures(packets, options);
  const { windowS, windows } = options;
  const blockLength = Math.max(1, Math.ceil(10 / windowS), Math.ceil(windows / 60));
  const context = { rows, blockLength, ...options };
  return {
    windowS,
    windows,
    devices: tellEach(context, activity),
    named: nameWindows(context, activity),
  };
}

type Context = DeviceTestOptions & { rows: readonly Float64Array[]; blockLength: number };

/** Scores of windows by forests that tell this label from all others; null where they cannot be trained. */
function scoresOf(
  rows: readonly Float64Array[],
  binned: BinnedRows,
  labels: Uint8Array,
  { blockLength, seed }: Pick<Context, 'blockLength' | 'seed'>,
): Float64Array | null {
  return crossValidate(
    rows,
    labels,
    (_, own, members) =>
      trainForest(binned, members, own, {
        random: seededRandom(seed, 31),
        trees: treesFor(rows.length),
      }),
    { blockLength: Math.max(2, blockLength), ...REFITTED, random: seededRandom(seed, 32) },
  );
}

function tellEach(
  context: Context,
  activity: ReadonlyMap<string, readonly ActivitySample[]>,
): DeviceTold[] {
  const { rows, windows, blockLength, permutations, seed } = context;
  const binned = binRows(rows);
  const tried = [...activity].flatMap(([device, samples]) => {
    const { labels, active, idle } = labelWindows(samples, context);
    if (Math.min(active, idle) < FEWEST_WINDOWS) return [];
    const fitted = aucWithInterval(labels, (own) => scoresOf(rows, binned, own, context), {
      blockLength,
      draws: REFITS,
      random: seededRandom(seed, 34),
    });
    return fitted ? [{ device, active, idle, labels, fitted, rank: ranks(fitted.scores) }] : [];
  });
  const random = seededRandom(seed, 33);
  const drawn = tried.map(() => new Float64Array(permutations));
  const permuted = new Uint8Array(windows);
  for (let k = 0; k < permutations; k++) {
    // One order for all: how devices hang together is kept.
    const from = permuteBlocks(windows, blockLength, random);
    tried.forEach(({ labels, rank }, t) => {
      for (let i = 0; i < windows; i++) permuted[i] = labels[from[i]!]!;
      drawn[t]![k] = aucOfRanks(rank, permuted);
    });
  }
  const tests = tried.map(({ device }) => ({ name: device, twoSided: false }));
  const observed = tried.map(({ rank, labels }) => aucOfRanks(rank, labels));
  const { results } = maxT(
    tests,
    observed,
    drawn.map((values, t) => widen(values, tried[t]!.fitted.chance)),
  );
  return tried
    .map(({ device, active, idle, fitted: { value, low, high } }, t) => ({
      device,
      active,
      idle,
      auc: { value, low, high },
      adjustedP: results[t]!.adjustedP,
    }))
    .sort((a, b) => b.auc.value - a.auc.value);
}

function nameWindows(
  context: Context,
  activity: ReadonlyMap<string, readonly ActivitySample[]>,
): WindowsNamed | null {
  const { blockLength, permutations, seed } = context;
  const loudest = loudestDevices(activity, context);
  const counts = new Map<string, number>();
  for (const device of loudest)
    if (device !== null) counts.set(device, (counts.get(device) ?? 0) + 1);
  const labels = [...counts.keys()].filter((device) => counts.get(device)! >= FEWEST_WINDOWS);
  if (labels.length < 2) return null;
  const judged = loudest.flatMap((device, w) => (labels.includes(device ?? '') ? [w] : []));
  const rows = judged.map((w) => context.rows[w]!);
  const truth = Uint8Array.from(judged, (w) => labels.indexOf(loudest[w]!));
  const binned = binRows(rows);
  const scores = labels.map((_, label) =>
    scoresOf(
      rows,
      binned,
      truth.map((own) => (own === label ? 1 : 0)),
      context,
    ),
  );
  if (scores.some((one) => one === null)) return null;
  const called = Uint8Array.from(truth, (_, i) => {
    const own = scores.map((one) => one![i]!);
    return own.indexOf(Math.max(...own));
  });
  const rightOf = (order?: Int32Array) =>
    called.reduce((sum, label, i) => sum + (truth[order ? order[i]! : i] === label ? 1 : 0), 0);
  const right = rightOf();
  const random = seededRandom(seed, 35);
  const drawn = Float64Array.from({ length: permutations }, () =>
    rightOf(permuteBlocks(truth.length, blockLength, random)),
  ).sort();
  return {
    windows: judged.length,
    labels,
    right,
    chance: mean(drawn),
    chanceHigh: quantileOfSorted(drawn, 0.95),
    pValue: (drawn.filter((count) => count >= right).length + 1) / (permutations + 1),
  };
}

/** Per window the device with most bytes; null where none spoke. */
export function loudestDevices(
  activity: ReadonlyMap<string, readonly ActivitySample[]>,
  { startS, windowS, windows }: Pick<DeviceTestOptions, 'startS' | 'windowS' | 'windows'>,
): (string | null)[] {
  const best = Array.from({ length: windows }, (): { device: string | null; bytes: number } => ({
    device: null,
    bytes: 0,
  }));
  for (const [device, samples] of activity) {
    const bytes = new Float64Array(windows);
    for (const { timeS, bytes: own = 1 } of samples) {
      const window = Math.floor((timeS - startS) / windowS);
      if (window >= 0 && window < windows) bytes[window]! += own;
    }
    best.forEach((one, w) => {
      if (bytes[w]! > one.bytes) best[w] = { device, bytes: bytes[w]! };
    });
  }
  return best.map(({ device }) => device);
}
