// Traffic rates over time, cut into windows and described by their mean and standard deviation.
import { firstAtLeast } from '../../../core/analysis/statistics/sample.ts';
import type { Sample } from '../../../core/capture/trace.ts';

/** Bytes sent and received in bins of one length; only bins with traffic take memory. */
export class RateSeries {
  readonly binS: number;
  /** Bin numbers since 1970, ascending; `up` and `down` are the bytes in each. */
  #bins: number[] = [];
  #up: number[] = [];
  #down: number[] = [];
  /** What came after later bins, by bin. */
  readonly #late = new Map<number, { up: number; down: number }>();

  constructor(binS: number) {
    this.binS = binS;
  }

  add({ timeS, bytes, direction }: Sample): void {
    this.#put(
      Math.floor(timeS / this.binS),
      direction === 'up' ? bytes : 0,
      direction === 'down' ? bytes : 0,
    );
  }

  /** Adds what is only known to have been so many packets between two moments: as equal ones, evenly spaced. */
  addSpread({ timeS, bytes, direction }: Sample, durationS: number, packets: number): void {
    const first = Math.floor(timeS / this.binS);
    const bins = Math.floor((timeS + durationS) / this.binS) - first + 1;
    const count = Math.min(Math.max(1, packets), bins);
    const share = bytes / count;
    for (let i = 0; i < count; i++) {
      const offset = count > 1 ? (i * (bins - 1)) / (count - 1) : 0;
      const bin = first + Math.round(offset);
      this.#put(bin, direction === 'up' ? share : 0, direction === 'down' ? share : 0);
    }
  }

  /** Adds all of another series with bins of the same length; `turned` swaps its directions. */
  addSeries(other: RateSeries, turned = false): void {
    other.#settle();
    this.#settle();
    const [up, down] = turned ? [other.#down, other.#up] : [other.#up, other.#down];
    this.#merge(other.#bins, up, down);
  }

  /** Bytes per second in samples of `sampleS` seconds, a whole number of bins each, `count` from `startS` on. */
  rates(
    startS: number,
    sampleS: number,
    count: number,
  ): { up: Float64Array; down: Float64Array; bins: number } {
    this.#settle();
    const up = new Float64Array(count);
    const down = new Float64Array(count);
    const first = Math.floor(startS / this.binS);
    const perSample = Math.round(sampleS / this.binS);
    let i = firstAtLeast(this.#bins, first);
    const from = i;
    for (; i < this.#bins.length; i++) {
      const sample = Math.floor((this.#bins[i]! - first) / perSample);
      if (sample >= count) break;
      up[sample]! += this.#up[i]! / sampleS;
      down[sample]! += this.#down[i]! / sampleS;
    }
    return { up, down, bins: i - from };
  }

  /** The bins with traffic of the `count` from `startS` on, numbered from 0, and the bytes in each. */
  cut(startS: number, count: number): { bins: Int32Array; up: Float64Array; down: Float64Array } {
    this.#settle();
    const first = Math.floor(startS / this.binS);
    const from = firstAtLeast(this.#bins, first);
    const to = firstAtLeast(this.#bins, first + count);
    const bins = new Int32Array(to - from);
    for (let i = from; i < to; i++) bins[i - from] = this.#bins[i]! - first;
    return {
      bins,
      up: Float64Array.from(this.#up.slice(from, to)),
      down: Float64Array.from(this.#down.slice(from, to)),
    };
  }

  /** Begin of the first bin with traffic not before a moment; infinite where none follows. */
  nextTraffic(fromS: number): number {
    this.#settle();
    const at = firstAtLeast(this.#bins, Math.floor(fromS / this.binS));
    return at < this.#bins.length ? this.#bins[at]! * this.binS : Number.POSITIVE_INFINITY;
  }

  #put(bin: number, up: number, down: number): void {
    const last = this.#bins.length - 1;
    let at = last;
    if (last < 0 || this.#bins[last]! < bin) {
      this.#bins.push(bin);
      this.#up.push(up);
      this.#down.push(down);
      return;
    }
    if (this.#bins[last] !== bin) at = firstAtLeast(this.#bins, bin);
    if (this.#bins[at] === bin) {
      this.#up[at]! += up;
      this.#down[at]! += down;
      return;
    }
    const late = this.#late.get(bin);
    if (late) {
      late.up += up;
      late.down += down;
    } else this.#late.set(bin, { up, down });
  }

  /** Puts what came late in its place: one by one, each would move all that follow. */
  #settle(): void {
    if (this.#late.size === 0) return;
    const late = [...this.#late].sort(([a], [b]) => a - b);
    this.#late.clear();
    this.#merge(
      late.map(([bin]) => bin),
      late.map(([, { up }]) => up),
      late.map(([, { down }]) => down),
    );
  }

  #merge(bins: readonly number[], up: readonly number[], down: readonly number[]): void {
    const [ownBins, ownUp, ownDown] = [this.#bins, this.#up, this.#down];
    this.#bins = [];
    this.#up = [];
    this.#down = [];
    for (let i = 0, j = 0; i < ownBins.length || j < bins.length; ) {
      const isOwn = j >= bins.length || (i < ownBins.length && ownBins[i]! <= bins[j]!);
      const isOther = i >= ownBins.length || (j < bins.length && bins[j]! <= ownBins[i]!);
      this.#bins.push(isOwn ? ownBins[i]! : bins[j]!);
      this.#up.push((isOwn ? ownUp[i]! : 0) + (isOther ? up[j]! : 0));
      this.#down.push((isOwn ? ownDown[i]! : 0) + (isOther ? down[j]! : 0));
      if (isOwn) i++;
      if (isOther) j++;
    }
  }
}

/** A stretch of a trace and what it looks like. */
export interface RateWindow {
  startS: number;
  /** Mean and standard deviation of the samples' rates, bytes/s: up mean, up deviation, down mean, down deviation. */
  features: number[];
}

export interface WindowOptions {
  /** From when to when the traffic was watched: silence at either end counts as silence. */
  fromS: number;
  toS: number;
  windowS: number;
  sampleS: number;
  /** Keep windows without any packet; an observer who separates traffic by device has nothing to judge there. */
  keepEmpty?: boolean;
}

/**
 * Cuts a series into windows side by side, each described by the mean and (population) standard deviation of its rate
 * samples per direction: the features of Apthorpe et al. 2017, section 5. A last, incomplete window is left out.
 * @returns none where a window has fewer than two samples
 */
export function cutWindows(series: RateSeries, options: WindowOptions): RateWindow[] {
  const { fromS, toS, windowS, sampleS } = options;
  const count = Math.round(windowS / sampleS);
  if (count < 2) return [];
  const windows: RateWindow[] = [];
  for (let i = 0; fromS + (i + 1) * windowS <= toS; i++) {
    const startS = fromS + i * windowS;
    // Silence takes no time where it is not kept.
    const nextS = options.keepEmpty ? startS : series.nextTraffic(startS);
    if (nextS >= toS) break;
    if (nextS >= startS + windowS) {
      i = Math.max(i, Math.floor((nextS - fromS) / windowS) - 2);
      continue;
    }
    const { up, down, bins } = series.rates(startS, sampleS, count);
    if (bins === 0 && !options.keepEmpty) continue;
    windows.push({ startS, features: [...describe(up), ...describe(down)] });
  }
  return windows;
}

function describe(values: Float64Array): [mean: number, deviation: number] {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return [mean, Math.sqrt(squares / values.length)];
}
