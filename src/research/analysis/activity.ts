// The paper's second step of attack: when something happened at home, from changes in a device's traffic rates alone.
import { type BinnedTraffic, findBursts } from './activity-bursts.ts';
import { type Burst, BurstList } from './burst-list.ts';
import { withoutHeartbeats } from './heartbeats.ts';

export type { BinnedTraffic } from './activity-bursts.ts';

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
  /** How many bursts there are, those a device makes unasked (heartbeats, clocks) among them. */
  bursts: number;
  /** Bytes from which on a burst is an event. */
  thresholdBytes: number;
  /** Evidence that something began, for an AUC: the bins that have some, in order, and log2 of the burst's bytes in each. */
  evidence: { bins: Int32Array; values: Float32Array };
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
  const apart = withoutHeartbeats(bursts);
  const others = mergeNear(bursts, apart);
  const thresholdBytes = separateKinds(others, apart.length < bursts.length);
  return {
    events: leaveEchoes(joinRuns(atLeast(others, thresholdBytes))),
    bursts: bursts.length,
    thresholdBytes,
    evidence: {
      bins: Int32Array.from(apart, (place) =>
        Math.round((bursts.startS(place) - traffic.startS) / binS),
      ),
      values: Float32Array.from(apart, (place) => Math.log2(1 + bursts.bytes(place))),
    },
  };
}

/** Joins bursts that follow each other soon: one use of a device is seldom one burst. */
function mergeNear(bursts: BurstList, places: Uint32Array): BurstList {
  const merged = new BurstList();
  for (const place of places) {
    const burst = bursts.at(place);
    const isMore = merged.length > 0 && burst.startS - merged.endS(merged.length - 1) <= MERGE_S;
    if (isMore) merged.extendLast(burst);
    else merged.push(burst);
  }
  return merged;
}

function atLeast(bursts: BurstList, bytes: number): Burst[] {
  const large: Burst[] = [];
  for (let place = 0; place < bursts.length; place++) {
    if (bursts.bytes(place) >= bytes) large.push(bursts.at(place));
  }
  return large;
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

/** Bytes from which on a burst is an event. */
function separateKinds(bursts: BurstList, hasBeats: boolean): number {
  if (bursts.length < 2) return 0;
  const sizes = Float64Array.from({ length: bursts.length }, (_, place) =>
    Math.log2(1 + bursts.bytes(place)),
  ).sort();
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
function partKinds(sorted: Float64Array): { split: number; apart: number; share: number } {
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

function comesLikeClock(bursts: BurstList): boolean {
  const pauses = Float64Array.from(
    { length: bursts.length - 1 },
    (_, i) => bursts.startS(i + 1) - bursts.startS(i),
  );
  const mean = pauses.reduce((a, b) => a + b, 0) / pauses.length;
  const spread = pauses.reduce((a, b) => a + (b - mean) ** 2, 0) / pauses.length;
  return Math.sqrt(spread) < CLOCK_VARIATION * mean;
}
