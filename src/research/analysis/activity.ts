// The paper's second step of attack: when something happened at home, from changes in a device's traffic rates alone.
import { median } from '../../core/analysis/statistics/sample.ts';
import { type BinnedTraffic, type Burst, findBursts } from './activity-bursts.ts';

export type { BinnedTraffic, Burst } from './activity-bursts.ts';

export interface ActivityOptions {
  /** A burst ends after so long without more than the background. */
  gapS?: number;
  /** How many (scaled) median absolute deviations above the median a bin must be to stand out. */
  contrast?: number;
  /** How much of the trace, around each moment, counts as its background. */
  backgroundS?: number;
}

export interface Activity {
  /** Bursts that are held to be events. */
  events: Burst[];
  /** All bursts, those a device makes unasked (heartbeats, clocks) among them. */
  bursts: Burst[];
  /** Bytes from which on a burst is an event. */
  thresholdBytes: number;
  /** Evidence that something began, by bin: log2 of the burst's bytes; 0 where there is none. For an AUC. */
  evidence: ReadonlyMap<number, number>;
}

const usual = { gapS: 1.5, contrast: 4, backgroundS: 120 };
/** Two kinds of bursts are told apart where their sizes differ by this factor at least... */
const LEAST_FACTOR = 1.8;
const LEAST_FACTOR_OF_FEW = 4;
/** ...and this much of the variance of the logarithms lies between the kinds. */
const LEAST_SHARE = 0.6;
/** Small bursts beside a heartbeat are talk where they are so many, and this much of all. */
const FEWEST_OF_TALK = 30;
const TALK_SHARE = 0.7;
/** ...or so much smaller. */
const FACTOR_OF_TALK = 8;
/** A heartbeat is known by so many alike; those whose sizes differ somewhat, by more. */
const FEWEST_BEATS = 6;
const FEWEST_LOOSE_BEATS = 12;
/** No device beats in more ways. */
const MOST_KINDS = 40;
/** How much the bytes of such heartbeats differ, and how many of their pauses are on time. */
const LOOSE_SIZE = 0.25;
const LOOSE_ON_TIME = 0.6;
/** What begins so soon after the end of a burst is more of the same... */
const MERGE_S = 2.5;
/** ...and what begins so soon and is so unlike, its echo: a server's answer, a report of what was done. */
const ECHO_S = 12;
const ECHO_FACTOR = 1.5;
/** So many uses, each so soon after the last, are one that goes on. */
const FEWEST_OF_RUN = 8;
/** Only a device that is used seldomer than this has echoes told from uses. */
const SELDOM_S = 45;
/** Bursts at intervals this regular (deviation over mean) are a clock's. */
const CLOCK_VARIATION = 0.35;

/**
 * Finds changes of the rate. Bins that stand out from the background (median and MAD of the minutes around) form bursts.
 * Bursts of the same bytes up and down, exactly or nearly, that come like a clock are the device's own heartbeat and are
 * taken out before anything else; what is left within seconds of each other is one. Of that, small ones and large ones are
 * told apart if sizes show two kinds (Otsu's threshold on the logarithm), and the large ones are events; else all are,
 * unless all of it comes like a clock.
 */
export function findActivity(traffic: BinnedTraffic, options: ActivityOptions = {}): Activity {
  const { gapS, contrast, backgroundS } = { ...usual, ...options };
  const { binS } = traffic;
  const bursts = findBursts(traffic, gapS, contrast, Math.max(8, Math.round(backgroundS / binS)));
  const beats = findHeartbeats(bursts);
  const apart = bursts.filter((burst) => !beats.has(burst));
  const others = mergeNear(apart);
  const thresholdBytes = separateKinds(others, beats.size > 0);
  return {
    events: leaveEchoes(joinRuns(others.filter(({ bytes }) => bytes >= thresholdBytes))),
    bursts,
    thresholdBytes,
    evidence: new Map(
      apart.map(({ startS, bytes }) => [
        Math.round((startS - traffic.startS) / binS),
        Math.log2(1 + bytes),
      ]),
    ),
  };
}

/** Joins bursts that follow each other soon: one use of a device is seldom one burst. */
function mergeNear(bursts: readonly Burst[]): Burst[] {
  return runsOf(bursts, MERGE_S).map(joined);
}

/** Joins uses of a device again and again within seconds: whoever does that is using it all the while. */
function joinRuns(bursts: readonly Burst[]): Burst[] {
  return runsOf(bursts, ECHO_S).flatMap((run) =>
    run.length >= FEWEST_OF_RUN ? [joined(run)] : run,
  );
}

/** Bursts that begin at most `pauseS` after the end of the one before. */
function runsOf(bursts: readonly Burst[], pauseS: number): Burst[][] {
  const runs: Burst[][] = [];
  for (const burst of bursts) {
    const before = runs.at(-1)?.at(-1);
    if (before && burst.startS - before.endS <= pauseS) runs.at(-1)!.push(burst);
    else runs.push([burst]);
  }
  return runs;
}

function joined(run: readonly Burst[]): Burst {
  const sum = (key: 'bytes' | 'upBytes' | 'downBytes') =>
    run.reduce((total, burst) => total + burst[key], 0);
  return {
    startS: run[0]!.startS,
    endS: run.at(-1)!.endS,
    bytes: sum('bytes'),
    upBytes: sum('upBytes'),
    downBytes: sum('downBytes'),
  };
}

/** Leaves out what soon follows a use of the device and is unlike it: its echo, not another use. */
function leaveEchoes(bursts: readonly Burst[]): Burst[] {
  const lengthS = (bursts.at(-1)?.startS ?? 0) - (bursts[0]?.startS ?? 0);
  if (lengthS < SELDOM_S * bursts.length) return [...bursts];
  const kept: Burst[] = [];
  let before: Burst | null = null;
  for (const burst of bursts) {
    const last = kept.at(-1);
    const isSoon = before !== null && burst.startS - before.endS <= ECHO_S;
    const isUnlike = last !== undefined && unlike(last.bytes, burst.bytes) >= ECHO_FACTOR;
    if (!isSoon || !isUnlike) kept.push(burst);
    before = burst;
  }
  return kept;
}

function unlike(a: number, b: number): number {
  return (1 + Math.max(a, b)) / (1 + Math.min(a, b));
}

/** Bursts of one size whose pauses are mostly one period, or a few of it where one drowned in other traffic. */
function findHeartbeats(bursts: readonly Burst[]): Set<Burst> {
  const alike = new Map<string, Burst[]>();
  for (const burst of bursts) {
    const size = `${burst.upBytes}/${burst.downBytes}`;
    const own = alike.get(size);
    if (own) own.push(burst);
    else alike.set(size, [burst]);
  }
  const beats = new Set<Burst>();
  for (const own of alike.values()) {
    if (own.length >= FEWEST_BEATS && shareOnTime(own, 0.1) >= 0.7) {
      for (const burst of own) beats.add(burst);
    }
  }
  // Those that differ somewhat: around each size that many others are near, the commonest first.
  let left = bursts.filter((burst) => !beats.has(burst));
  for (let kinds = 0; kinds < MOST_KINDS; kinds++) {
    const near = new Set(left.length > 0 ? nearestKind(left) : []);
    if (near.size < FEWEST_LOOSE_BEATS) break;
    const isBeat = shareOnTime([...near], 0.15) >= LOOSE_ON_TIME;
    if (isBeat) for (const burst of near) beats.add(burst);
    left = left.filter((burst) => !near.has(burst));
  }
  return beats;
}

/** The bursts whose bytes up and down are near those of the one that most are near. */
function nearestKind(bursts: readonly Burst[]): Burst[] {
  const close = (a: number, b: number) => Math.abs(a - b) <= LOOSE_SIZE * Math.max(a, b);
  const near = (center: Burst) => (burst: Burst) =>
    close(burst.upBytes, center.upBytes) && close(burst.downBytes, center.downBytes);
  // Of a day's bursts some hundred stand for all, and of a month's some thousand for how many are near.
  const asked = sample(bursts, 4000);
  let most = { count: 0, center: bursts[0]! };
  for (const center of sample(bursts, 200)) {
    const isNear = near(center);
    let count = 0;
    for (const burst of asked) if (isNear(burst)) count++;
    if (count > most.count) most = { count, center };
  }
  return bursts.filter(near(most.center));
}

function sample<T>(values: readonly T[], count: number): readonly T[] {
  const step = Math.max(1, Math.floor(values.length / count));
  return step === 1 ? values : values.filter((_, i) => i % step === 0);
}

/** Share of pauses that are one to four periods, the middle pause being one. */
function shareOnTime(bursts: readonly Burst[], tolerance: number): number {
  const pauses = bursts.slice(1).map(({ startS }, i) => startS - bursts[i]!.startS);
  const periodS = median(pauses);
  const onTime = pauses.filter((pause) => {
    const periods = Math.round(pause / periodS);
    return periods >= 1 && periods <= 4 && Math.abs(pause / periodS - periods) < tolerance;
  });
  return onTime.length / pauses.length;
}

/** Bytes from which on a burst is an event. */
function separateKinds(bursts: readonly Burst[], hasBeats: boolean): number {
  if (bursts.length < 2) return 0;
  const sizes = bursts.map(({ bytes }) => Math.log2(1 + bytes)).sort((a, b) => a - b);
  const n = sizes.length;
  const { split, apart, share } = partKinds(sizes);
  const factor = n < 4 ? LEAST_FACTOR_OF_FEW : LEAST_FACTOR;
  // Beside a heartbeat, a device's talk is small and mostly what is left; else both kinds are uses of it.
  const isTalk =
    !hasBeats ||
    apart >= Math.log2(FACTOR_OF_TALK) ||
    (n >= FEWEST_OF_TALK && split >= TALK_SHARE * n);
  if (isTalk && apart >= Math.log2(factor) && share >= LEAST_SHARE) {
    return 2 ** ((sizes[split - 1]! + sizes[split]!) / 2) - 1;
  }
  return !hasBeats && n >= 4 && comesLikeClock(bursts) ? Number.POSITIVE_INFINITY : 0;
}

/** Where sorted values part best into two kinds (Otsu 1979), how far those are apart, and how much of the variance that is. */
function partKinds(sorted: readonly number[]): { split: number; apart: number; share: number } {
  const n = sorted.length;
  const sum = sorted.reduce((a, b) => a + b, 0);
  const spread = sorted.reduce((a, b) => a + (b - sum / n) ** 2, 0);
  let best = { between: 0, split: 1, apart: 0 };
  let below = 0;
  for (let k = 1; k < n; k++) {
    below += sorted[k - 1]!;
    const apart = (sum - below) / (n - k) - below / k;
    const between = (apart * apart * k * (n - k)) / n;
    if (between > best.between) best = { between, split: k, apart };
  }
  return { split: best.split, apart: best.apart, share: spread > 0 ? best.between / spread : 0 };
}

function comesLikeClock(bursts: readonly Burst[]): boolean {
  const pauses = bursts.slice(1).map(({ startS }, i) => startS - bursts[i]!.startS);
  const mean = pauses.reduce((a, b) => a + b, 0) / pauses.length;
  const spread = pauses.reduce((a, b) => a + (b - mean) ** 2, 0) / pauses.length;
  return Math.sqrt(spread) < CLOCK_VARIATION * mean;
}
