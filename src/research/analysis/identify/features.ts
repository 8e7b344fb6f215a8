// Traffic rates over time, cut into windows and described by their mean and standard deviation.
import type { Sample } from '../../../core/capture/trace.ts';
import { BinList } from './bin-list.ts';
import { describeBursts } from './burst-features.ts';
import { type Counts, roomFor } from './counts.ts';

/** Bytes per second of samples one after the other. */
export interface Rates {
  up: Float64Array;
  down: Float64Array;
}

export function ratesRoom(count: number): Rates {
  return { up: new Float64Array(count), down: new Float64Array(count) };
}

/** Bytes sent and received in bins of one length; only bins with traffic take memory. */
export class RateSeries {
  readonly binS: number;
  /** Bins are numbered since 1970. */
  #list = new BinList();
  /** Whether another series holds the same list. */
  #isShared = false;
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
    if (this.#list.length > 0 || turned) {
      this.#merge(other.#list, turned);
      return;
    }
    this.#list = other.#list;
    this.#isShared = true;
    other.#isShared = true;
  }

  /**
   * Bytes per second in samples of `sampleS` seconds, a whole number of bins each, `count` from `startS` on.
   * @param room lists of that length to be filled anew: each new one waits for the collector out of its sight
   */
  rates(startS: number, sampleS: number, count: number, room = ratesRoom(count)): Rates {
    this.#settle();
    const up = room.up.fill(0);
    const down = room.down.fill(0);
    const first = Math.floor(startS / this.binS);
    const perSample = Math.round(sampleS / this.binS);
    this.#list.visit(first, first + count * perSample, (bin, sent, received) => {
      const sample = Math.floor((bin - first) / perSample);
      up[sample]! += sent / sampleS;
      down[sample]! += received / sampleS;
    });
    return { up, down };
  }

  /** The bins with traffic of the `count` from `startS` on, numbered from 0, and the bytes in each. */
  cut(startS: number, count: number): { bins: Int32Array; up: Counts; down: Counts } {
    this.#settle();
    const first = Math.floor(startS / this.binS);
    const at = this.#list.cursor(first);
    const length = this.#list.cursor(first + count).place - at.place;
    const bins = new Int32Array(length);
    let up: Counts = new Uint16Array(length);
    let down: Counts = new Uint16Array(length);
    for (let k = 0; k < length; k++, at.step()) {
      bins[k] = at.bin - first;
      up = roomFor(up, at.up);
      down = roomFor(down, at.down);
      up[k] = at.up;
      down[k] = at.down;
    }
    return { bins, up, down };
  }

  /** Begin of the bin that a moment is in. */
  binAt(timeS: number): number {
    return Math.floor(timeS / this.binS) * this.binS;
  }

  /** Begin of the first bin with traffic not before a moment; infinite where none follows. */
  nextTraffic(fromS: number): number {
    this.#settle();
    return this.#list.next(Math.floor(fromS / this.binS)) * this.binS;
  }

  #put(bin: number, up: number, down: number): void {
    if (this.#isShared) this.#merge(new BinList(), false);
    const { last } = this.#list;
    if (bin > last) this.#list.push(bin, up, down);
    else if (bin === last) this.#list.addToLast(up, down);
    else {
      const at = this.#list.cursor(bin);
      if (at.bin === bin) at.add(up, down);
      else this.#putLate(bin, up, down);
    }
  }

  #putLate(bin: number, up: number, down: number): void {
    const late = this.#late.get(bin);
    if (late) {
      late.up += up;
      late.down += down;
    } else this.#late.set(bin, { up, down });
  }

  /** Puts what came late in its place: one by one, each would move all that follow. */
  #settle(): void {
    if (this.#late.size === 0) return;
    const late = new BinList();
    for (const [bin, { up, down }] of [...this.#late].sort(([a], [b]) => a - b)) {
      late.push(bin, up, down);
    }
    this.#late.clear();
    this.#merge(late, false);
  }

  /** A list of both, of this series alone. */
  #merge(other: BinList, turned: boolean): void {
    const merged = new BinList();
    const own = this.#list.cursor();
    const theirs = other.cursor();
    for (;;) {
      const bin = Math.min(own.bin, theirs.bin);
      if (bin === Number.POSITIVE_INFINITY) break;
      let [up, down] = [0, 0];
      if (theirs.bin === bin) {
        [up, down] = turned ? [theirs.down, theirs.up] : [theirs.up, theirs.down];
        theirs.step();
      }
      if (own.bin === bin) {
        up += own.up;
        down += own.down;
        own.step();
      }
      merged.push(bin, up, down);
    }
    this.#list = merged;
    this.#isShared = false;
  }
}

export const featureSets = ['rates', 'bursts'] as const;
/** What windows are described by: the paper's means and deviations of rates, or directions and bursts. */
export type FeatureSet = (typeof featureSets)[number];

/** A stretch of a trace and what it looks like. */
export interface RateWindow {
  startS: number;
  /** Of rates, bytes/s: up mean, up deviation, down mean, down deviation; else as `burstFeatureNames` has them. */
  features: number[];
}

export interface WindowOptions {
  /** From when to when the traffic was watched: silence at either end counts as silence. */
  fromS: number;
  toS: number;
  windowS: number;
  sampleS: number;
  /** Rates where left out. */
  features?: FeatureSet;
  /** Keep windows without any packet; an observer who separates traffic by device has nothing to judge there. */
  keepEmpty?: boolean;
}

/**
 * Cuts a series into windows side by side, each described by the mean and (population) standard deviation of its rate
 * samples per direction: the features of Apthorpe et al. 2017, section 5. A last, incomplete window is left out.
 * @returns none where a window has fewer than two samples
 */
export function cutWindows(series: RateSeries, options: WindowOptions): RateWindow[] {
  return Array.from(windowStarts(series, options), (startS) => ({
    startS,
    features: describeWindow(series, startS, options),
  }));
}

/** When the windows of {@link cutWindows} begin, without a look at what is in them. */
export function* windowStarts(
  series: RateSeries,
  { fromS, toS, windowS, sampleS, keepEmpty }: WindowOptions,
): Generator<number, void> {
  if (Math.round(windowS / sampleS) < 2) return;
  for (let i = 0; fromS + (i + 1) * windowS <= toS; i++) {
    const startS = fromS + i * windowS;
    // Silence takes no time where it is not kept.
    const nextS = keepEmpty ? startS : series.nextTraffic(startS);
    if (nextS >= toS) break;
    if (nextS < series.binAt(startS) + windowS) yield startS;
    else i = Math.max(i, Math.floor((nextS - fromS) / windowS) - 2);
  }
}

/** What the window that begins at `startS` looks like. */
export function describeWindow(
  series: RateSeries,
  startS: number,
  { windowS, sampleS, features }: Pick<WindowOptions, 'windowS' | 'sampleS' | 'features'>,
  room?: Rates,
): number[] {
  if (features === 'bursts') return describeBursts(series, startS, windowS);
  const { up, down } = series.rates(startS, sampleS, Math.round(windowS / sampleS), room);
  return [...describe(up), ...describe(down)];
}

function describe(values: Float64Array): [mean: number, deviation: number] {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return [mean, Math.sqrt(squares / values.length)];
}
