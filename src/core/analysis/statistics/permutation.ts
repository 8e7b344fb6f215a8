// Permutation tests of many statistics at once, honest about how many were tried.
import { drawIndex, type Random, shuffle } from '../../random/random.ts';
import { firstAtLeast, mean, quantileOfSorted, variance } from './sample.ts';

/** A statistic of how the labels lie on the (fixed) wire. */
export interface LabelTest {
  name: string;
  /** Larger is more leak; a two-sided statistic says so. */
  statistic(labels: Uint8Array): number;
  twoSided: boolean;
  /** Makes the statistic's null closer to normal (a root of a count), so that one skewed test does not drown the others. */
  stabilise?(value: number): number;
  /** Of a statistic of something trained: mean and deviation of its null as training anew on moved labels gives them. */
  fitted?: { mean: number; sd: number };
}

export interface LabelTestResult {
  name: string;
  observed: number;
  /** Mean, deviation and 95 % quantile of the statistic where wire and labels have nothing to do with each other. */
  nullMean: number;
  nullSd: number;
  nullHigh: number;
  /** Distance from the null's mean in its standard deviations, a wide tail counting as a wider deviation; signed. */
  z: number;
  /** Chance of as much under the null: of this test alone, and corrected for all tests of this call. */
  pValue: number;
  adjustedP: number;
}

export interface FamilyResult {
  results: LabelTestResult[];
  /** How many standard deviations a test must be out for an `adjustedP` of `level`. */
  criticalZ(level: number): number;
}

export interface PermutationOptions {
  /** Neighbouring windows moved together. */
  blockLength: number;
  permutations: number;
  random: Random;
}

/**
 * Which window's label each window gets: the series is turned by a random shift, cut into blocks, and the blocks put in
 * random order. Blocks keep how the labels follow each other; their order destroys what labels and wire shared, also
 * where activity is periodic and a shift alone would often land on itself.
 */
export function permuteBlocks(n: number, blockLength: number, random: Random): Int32Array {
  const length = Math.max(1, Math.min(blockLength, n));
  const shift = drawIndex(random, n);
  const order = new Int32Array(Math.ceil(n / length));
  for (let block = 0; block < order.length; block++) order[block] = block;
  shuffle(order, random);
  const result = new Int32Array(n);
  let filled = 0;
  for (const block of order) {
    const end = Math.min(n, (block + 1) * length);
    for (let i = block * length; i < end; i++) result[filled++] = (i + shift) % n;
  }
  return result;
}

/**
 * Tests all statistics with the same block permutations of the labels. `adjustedP` is Westfall and Young's single-step
 * maxT (1993): the chance that *any* of the tests is as far out, which knows how the tests depend on each other. Exact
 * where blocks are exchangeable, which is so where the wire's dependence is shorter than a block.
 */
export function testLabels(
  tests: readonly LabelTest[],
  labels: Uint8Array,
  { blockLength, permutations, random }: PermutationOptions,
): FamilyResult {
  const observed = tests.map((test) => test.statistic(labels));
  const drawn: Float64Array[] = tests.map(() => new Float64Array(permutations));
  const permuted = new Uint8Array(labels.length);
  for (let k = 0; k < permutations; k++) {
    const from = permuteBlocks(labels.length, blockLength, random);
    for (let i = 0; i < permuted.length; i++) permuted[i] = labels[from[i]!]!;
    for (let t = 0; t < tests.length; t++) drawn[t]![k] = tests[t]!.statistic(permuted);
  }
  tests.forEach(({ fitted }, t) => {
    if (fitted) drawn[t] = widen(drawn[t]!, fitted);
  });
  return maxT(tests, observed, drawn);
}

/** Moved labels alone know nothing of what training on them would have changed: gives draws the mean and deviation that it gives. */
export function widen(drawn: Float64Array, fitted: { mean: number; sd: number }): Float64Array {
  const center = mean(drawn);
  const sd = Math.sqrt(variance(drawn));
  const factor = sd > 0 && Number.isFinite(fitted.sd) ? Math.max(1, fitted.sd / sd) : 1;
  return drawn.map((value) => fitted.mean + (value - center) * factor);
}

/** The maxT correction over statistics drawn jointly under the null: `drawn[test][draw]`. */
export function maxT(
  tests: readonly Omit<LabelTest, 'statistic'>[],
  observed: readonly number[],
  drawn: readonly Float64Array[],
): FamilyResult {
  const draws = drawn[0]?.length ?? 0;
  const extreme = new Float64Array(draws).fill(Number.NEGATIVE_INFINITY);
  const singles = tests.map(({ name, twoSided, stabilise = (value) => value }, t) => {
    const values = drawn[t]!;
    const zOf = standardiser(values.map(stabilise), stabilise(observed[t]!), twoSided);
    const z = zOf(stabilise(observed[t]!));
    const own = twoSided ? Math.abs(z) : z;
    let asFar = 0;
    for (let k = 0; k < draws; k++) {
      const drawnZ = zOf(stabilise(values[k]!));
      const away = twoSided ? Math.abs(drawnZ) : drawnZ;
      if (away >= own) asFar++;
      if (away > extreme[k]!) extreme[k] = away;
    }
    const known = values.filter((value) => !Number.isNaN(value)).sort();
    return {
      own,
      result: {
        name,
        observed: observed[t]!,
        nullMean: mean(known),
        nullSd: Math.sqrt(variance(known)),
        nullHigh: quantileOfSorted(known, 0.95),
        z,
        pValue: (asFar + 1) / (draws + 1),
      },
    };
  });
  extreme.sort();
  const results = singles.map(({ own, result }) => {
    const asFar = draws - firstAtLeast(extreme, own);
    return { ...result, adjustedP: (asFar + 1) / (draws + 1) };
  });
  return { results, criticalZ: (level) => quantileOfSorted(extreme, 1 - level) };
}

/**
 * Holm's step-down correction (1979): the chance of any false alarm among all of them stays below what the returned
 * values are compared with, however the tests depend on each other.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  order.forEach((index, k) => {
    largest = Math.max(largest, Math.min(1, pValues[index]! * (pValues.length - k)));
    adjusted[index] = largest;
  });
  return adjusted;
}

/**
 * Distance from the null's mean in units that put its 99 % tail where a normal distribution has it, if that is farther
 * out. The observed value belongs to the null's sample: only so is the correction exact at any number of draws.
 */
function standardiser(
  drawn: Float64Array,
  observed: number,
  twoSided: boolean,
): (value: number) => number {
  const known = Float64Array.from([...drawn, observed]).filter((value) => !Number.isNaN(value));
  const center = mean(known);
  const away = known.map((value) => (twoSided ? Math.abs(value - center) : value - center)).sort();
  const sd = Math.sqrt(variance(known));
  const spread = Math.max(sd, quantileOfSorted(away, 0.99) / (twoSided ? 2.576 : 2.326));
  // Rounding alone must not look like a spread.
  if (!(spread > 1e-12 * Math.abs(center))) return () => 0;
  return (value) => (Number.isNaN(value) ? 0 : (value - center) / spread);
}
