// The paper's second step of attack: when something happened at home, from changes in a device's traffic rates alone.
import { median } from '../../core/analysis/statistics/sample.ts';

/** Bytes sent and received in bins of one length, from `startS` on. */
export interface BinnedTraffic {
  startS: number;
  binS: number;
  up: Float64Array;
  down: Float64Array;
}

export interface ActivityOptions {
  /** A burst ends after so long without more than the background. */
  gapS?: number;
  /** How many (scaled) median absolute deviations above the median a bin must be to stand out. */
  contrast?: number;
  /** How much of the trace, around each moment, counts as its background. */
  backgroundS?: number;
}

/** Traffic above the background. */
export interface Burst {
  /** When the rate changed, and when it was back. */
  startS: number;
  endS: number;
  /** Bytes above the background, both directions. */
  bytes: number;
  upBytes: number;
  downBytes: number;
}

export interface Activity {
  /** Bursts that are held to be events. */
  events: Burst[];
  /** All bursts, those a device makes unasked (heartbeats, clocks) among them. */
  bursts: Burst[];
  /** Bytes from which on a burst is an event. */
  thresholdBytes: number;
  /** Evidence per bin that something began in it: log2 of the burst's bytes, 0 where none began. For an AUC. */
  evidence: Float64Array;
}

const usual = { gapS: 1.5, contrast: 4, backgroundS: 120 };
/** Two kinds of bursts are told apart where their sizes differ by this factor at least... */
const LEAST_FACTOR = 1.8;
const LEAST_FACTOR_OF_FEW = 4;
/** ...and this much of the variance of the logarithms lies between the kinds. */
const LEAST_SHARE = 0.6;
/** A heartbeat is known by so many alike. */
const FEWEST_BEATS = 6;
/** Bursts at intervals this regular (deviation over mean) are a clock's. */
const CLOCK_VARIATION = 0.35;

/**
 * Finds changes of the rate. Bins that stand out from the background (median and MAD of the minutes around) form bursts.
 * Bursts of exactly the same bytes up and down that come like a clock are the device's own heartbeat. Where there are none
 * such, bursts fall into small ones and large ones if their sizes show two kinds (Otsu's threshold on the logarithm), and
 * the large ones are events. What is left are all events, unless all of it comes like a clock.
 */
export function findActivity(traffic: BinnedTraffic, options: ActivityOptions = {}): Activity {
  const { gapS, contrast, backgroundS } = { ...usual, ...options };
  const { binS, up, down } = traffic;
  const total = up.map((bytes, i) => bytes + down[i]!);
  const { middle, spread } = background(total, Math.max(8, Math.round(backgroundS / binS)));
  const bursts: Burst[] = [];
  let from = -1;
  let last = -1;
  const close = (): void => {
    if (from < 0) return;
    bursts.push(describeBurst(traffic, total, middle, from, last + 1));
    from = -1;
  };
  for (let i = 0; i < total.length; i++) {
    if (total[i]! <= middle[i]! + contrast * spread[i]!) continue;
    if (from >= 0 && (i - last - 1) * binS >= gapS) close();
    if (from < 0) from = i;
    last = i;
  }
  close();
  const beats = findHeartbeats(bursts);
  const others = bursts.filter((burst) => !beats.has(burst));
  const thresholdBytes = beats.size ? 0 : separateKinds(bursts);
  const evidence = new Float64Array(total.length);
  for (const burst of others) {
    evidence[Math.round((burst.startS - traffic.startS) / binS)] = Math.log2(1 + burst.bytes);
  }
  return {
    events: others.filter(({ bytes }) => bytes >= thresholdBytes),
    bursts,
    thresholdBytes,
    evidence,
  };
}

/** Median and scaled MAD around every bin, renewed every tenth of the stretch. */
function background(
  values: Float64Array,
  stretch: number,
): { middle: Float64Array; spread: Float64Array } {
  const middle = new Float64Array(values.length);
  const spread = new Float64Array(values.length);
  const hop = Math.max(1, Math.floor(stretch / 10));
  for (let from = 0; from < values.length; from += hop) {
    const around = values.subarray(
      Math.max(0, from + Math.floor((hop - stretch) / 2)),
      from + Math.floor((hop + stretch) / 2),
    );
    const m = median(around);
    const s = 1.4826 * median(around.map((value) => Math.abs(value - m)));
    middle.fill(m, from, from + hop);
    spread.fill(s, from, from + hop);
  }
  return { middle, spread };
}

function describeBurst(
  { startS, binS, up, down }: BinnedTraffic,
  total: Float64Array,
  middle: Float64Array,
  from: number,
  to: number,
): Burst {
  const burst = { startS: 0, endS: startS + to * binS, bytes: 0, upBytes: 0, downBytes: 0 };
  for (let i = from; i < to; i++) {
    burst.bytes += Math.max(0, total[i]! - middle[i]!);
    burst.upBytes += up[i]!;
    burst.downBytes += down[i]!;
  }
  burst.startS = startS + findOnset(total, from, to, Math.max(1, Math.round(1 / binS))) * binS;
  return burst;
}

/** Bursts of one size whose pauses are mostly one period, or a few of it where one drowned in other traffic. */
function findHeartbeats(bursts: readonly Burst[]): Set<Burst> {
  const alike = new Map<string, Burst[]>();
  for (const burst of bursts) {
    const size = `${burst.upBytes}/${burst.downBytes}`;
    alike.set(size, [...(alike.get(size) ?? []), burst]);
  }
  const beats = new Set<Burst>();
  for (const own of alike.values()) {
    if (own.length < FEWEST_BEATS) continue;
    const pauses = own.slice(1).map(({ startS }, i) => startS - own[i]!.startS);
    const periodS = median(pauses);
    const onTime = pauses.filter((pause) => {
      const periods = Math.round(pause / periodS);
      return periods >= 1 && periods <= 4 && Math.abs(pause / periodS - periods) < 0.1;
    });
    if (onTime.length >= 0.7 * pauses.length) for (const burst of own) beats.add(burst);
  }
  return beats;
}

/** Where a burst's rate over a second first comes near its highest: a heartbeat just before must not date the event. */
function findOnset(total: Float64Array, from: number, to: number, second: number): number {
  const sums: number[] = [];
  for (let i = from; i < to; i++) {
    let sum = 0;
    for (let k = i; k < Math.min(to, i + second); k++) sum += total[k]!;
    sums.push(sum);
  }
  const enough = 0.45 * sums.reduce((a, b) => Math.max(a, b), 0);
  let onset = sums.findIndex((sum) => sum >= enough);
  const ofSecond = sums[onset]!;
  while (total[from + onset]! < ofSecond / 10) onset++;
  return from + onset;
}

/** Bytes from which on a burst is an event. */
function separateKinds(bursts: readonly Burst[]): number {
  if (bursts.length < 2) return 0;
  const sizes = bursts.map(({ bytes }) => Math.log2(1 + bytes)).sort((a, b) => a - b);
  const n = sizes.length;
  const sum = sizes.reduce((a, b) => a + b, 0);
  const mean = sum / n;
  const spread = sizes.reduce((a, b) => a + (b - mean) ** 2, 0);
  let best = { between: 0, split: 0, apart: 0 };
  let below = 0;
  for (let k = 1; k < n; k++) {
    below += sizes[k - 1]!;
    const apart = (sum - below) / (n - k) - below / k;
    const between = (apart * apart * k * (n - k)) / n;
    if (between > best.between) best = { between, split: k, apart };
  }
  const factor = n < 4 ? LEAST_FACTOR_OF_FEW : LEAST_FACTOR;
  if (best.apart >= Math.log2(factor) && best.between >= LEAST_SHARE * spread) {
    return 2 ** ((sizes[best.split - 1]! + sizes[best.split]!) / 2) - 1;
  }
  return n >= 4 && comesLikeClock(bursts) ? Number.POSITIVE_INFINITY : 0;
}

function comesLikeClock(bursts: readonly Burst[]): boolean {
  const pauses = bursts.slice(1).map(({ startS }, i) => startS - bursts[i]!.startS);
  const mean = pauses.reduce((a, b) => a + b, 0) / pauses.length;
  const spread = pauses.reduce((a, b) => a + (b - mean) ** 2, 0) / pauses.length;
  return Math.sqrt(spread) < CLOCK_VARIATION * mean;
}
