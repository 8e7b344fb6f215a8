// k-nearest-neighbours on standardised features.
import { askNear, plantTree } from './point-tree.ts';

/** Rows of numbers, all of one length. */
export type Rows = readonly (readonly number[])[];

export interface Classifier {
  predict: (row: readonly number[]) => string;
}

export interface NearestNeighbours extends Classifier {
  /**
   * The label most of the `k` nearest training rows have. Rows as near as the last of them share its place, all of them:
   * windows that look the same are many, and none of them comes first. Among equals, the label of the nearest; then the
   * commonest.
   */
  predict: (row: readonly number[]) => string;
}

/** Rows that are the same, and how many of each label there are. */
interface Point {
  values: Float64Array;
  counts: Map<string, number>;
  rows: number;
}

/** Distances that differ by less are the same: rounding must not choose. */
const SAME = 1 + 1e-9;

/**
 * Learns by heart. Features are brought to mean 0 and standard deviation 1 *of the training rows*, so that nothing of
 * a row that is tested flows into its own judgement; distance is Euclidean.
 * @param keys what rows that are the same have in common, where it is known already
 */
export function fitNearestNeighbours(
  rows: Rows,
  labels: readonly string[],
  k: number,
  keys: readonly string[] = rows.map(keyOf),
): NearestNeighbours {
  const width = rows[0]?.length ?? 0;
  const { means, deviations } = describeColumns(rows, width);
  const standardise = (row: readonly number[]) =>
    Float64Array.from(row, (value, c) => (value - means[c]!) / deviations[c]!);
  const tree = plantTree(gatherPoints(rows, labels, keys, standardise));
  const totals = new Map<string, number>();
  for (const label of labels) totals.set(label, (totals.get(label) ?? 0) + 1);
  const predict = (row: readonly number[]): string => {
    const near = nearestPoints(tree, standardise(row), k);
    return vote(near, k, totals);
  };
  return { predict };
}

/** The same for rows that are the same. */
export function keyOf(row: readonly number[]): string {
  return row.join(' ');
}

function gatherPoints(
  rows: Rows,
  labels: readonly string[],
  keys: readonly string[],
  standardise: (row: readonly number[]) => Float64Array,
): Point[] {
  const points = new Map<string, Point>();
  rows.forEach((row, r) => {
    const key = keys[r]!;
    let point = points.get(key);
    if (!point) {
      point = { values: standardise(row), counts: new Map(), rows: 0 };
      points.set(key, point);
    }
    point.rows++;
    point.counts.set(labels[r]!, (point.counts.get(labels[r]!) ?? 0) + 1);
  });
  return [...points.values()];
}

interface Near {
  point: Point;
  distance: number;
}

/** The fewest nearest points that hold `k` rows, and all that are as far as the last of them; nearest first. */
function nearestPoints(
  tree: ReturnType<typeof plantTree<Point>>,
  query: Float64Array,
  k: number,
): Near[] {
  let near: Near[] = [];
  let bound = Number.POSITIVE_INFINITY;
  askNear(tree, query, (point) => {
    let distance = 0;
    for (let c = 0; c < query.length && distance <= bound; c++) {
      distance += (point.values[c]! - query[c]!) ** 2;
    }
    if (distance > bound) return bound;
    near.push({ point, distance });
    near.sort((a, b) => a.distance - b.distance);
    let held = 0;
    const last = near.find((one) => {
      held += one.point.rows;
      return held >= k;
    });
    if (last) {
      bound = last.distance * SAME;
      near = near.filter((one) => one.distance <= bound);
    }
    return bound;
  });
  return near;
}

/** Each row has a vote; those as far as the `k`-th share the places that nearer ones left. */
function vote(near: readonly Near[], k: number, totals: ReadonlyMap<string, number>): string {
  const votes = new Map<string, { weight: number; distance: number }>();
  let taken = 0;
  for (let from = 0; from < near.length && taken < k; ) {
    const { distance } = near[from]!;
    let to = from;
    let tied = 0;
    while (to < near.length && near[to]!.distance <= distance * SAME)
      tied += near[to++]!.point.rows;
    const weight = Math.min(1, (k - taken) / tied);
    for (const { point } of near.slice(from, to)) {
      for (const [label, count] of point.counts) {
        const own = votes.get(label) ?? { weight: 0, distance };
        votes.set(label, { ...own, weight: own.weight + count * weight });
      }
    }
    taken += tied;
    from = to;
  }
  const ranked = [...votes].sort(
    ([a, one], [b, other]) =>
      (Math.abs(one.weight - other.weight) > 1e-9 ? other.weight - one.weight : 0) ||
      one.distance - other.distance ||
      totals.get(b)! - totals.get(a)! ||
      (a < b ? -1 : 1),
  );
  return ranked[0]![0];
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
