// Moments, quantiles and ranks of a sample.

/** Mean; NaN for an empty sample. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Unbiased variance (divided by n - 1), two passes; NaN below two values. */
export function variance(values: ArrayLike<number>): number {
  if (values.length < 2) return Number.NaN;
  const m = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - m) ** 2;
  return sum / (values.length - 1);
}

/** Quantile of *sorted* values by linear interpolation (Hyndman and Fan's type 7); NaN for an empty sample. */
export function quantileOfSorted(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (place - below);
}

/** Median of values in any order; NaN for an empty sample. */
export function median(values: ArrayLike<number>): number {
  return quantileOfSorted(Float64Array.from(values).sort(), 0.5);
}

/** Ranks from 1; equal values share the mean of their ranks. NaNs get the middle rank. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const known: number[] = [];
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i]!)) known.push(i);
  known.sort((a, b) => values[a]! - values[b]!);
  const result = new Float64Array(values.length).fill((known.length + 1) / 2);
  for (let from = 0; from < known.length; ) {
    let to = from + 1;
    while (to < known.length && values[known[to]!] === values[known[from]!]) to++;
    for (let k = from; k < to; k++) result[known[k]!] = (from + 1 + to) / 2;
    from = to;
  }
  return result;
}

/** Edges that cut the values into at most `bins` bins of about equal counts; strictly increasing, inner edges only. */
export function quantileEdges(values: ArrayLike<number>, bins: number): number[] {
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();
  const edges: number[] = [];
  for (let k = 1; k < bins; k++) {
    const edge = quantileOfSorted(sorted, k / bins);
    if (edge > (edges.at(-1) ?? sorted[0]!)) edges.push(edge);
  }
  return edges;
}

/** The bin of a value: how many edges are at or below it. NaN falls into the first. */
export function binOf(edges: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (edges[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Place of the first of sorted values that is not below one; their number where all are. */
export function firstAtLeast(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
