// Mutual information between what devices did and what the wire showed, in bits.
import { binOf, quantileEdges } from './sample.ts';

/** Values as numbers of bins. */
export interface Binned {
  /** Bin of each value, below `bins`. */
  place: Uint8Array;
  bins: number;
}

/** Cuts values into at most `bins` (≤ 255) bins of about equal counts, so that outliers do not decide the edges. */
export function binByQuantiles(values: ArrayLike<number>, bins: number): Binned {
  const edges = quantileEdges(values, bins);
  const place = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) place[i] = binOf(edges, values[i]!);
  return { place, bins: edges.length + 1 };
}

/**
 * I(X;Y) of two binned series, the plug-in estimate in bits. It is biased upwards by about
 * (bins of X - 1)(bins of Y - 1) / (2 n ln 2) bits (Miller 1955), also where nothing is shared: compare it with a
 * permutation null, or use {@link correctedInformationBits}.
 */
export function mutualInformationBits(x: Binned, y: Binned): number {
  const n = x.place.length;
  const joint = new Float64Array(x.bins * y.bins);
  for (let i = 0; i < n; i++) joint[x.place[i]! * y.bins + y.place[i]!]!++;
  const sumX = new Float64Array(x.bins);
  const sumY = new Float64Array(y.bins);
  for (let i = 0; i < joint.length; i++) {
    sumX[Math.floor(i / y.bins)]! += joint[i]!;
    sumY[i % y.bins]! += joint[i]!;
  }
  let bits = 0;
  for (let i = 0; i < joint.length; i++) {
    const count = joint[i]!;
    if (count === 0) continue;
    bits +=
      (count / n) * Math.log2((count * n) / (sumX[Math.floor(i / y.bins)]! * sumY[i % y.bins]!));
  }
  return bits;
}

/** I(X;Y) less Miller's bias, never below 0, bits. */
export function correctedInformationBits(x: Binned, y: Binned): number {
  const bias = ((x.bins - 1) * (y.bins - 1)) / (2 * x.place.length * Math.LN2);
  return Math.max(0, mutualInformationBits(x, y) - bias);
}
