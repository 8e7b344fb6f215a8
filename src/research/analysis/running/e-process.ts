// Evidence that may be looked at any time: products of e-values, each fair given all before it.
import { binOf, quantileOfSorted } from '../../../core/analysis/statistics/sample.ts';

/** Where a feature of slots is cut: what is rare is where a leak of one slot in a thousand shows. */
const EDGES = [0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999];
export const SYMBOLS = EDGES.length + 1;
/** A place that has no value: it stakes nothing. */
export const NO_SYMBOL = SYMBOLS;
/** How hard is bet on a statistic, in its null's deviations; which is right is not known, so each has a share. */
const STAKES = [0.5, 1, 2, 4];
const BOTH_WAYS = [...STAKES, ...STAKES.map((stake) => -stake)];
/** So much of what was seen before counts as if nothing had differed. */
const DOUBT = 40;
/** Of a batch's values at most so many say where the next is cut. */
const SAMPLED = 4000;

/** One batch as the null has it: symbols of the places that activity fell on, and of those it might as well have. */
export interface Placed {
  /** Symbol of each slot. */
  symbols: Uint8Array;
  /** Slots of the activity as it was; beyond the last slot where it has none. */
  observed: Int32Array;
  /** The same moved, each move as likely as what was. */
  moved: readonly Int32Array[];
}

/** How a feature becomes symbols: by quantiles of the batch before, so that whatever follows was not looked at. */
export class SymbolTable {
  #edges: number[] | null = null;
  /** Mean of the values of each symbol, standardised. */
  #values = new Float64Array(SYMBOLS + 1);

  /** Null before the first batch was learned. */
  encode(feature: Float64Array): Uint8Array | null {
    const edges = this.#edges;
    if (edges === null) return null;
    const symbols = new Uint8Array(feature.length);
    for (let i = 0; i < feature.length; i++) {
      const value = feature[i]!;
      symbols[i] = Number.isNaN(value) ? NO_SYMBOL : binOf(edges, value);
    }
    return symbols;
  }

  get values(): Float64Array {
    return this.#values;
  }

  learn(feature: Float64Array): void {
    const step = Math.max(1, Math.floor(feature.length / SAMPLED));
    const sample: number[] = [];
    for (let i = 0; i < feature.length; i += step) {
      if (!Number.isNaN(feature[i]!)) sample.push(feature[i]!);
    }
    const sorted = Float64Array.from(sample).sort();
    if (sorted.length < 100) return;
    const edges = EDGES.map((share) => quantileOfSorted(sorted, share));
    this.#edges = edges;
    const low = quantileOfSorted(sorted, 0.005);
    const high = quantileOfSorted(sorted, 0.995);
    const sums = new Float64Array(SYMBOLS + 1);
    const counts = new Float64Array(SYMBOLS + 1);
    let [sum, squares] = [0, 0];
    for (const raw of sorted) {
      const value = Math.min(high, Math.max(low, raw));
      const symbol = binOf(edges, raw);
      sums[symbol]! += value;
      counts[symbol]!++;
      sum += value;
      squares += value * value;
    }
    const mean = sum / sorted.length;
    const sd = Math.sqrt(Math.max(0, squares / sorted.length - mean * mean)) || 1;
    this.#values = sums.map((own, symbol) =>
      counts[symbol]! > 0 ? (own / counts[symbol]! - mean) / sd : 0,
    );
  }
}

/**
 * One bettor's money. A part is staked anew at each batch, the rest is kept: a leak that begins after a day of none is found
 * soon, too. What is kept and what was made of what was staked is a martingale where each e-value is fair.
 */
class Account {
  #staked = 0;
  #kept = 1;
  #batches = 0;

  get wealth(): number {
    return this.#staked + this.#kept;
  }

  bet(eValue: number): void {
    const stake = 1 / ((this.#batches + 1) * (this.#batches + 2));
    this.#batches++;
    this.#kept -= stake;
    this.#staked = Math.min(RICHEST, (this.#staked + stake) * eValue);
  }
}

/** More would overflow, and says no more. */
const RICHEST = 1e200;

/**
 * Bettors on one feature. Before each batch they fix a score of symbols; the batch's e-value is what the score says of
 * activity where it was, over what it says of activity moved, averaged: 1 in the mean where every move is as likely. Their
 * wealth is a martingale then, and by Ville's inequality ever reaches 1/α with a chance of α at most (Ramdas, Grünwald,
 * Vovk, Shafer 2023). Some bet on what differed before, the others on the mean alone, either way.
 */
export class Bettors {
  readonly #learned = STAKES.map(() => new Account());
  readonly #mean = BOTH_WAYS.map(() => new Account());
  readonly #atActivity = new Float64Array(SYMBOLS + 1);
  readonly #atMoved = new Float64Array(SYMBOLS + 1);

  /** What each has: 1 at the beginning. */
  get wealths(): number[] {
    return [...this.#learned, ...this.#mean].map(({ wealth }) => wealth);
  }

  bet({ symbols, observed, moved }: Placed, values: Float64Array): void {
    const counts = [observed, ...moved].map((places) => countSymbols(symbols, places));
    const learned = this.#learnedScore();
    if (learned) betAll(this.#learned, STAKES, counts, learned);
    betAll(this.#mean, BOTH_WAYS, counts, values);
    counts.forEach((own, i) => {
      const sums = i === 0 ? this.#atActivity : this.#atMoved;
      const weight = i === 0 ? 1 : 1 / moved.length;
      for (let symbol = 0; symbol < SYMBOLS; symbol++) sums[symbol]! += weight * own[symbol]!;
    });
  }

  /** Logarithm of how much likelier each symbol was at activity; null before there was any. */
  #learnedScore(): Float64Array | null {
    const sum = (counts: Float64Array) => counts.reduce((a, b) => a + b, 0);
    const [active, all] = [sum(this.#atActivity), sum(this.#atMoved)];
    if (active === 0 || all === 0) return null;
    return this.#atActivity.map((count, symbol) => {
      const share = this.#atMoved[symbol]! / all;
      return share > 0 ? Math.log((count + DOUBT * share) / (active + DOUBT) / share) : 0;
    });
  }
}

function countSymbols(symbols: Uint8Array, places: Int32Array): Float64Array {
  const counts = new Float64Array(SYMBOLS + 1);
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    counts[place < symbols.length ? symbols[place]! : NO_SYMBOL]!++;
  }
  return counts;
}

/** The first of the counts is what was seen; all are as likely under the null, and the mean over all is that of each. */
function betAll(
  accounts: readonly Account[],
  stakes: readonly number[],
  counts: readonly Float64Array[],
  score: Float64Array,
): void {
  const sums = Float64Array.from(counts, (own) => {
    let sum = 0;
    for (let symbol = 0; symbol < SYMBOLS; symbol++) sum += own[symbol]! * score[symbol]!;
    return sum;
  });
  let mean = 0;
  for (const sum of sums) mean += sum / sums.length;
  let squares = 0;
  for (const sum of sums) squares += (sum - mean) ** 2 / sums.length;
  const sd = Math.sqrt(squares);
  if (!(sd > 1e-9)) return;
  stakes.forEach((stake, i) => {
    let all = 0;
    for (const sum of sums) all += Math.exp((stake * (sum - mean)) / sd);
    accounts[i]!.bet((Math.exp((stake * (sums[0]! - mean)) / sd) * sums.length) / all);
  });
}
