// Calibration: from a router's timing jitter to the spread of intervals that drowns it.
import { sdBounds } from '../stream/stream.ts';
import type { ActivitySample } from './audit-activity.ts';
import { labelTicks } from './audit-activity.ts';
import { type WindowedIntervals, windowIntervals } from './audit-intervals.ts';
import { detectionRateByVariance, hiddenVarianceRatio } from './statistics/link-padding.ts';
import { mean, quantileOfSorted } from './statistics/sample.ts';
import type { WirePacket } from './wire-features.ts';

/** Percent of the mean: no schedule draws wider. */
const WIDEST_PERCENT = sdBounds.most;

export interface JitterFigures {
  direction: 'up' | 'down';
  meanIntervalMs: number;
  /** Standard deviation that is the machine's, not the schedule's, and what it is known to within (one deviation). */
  idle: { intervals: number; jitterSdMs: number; uncertainMs: number };
  active: { intervals: number; jitterSdMs: number; uncertainMs: number };
  /** Whether the two variances differ by more than twice what they are known to: else nothing follows from them. */
  resolved: boolean;
}

/**
 * Measures jitter while devices are idle and active: what the variance of intervals has beyond the schedule's own.
 * Most telling with constant intervals (`scheduleSdPercent` 0): variable ones hide the jitter from us, too. The
 * outermost half per cent of intervals are clipped, so that one hiccup does not count for all.
 */
export function measureJitter(
  wire: readonly WirePacket[],
  activity: readonly ActivitySample[],
  scheduleSdPercent: number,
): JitterFigures[] {
  const startS = wire[0]?.timeS ?? 0;
  const windowS = 0.25;
  const windows = Math.floor(((wire.at(-1)?.timeS ?? 0) - startS) / windowS);
  const { labels } = labelTicks(activity, { startS, windowS, windows });
  return (['up', 'down'] as const).flatMap((direction) => {
    const lane = windowIntervals(wire, direction, { startS, windowS, windows });
    if (lane.intervalMs.length < 100) return [];
    const sorted = lane.intervalMs.slice().sort();
    const low = quantileOfSorted(sorted, 0.005);
    const high = quantileOfSorted(sorted, 0.995);
    const meanIntervalMs = mean(lane.intervalMs);
    const scheduled = ((meanIntervalMs * scheduleSdPercent) / 100) ** 2;
    const side = (label: number) => {
      const { seen, error, n } = clippedVariance(lane, (tick) => labels[tick] === label, low, high);
      const jitterSdMs = Math.sqrt(Math.max(0, seen - scheduled));
      // The error of the variance, carried to its root; where the root is lost in it, the error's own root.
      const uncertainMs = jitterSdMs ** 2 > error ? error / (2 * jitterSdMs) : Math.sqrt(error);
      return { seen, error, figures: { intervals: n, jitterSdMs, uncertainMs } };
    };
    const [idle, active] = [side(0), side(1)];
    const resolved = Math.abs(active.seen - idle.seen) > 2 * Math.hypot(idle.error, active.error);
    return [{ direction, meanIntervalMs, idle: idle.figures, active: active.figures, resolved }];
  });
}

/** Ticks whose intervals may hang together: ten seconds. */
const BLOCK_TICKS = 40;

/** Variance of the chosen ticks' intervals, with its error from block to block: a stall is one event, not many. */
function clippedVariance(
  { intervalMs, window, windows }: WindowedIntervals,
  isChosen: (tick: number) => boolean,
  low: number,
  high: number,
): { seen: number; error: number; n: number } {
  const clip = (value: number) => Math.min(high, Math.max(low, value));
  const center = mean(intervalMs.filter((_, i) => isChosen(window[i]!)).map(clip));
  const squares = new Float64Array(Math.ceil(windows / BLOCK_TICKS));
  const counts = new Float64Array(squares.length);
  let sum = 0;
  let n = 0;
  for (let i = 0; i < intervalMs.length; i++) {
    if (!isChosen(window[i]!)) continue;
    const block = Math.floor(window[i]! / BLOCK_TICKS);
    const square = (clip(intervalMs[i]!) - center) ** 2;
    squares[block]! += square;
    counts[block]!++;
    sum += square;
    n++;
  }
  if (n === 0) return { seen: 0, error: 0, n };
  const seen = sum / n;
  let spread = 0;
  for (let b = 0; b < squares.length; b++) spread += (squares[b]! - seen * counts[b]!) ** 2;
  return { seen, error: Math.sqrt(spread) / n, n };
}

export interface ProposalInput {
  idleJitterSdMs: number;
  activeJitterSdMs: number;
  meanIntervalMs: number;
  /** Intervals of each state the observer is granted; ten minutes' worth where left out. */
  packets?: number;
  /** How often it may then be right; 0.5 is chance. */
  detectionRate?: number;
}

export interface IntervalSdProposal {
  /** Percent of the mean interval, a whole number from 0 to the widest there is: what to set `interval_sd` to. */
  intervalSdPercent: number;
  /** Whether that is enough; the machine's jitter depends too much on load where it is not. */
  sufficient: boolean;
  /** What is then left to the observer: r = σ²(active)/σ²(idle), and how often its variance detector is right. */
  varianceRatio: number;
  detectionRate: number;
  packets: number;
}

/**
 * Proposes `interval_sd`. Derivation, after Fu et al. 2003: the intervals' variance is the schedule's plus the machine's,
 * σ_T² + σ_idle² or σ_T² + σ_active². An observer with n intervals of each state is right
 * Φ(|ln r| / (2√(2/(n-1)))) of the time, r being the ratio of the two. Granting a rate v makes
 * ln r ≤ L = 2√(2/(n-1)) Φ⁻¹(v), and hence, with the larger jitter above,
 * σ_T² ≥ (σ_more² - σ_less²) / (e^L - 1) - σ_less².
 * @throws RangeError naming the figure that makes no sense
 */
export function proposeIntervalSd({
  idleJitterSdMs,
  activeJitterSdMs,
  meanIntervalMs,
  packets = Math.round(600_000 / meanIntervalMs),
  detectionRate = 0.6,
}: ProposalInput): IntervalSdProposal {
  const check = (name: string, value: number, fine: boolean): void => {
    if (!fine) throw new RangeError(`${name}: ${value} makes no sense here`);
  };
  check('meanIntervalMs', meanIntervalMs, meanIntervalMs > 0);
  check('idleJitterSdMs', idleJitterSdMs, idleJitterSdMs >= 0);
  check('activeJitterSdMs', activeJitterSdMs, activeJitterSdMs >= 0);
  check('packets', packets, packets >= 2);
  check('detectionRate', detectionRate, detectionRate > 0.5 && detectionRate < 1);
  const less = Math.min(idleJitterSdMs, activeJitterSdMs) ** 2;
  const more = Math.max(idleJitterSdMs, activeJitterSdMs) ** 2;
  const needed = (more - less) / (hiddenVarianceRatio(detectionRate, packets) - 1) - less;
  const neededPercent = (100 * Math.sqrt(Math.max(0, needed))) / meanIntervalMs;
  const intervalSdPercent = Math.min(WIDEST_PERCENT, Math.max(0, Math.ceil(neededPercent - 1e-9)));
  const schedule = ((meanIntervalMs * intervalSdPercent) / 100) ** 2;
  const varianceRatio = more === less ? 1 : (schedule + more) / (schedule + less);
  return {
    intervalSdPercent,
    sufficient: neededPercent <= WIDEST_PERCENT,
    varianceRatio,
    detectionRate: detectionRateByVariance(varianceRatio, packets),
    packets,
  };
}
