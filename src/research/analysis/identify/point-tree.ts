// Points in space by which neighbours are found without asking all of them: a k-d tree (Bentley 1975).

/** A box of points, parted where one coordinate is widest, or so few that all are asked. */
export type Box<P> =
  | { points: readonly P[] }
  | { axis: number; at: number; below: Box<P>; above: Box<P> };

const FEW = 8;

/** Anything with coordinates. */
interface Placed {
  values: readonly number[];
}

/** Parts points into boxes, each at its middle; those of one place stay together. `units` are the lengths that count as one. */
export function plantTree<P extends Placed>(
  points: readonly P[],
  units: readonly number[],
): Box<P> {
  if (points.length <= FEW) return { points };
  const { axis, low, high } = widestAxis(points, units);
  const at = (low + high) / 2;
  if (at <= low || at >= high) return { points };
  const below: P[] = [];
  const above: P[] = [];
  for (const point of points) (point.values[axis]! < at ? below : above).push(point);
  return { axis, at, below: plantTree(below, units), above: plantTree(above, units) };
}

/**
 * Asks points near `query`, the nearest boxes first. `ask` is called with each whose box may lie within the bound, and returns
 * the bound from then on: the square of a distance, in these units.
 */
export function askNear<P extends Placed>(
  box: Box<P>,
  query: readonly number[],
  units: readonly number[],
  ask: (point: P) => number,
  bound = Number.POSITIVE_INFINITY,
): number {
  if ('points' in box) {
    let least = bound;
    for (const point of box.points) least = ask(point);
    return least;
  }
  const away = (query[box.axis]! - box.at) / units[box.axis]!;
  const [near, far] = away < 0 ? [box.below, box.above] : [box.above, box.below];
  const left = askNear(near, query, units, ask, bound);
  return away * away <= left ? askNear(far, query, units, ask, left) : left;
}

function widestAxis(
  points: readonly Placed[],
  units: readonly number[],
): { axis: number; low: number; high: number } {
  let widest = { axis: 0, low: 0, high: 0, width: 0 };
  for (let axis = 0; axis < units.length; axis++) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { values } of points) {
      low = Math.min(low, values[axis]!);
      high = Math.max(high, values[axis]!);
    }
    const width = (high - low) / units[axis]!;
    if (width > widest.width) widest = { axis, low, high, width };
  }
  return widest;
}
