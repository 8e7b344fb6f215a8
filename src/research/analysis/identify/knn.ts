// k-nearest-neighbours on standardised features.

/** Rows of numbers, all of one length. */
export type Rows = readonly (readonly number[])[];

export interface NearestNeighbours {
  /** The label most of the `k` nearest training rows have; among equals, that of the nearest. */
  predict: (row: readonly number[]) => string;
}

/**
 * Learns by heart. Features are brought to mean 0 and standard deviation 1 *of the training rows*, so that nothing of
 * a row that is tested flows into its own judgement; distance is Euclidean.
 */
export function fitNearestNeighbours(
  rows: Rows,
  labels: readonly string[],
  k: number,
): NearestNeighbours {
  const width = rows[0]?.length ?? 0;
  const { means, deviations } = describeColumns(rows, width);
  const names = [...new Set(labels)];
  const codeOf = new Map(names.map((name, code) => [name, code]));
  const codes = Int32Array.from(labels, (label) => codeOf.get(label)!);
  const points = new Float64Array(rows.length * width);
  rows.forEach((row, r) => {
    for (let c = 0; c < width; c++) points[r * width + c] = (row[c]! - means[c]!) / deviations[c]!;
  });
  const query = new Float64Array(width);
  const nearest = new Int32Array(k);
  const distances = new Float64Array(k);

  const predict = (row: readonly number[]): string => {
    for (let c = 0; c < width; c++) query[c] = (row[c]! - means[c]!) / deviations[c]!;
    let found = 0;
    for (let r = 0; r < codes.length; r++) {
      const bound = found < k ? Number.POSITIVE_INFINITY : distances[k - 1]!;
      let distance = 0;
      for (let c = 0, at = r * width; c < width && distance < bound; c++, at++) {
        const difference = points[at]! - query[c]!;
        distance += difference * difference;
      }
      if (distance >= bound) continue;
      if (found < k) found++;
      let place = found - 1;
      for (; place > 0 && distances[place - 1]! > distance; place--) {
        distances[place] = distances[place - 1]!;
        nearest[place] = nearest[place - 1]!;
      }
      distances[place] = distance;
      nearest[place] = r;
    }
    return names[vote(nearest, found, codes)]!;
  };
  return { predict };
}

function describeColumns(rows: Rows, width: number): { means: number[]; deviations: number[] } {
  const means = new Array<number>(width).fill(0);
  const deviations = new Array<number>(width).fill(0);
  for (const row of rows) for (let c = 0; c < width; c++) means[c]! += row[c]!;
  for (let c = 0; c < width; c++) means[c]! /= rows.length;
  for (const row of rows) {
    for (let c = 0; c < width; c++) deviations[c]! += (row[c]! - means[c]!) ** 2 / rows.length;
  }
  // A feature that never changes tells nothing: neither divide by zero nor blow up what rounding left of it.
  const scale = deviations.map((variance, c) => {
    const deviation = Math.sqrt(variance);
    return deviation > 1e-9 * Math.abs(means[c]!) ? deviation : 1;
  });
  return { means, deviations: scale };
}

function vote(nearest: Int32Array, found: number, codes: Int32Array): number {
  let winner = codes[nearest[0]!]!;
  let most = 0;
  for (let i = 0; i < found; i++) {
    const code = codes[nearest[i]!]!;
    let count = 0;
    for (let j = 0; j < found; j++) if (codes[nearest[j]!] === code) count++;
    if (count > most) {
      most = count;
      winner = code;
    }
  }
  return winner;
}
