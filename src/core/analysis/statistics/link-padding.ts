// The variance and entropy detectors of Fu, Graham, Bettati and Zhao against padded traffic.
import { normalCdf, normalQuantile } from './normal.ts';
import { mean, variance } from './sample.ts';

/**
 * Sources: "Analytical and Empirical Analysis of Countermeasures to Traffic Analysis Attacks" (ICPP 2003) and "On
 * Effectiveness of Link Padding for Statistical Traffic Analysis Attacks" (ICDCS 2003). The observer takes n intervals,
 * computes their sample variance or entropy, and decides which of two payload rates was behind them. Its power rests on
 * r = σ²(active) / σ²(idle), and falls to chance as r comes to 1: that is what variable intervals are for.
 */
export interface DetectorResult {
  /** Intervals in each sample the observer decides by. */
  sampleIntervals: number;
  idleSamples: number;
  activeSamples: number;
  /** Mean sample variance (ms²) or entropy (bits) of the idle and the active samples. */
  idle: number;
  active: number;
  /** Share decided rightly, both states weighing the same; 0.5 is chance. Thresholds are learned on other samples. */
  detectionRate: number;
}

/** Entropy of intervals in bits, of a histogram with bins `binMs` wide: robust where single outliers ruin a variance. */
export function entropyBits(intervalsMs: ArrayLike<number>, binMs: number): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < intervalsMs.length; i++) {
    const bin = Math.floor(intervalsMs[i]! / binMs);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  let bits = 0;
  for (const count of counts.values()) {
    const share = count / intervalsMs.length;
    bits -= share * Math.log2(share);
  }
  return bits;
}

/**
 * The detector run on both states: intervals of each are cut, in order, into samples of n; even samples teach the
 * threshold that odd ones are decided by, and the other way round.
 * @returns null with fewer than four samples of either state
 */
export function detectByStatistic(
  idleMs: ArrayLike<number>,
  activeMs: ArrayLike<number>,
  sampleIntervals: number,
  statistic: (sampleMs: Float64Array) => number,
): DetectorResult | null {
  const idle = cut(idleMs, sampleIntervals).map(statistic);
  const active = cut(activeMs, sampleIntervals).map(statistic);
  if (idle.length < 4 || active.length < 4) return null;
  let rate = 0;
  for (const parity of [0, 1]) {
    const learn = (values: number[]) => values.filter((_, i) => i % 2 === parity);
    const judge = (values: number[]) => values.filter((_, i) => i % 2 !== parity);
    const decide = learnThreshold(learn(idle), learn(active));
    const right = (values: number[], isActive: boolean) =>
      judge(values).filter((value) => decide(value) === isActive).length / judge(values).length;
    rate += (right(idle, false) + right(active, true)) / 4;
  }
  return {
    sampleIntervals,
    idleSamples: idle.length,
    activeSamples: active.length,
    idle: mean(idle),
    active: mean(active),
    detectionRate: rate,
  };
}

/**
 * Detection rate that two variances give an observer with samples of n intervals: ln s² of n intervals is close to
 * normal with variance 2/(n-1), so the best threshold between them is right Φ(|ln r| / (2 √(2/(n-1)))) of the time.
 * (Fu et al. give closed forms for normal intervals; this one differs from theirs only for n below some 20.)
 */
export function detectionRateByVariance(varianceRatio: number, intervals: number): number {
  return normalCdf(Math.abs(Math.log(varianceRatio)) / (2 * Math.sqrt(2 / (intervals - 1))));
}

/** The largest ratio of variances whose detection rate from n intervals stays at or below `detectionRate`. */
export function hiddenVarianceRatio(detectionRate: number, intervals: number): number {
  return Math.exp(2 * Math.sqrt(2 / (intervals - 1)) * normalQuantile(detectionRate));
}

/** Sample variance as {@link detectByStatistic} wants it. */
export const sampleVariance = (sampleMs: Float64Array): number => variance(sampleMs);

function cut(values: ArrayLike<number>, length: number): Float64Array[] {
  const samples: Float64Array[] = [];
  const all = Float64Array.from(values);
  for (let from = 0; from + length <= all.length; from += length) {
    samples.push(all.subarray(from, from + length));
  }
  return samples;
}

/** The threshold with the fewest errors on the taught samples, and the side that means active. */
function learnThreshold(idle: number[], active: number[]): (value: number) => boolean {
  const values = [...idle, ...active].sort((a, b) => a - b);
  let best = { right: -1, threshold: 0, above: true };
  for (let k = 0; k + 1 < values.length; k++) {
    const threshold = (values[k]! + values[k + 1]!) / 2;
    const idleBelow = idle.filter((value) => value < threshold).length / idle.length;
    const activeBelow = active.filter((value) => value < threshold).length / active.length;
    const gain = idleBelow - activeBelow;
    if (Math.abs(gain) > best.right) best = { right: Math.abs(gain), threshold, above: gain > 0 };
  }
  return (value) => value >= best.threshold === best.above;
}
