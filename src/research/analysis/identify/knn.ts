// k-nearest-neighbours on standardised features.
import { askNear, type Box, plantTree } from './point-tree.ts';

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

/** Rows ready to be learnt from, all or some of them: what does not depend on which is done once. */
export interface PreparedRows {
  /** Learns the rows at these places by heart. */
  fit: (train: readonly number[], k: number) => NearestNeighbours;
}

/** A place in space where there are rows; `id` numbers places. */
interface Point {
  values: readonly number[];
  id: number;
}

interface Near {
  point: Point;
  distance: number;
}

/** What stands at each point, of what is learnt. */
interface Learnt {
  names: readonly string[];
  /** Rows at a point; and of each label there, point by point. */
  rowsAt: Int32Array;
  labelsAt: Int32Array;
  /** Rows of each label. */
  totals: Int32Array;
}

/** Distances that differ by less are the same: rounding must not choose. */
const SAME = 1 + 1e-9;

/** Learns all rows by heart; see {@link prepareNeighbours}. */
export function fitNearestNeighbours(
  rows: Rows,
  labels: readonly string[],
  k: number,
): NearestNeighbours {
  return prepareNeighbours(rows, labels).fit(
    rows.map((_, place) => place),
    k,
  );
}

/**
 * Makes rows ready. What is learnt is brought to standard deviation 1 *of the training rows*, so that nothing of a row that is
 * tested flows into its own judgement; distance is Euclidean, so that means cancel out.
 */
export function prepareNeighbours(rows: Rows, labels: readonly string[]): PreparedRows {
  const width = rows[0]?.length ?? 0;
  const all = rows.map((_, place) => place);
  const names = [...new Set(labels)];
  const codes = Int32Array.from(labels, (label) => names.indexOf(label));
  const { points, pointOf } = gatherPoints(rows);
  const tree = plantTree(points, describeColumns(rows, all, width));
  const fit = (train: readonly number[], k: number): NearestNeighbours => {
    const deviations = describeColumns(rows, train, width);
    const learnt: Learnt = {
      names,
      rowsAt: new Int32Array(points.length),
      labelsAt: new Int32Array(points.length * names.length),
      totals: new Int32Array(names.length),
    };
    for (const place of train) {
      const [id, code] = [pointOf[place]!, codes[place]!];
      learnt.rowsAt[id]!++;
      learnt.labelsAt[id * names.length + code]!++;
      learnt.totals[code]!++;
    }
    return {
      predict: (row) => vote(nearestPoints(tree, row, { deviations, k, ...learnt }), k, learnt),
    };
  };
  return { fit };
}

function gatherPoints(rows: Rows): { points: Point[]; pointOf: Int32Array } {
  const ids = new Map<string, number>();
  const points: Point[] = [];
  const pointOf = Int32Array.from(rows, (values) => {
    const key = values.join(' ');
    const id = ids.get(key) ?? points.length;
    if (id === points.length) {
      ids.set(key, id);
      points.push({ values, id });
    }
    return id;
  });
  return { points, pointOf };
}

/** The fewest nearest points that hold `k` rows, and all that are as far as the last of them; nearest first. */
function nearestPoints(
  tree: Box<Point>,
  query: readonly number[],
  { deviations, k, rowsAt }: { deviations: readonly number[]; k: number } & Learnt,
): Near[] {
  let near: Near[] = [];
  let bound = Number.POSITIVE_INFINITY;
  askNear(tree, query, deviations, (point) => {
    if (rowsAt[point.id] === 0) return bound;
    let distance = 0;
    for (let c = 0; c < query.length && distance <= bound; c++) {
      distance += ((point.values[c]! - query[c]!) / deviations[c]!) ** 2;
    }
    if (distance > bound) return bound;
    near.push({ point, distance });
    near.sort((a, b) => a.distance - b.distance);
    let held = 0;
    const last = near.find((one) => {
      held += rowsAt[one.point.id]!;
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
function vote(
  near: readonly Near[],
  k: number,
  { names, rowsAt, labelsAt, totals }: Learnt,
): string {
  const votes = new Map<number, { weight: number; distance: number }>();
  let taken = 0;
  for (let from = 0; from < near.length && taken < k; ) {
    const { distance } = near[from]!;
    let to = from;
    let tied = 0;
    while (to < near.length && near[to]!.distance <= distance * SAME)
      tied += rowsAt[near[to++]!.point.id]!;
    const weight = Math.min(1, (k - taken) / tied);
    for (const { point } of near.slice(from, to)) {
      for (let code = 0; code < names.length; code++) {
        const count = labelsAt[point.id * names.length + code]!;
        if (count === 0) continue;
        const own = votes.get(code) ?? { weight: 0, distance };
        votes.set(code, { ...own, weight: own.weight + count * weight });
      }
    }
    taken += tied;
    from = to;
  }
  const ranked = [...votes].sort(
    ([a, one], [b, other]) =>
      (Math.abs(one.weight - other.weight) > 1e-9 ? other.weight - one.weight : 0) ||
      one.distance - other.distance ||
      totals[b]! - totals[a]! ||
      (names[a]! < names[b]! ? -1 : 1),
  );
  return names[ranked[0]![0]]!;
}

/** The standard deviation of each column of the rows at these places. */
function describeColumns(rows: Rows, places: readonly number[], width: number): number[] {
  const means = new Array<number>(width).fill(0);
  const variances = new Array<number>(width).fill(0);
  for (const place of places) {
    for (let c = 0; c < width; c++) means[c]! += rows[place]![c]!;
  }
  for (let c = 0; c < width; c++) means[c]! /= places.length;
  for (const place of places) {
    for (let c = 0; c < width; c++) {
      variances[c]! += (rows[place]![c]! - means[c]!) ** 2 / places.length;
    }
  }
  // A feature that never changes tells nothing: neither divide by zero nor blow up what rounding left of it.
  return variances.map((variance, c) => {
    const deviation = Math.sqrt(variance);
    return deviation > 1e-9 * Math.abs(means[c]!) ? deviation : 1;
  });
}
