// Points in space by which neighbours are found without asking all of them: a k-d tree (Bentley 1975).

/** A box of points, parted where one coordinate is widest, or so few that all are asked. */
type Node<P> =
  | { points: readonly P[] }
  | { axis: number; at: number; below: Node<P>; above: Node<P> };

const FEW = 8;

/** Anything with coordinates. */
export interface Placed {
  values: Float64Array;
}

/** Parts points into boxes, each at its middle; those of one place stay together. */
export function plantTree<P extends Placed>(points: readonly P[]): Node<P> {
  if (points.length <= FEW) return { points };
  const { axis, low, high } = widestAxis(points);
  const at = (low + high) / 2;
  if (at <= low || at >= high) return { points };
  const below: P[] = [];
  const above: P[] = [];
  for (const point of points) (point.values[axis]! < at ? below : above).push(point);
  return { axis, at, below: plantTree(below), above: plantTree(above) };
}

/**
 * Asks points near `query`, the nearest boxes first. `ask` is called with each whose box may lie within the bound, and returns
 * the bound from then on: the square of a distance.
 */
export function askNear<P extends Placed>(
  node: Node<P>,
  query: Float64Array,
  ask: (point: P) => number,
  bound = Number.POSITIVE_INFINITY,
): number {
  if ('points' in node) {
    let least = bound;
    for (const point of node.points) least = ask(point);
    return least;
  }
  const away = query[node.axis]! - node.at;
  const [near, far] = away < 0 ? [node.below, node.above] : [node.above, node.below];
  const left = askNear(near, query, ask, bound);
  return away * away <= left ? askNear(far, query, ask, left) : left;
}

function widestAxis(points: readonly Placed[]): { axis: number; low: number; high: number } {
  let widest = { axis: 0, low: 0, high: 0 };
  for (let axis = 0; axis < points[0]!.values.length; axis++) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { values } of points) {
      low = Math.min(low, values[axis]!);
      high = Math.max(high, values[axis]!);
    }
    if (high - low > widest.high - widest.low) widest = { axis, low, high };
  }
  return widest;
}
