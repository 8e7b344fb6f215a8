// Bursts: bins of a device's traffic that stand out from the minutes around them. Silence, however long, costs nothing.
import { firstAtLeast, quantileOfSorted } from '../../core/analysis/statistics/sample.ts';
import { BurstList } from './burst-list.ts';

/** Bytes sent and received in bins of one length; only bins with traffic take memory. */
export interface BinnedTraffic {
  startS: number;
  binS: number;
  /** How many bins were watched. */
  count: number;
  /** Numbers of the bins with traffic, ascending from 0, and the bytes in each. */
  bins: ArrayLike<number>;
  up: ArrayLike<number>;
  down: ArrayLike<number>;
}

/**
 * Bins more than `contrast` scaled MADs above the median of the `stretch` bins around are bursts; what stands out within
 * `gapS` of the last that did is the same one.
 */
export function findBursts(
  traffic: BinnedTraffic,
  gapS: number,
  contrast: number,
  stretch: number,
): BurstList {
  const { binS, bins, up, down } = traffic;
  const background = new Background(traffic, stretch);
  const bursts = new BurstList();
  let from = -1;
  let last = -1;
  const open = { bytes: 0, upBytes: 0, downBytes: 0 };
  let own = { ...open };
  const close = (): void => {
    if (from >= 0) bursts.push({ ...timesOf(traffic, from, last), ...own });
    from = -1;
    Object.assign(open, { bytes: 0, upBytes: 0, downBytes: 0 });
  };
  for (let k = 0; k < bins.length; k++) {
    const total = up[k]! + down[k]!;
    const { middle, spread } = background.around(bins[k]!);
    const isOut = total > middle + contrast * spread;
    if (isOut && from >= 0 && (bins[k]! - bins[last]! - 1) * binS >= gapS) close();
    if (isOut && from < 0) from = k;
    if (from < 0) continue;
    // What lies between two bins that stand out is the burst's as well.
    open.bytes += Math.max(0, total - middle);
    open.upBytes += up[k]!;
    open.downBytes += down[k]!;
    if (!isOut) continue;
    last = k;
    own = { ...open };
  }
  close();
  return bursts;
}

/** Median and scaled MAD around every bin, renewed every tenth of the stretch. */
class Background {
  readonly #traffic: BinnedTraffic;
  readonly #stretch: number;
  readonly #hop: number;
  /** The bytes of a stretch: one list for all, as each would wait for the collector outside of its sight. */
  readonly #values: Float64Array;
  #at = -1;
  #now = { middle: 0, spread: 0 };

  constructor(traffic: BinnedTraffic, stretch: number) {
    this.#traffic = traffic;
    this.#stretch = stretch;
    this.#hop = Math.max(1, Math.floor(stretch / 10));
    this.#values = new Float64Array(stretch + 1);
  }

  around(bin: number): { middle: number; spread: number } {
    const at = Math.floor(bin / this.#hop);
    if (at !== this.#at) {
      this.#at = at;
      this.#now = this.#measure(at * this.#hop);
    }
    return this.#now;
  }

  #measure(from: number): { middle: number; spread: number } {
    const { bins, up, down, count } = this.#traffic;
    const [hop, stretch] = [this.#hop, this.#stretch];
    const low = Math.max(0, from + Math.floor((hop - stretch) / 2));
    const high = Math.min(count, from + Math.floor((hop + stretch) / 2));
    const first = firstAtLeast(bins, low);
    const end = firstAtLeast(bins, high);
    // Mostly silence: both medians are of silence.
    if (high - low - (end - first) > Math.ceil((high - low - 1) / 2)) {
      return { middle: 0, spread: 0 };
    }
    const values = this.#values.subarray(0, high - low).fill(0);
    for (let k = first; k < end; k++) values[k - first] = up[k]! + down[k]!;
    const middle = quantileOfSorted(values.sort(), 0.5);
    for (let i = 0; i < values.length; i++) values[i] = Math.abs(values[i]! - middle);
    return { middle, spread: 1.4826 * quantileOfSorted(values.sort(), 0.5) };
  }
}

/** From the onset of a burst to the end of its last bin; both are told by places in `bins`. */
function timesOf(
  traffic: BinnedTraffic,
  from: number,
  last: number,
): { startS: number; endS: number } {
  const { startS, binS, bins } = traffic;
  const onset = findOnset(traffic, from, last);
  return { startS: startS + onset * binS, endS: startS + (bins[last]! + 1) * binS };
}

/** Where a burst's rate over a second first comes near its highest: a heartbeat just before must not date the event. */
function findOnset({ binS, bins, up, down }: BinnedTraffic, from: number, last: number): number {
  const second = Math.max(1, Math.round(1 / binS));
  let place = from;
  /** Bytes of the second that begins with a bin; to be asked of bins in order. */
  const sumFrom = (bin: number): number => {
    while (bins[place]! < bin) place++;
    let sum = 0;
    for (let k = place; k <= last && bins[k]! < bin + second; k++) sum += up[k]! + down[k]!;
    return sum;
  };
  let highest = 0;
  for (let k = from; k <= last; k++) highest = Math.max(highest, sumFrom(bins[k]!));
  place = from;
  let bin = bins[from]!;
  let sum = sumFrom(bin);
  while (sum < 0.45 * highest) sum = sumFrom(++bin);
  while (up[place]! + down[place]! < sum / 10) place++;
  return bins[place]!;
}
