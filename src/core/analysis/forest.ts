// A random forest of our own: seeded, binary, fast enough to be trained on the router's last hour.
import { drawIndex, type Random } from '../random/random.ts';
import { binOf, quantileEdges } from './statistics/sample.ts';

/** Gives a row of features a score, or that of an index among rows known before: larger means rather active. */
export type Scorer = (row: ArrayLike<number>, index: number) => number;

export interface ForestOptions {
  random: Random;
  trees?: number;
  maxDepth?: number;
  /** Fewest rows a leaf may hold. */
  leafRows?: number;
}

/** Features are cut into this many bins: a split is then a scan of counts, not of sorted values. */
const BINS = 32;

interface Tree {
  /** Per node: the feature split on, -1 at a leaf. */
  feature: Int16Array;
  /** Rows whose bin is at most this go left; at a leaf unused. */
  threshold: Uint8Array;
  left: Int32Array;
  right: Int32Array;
  /** Share of active rows at a leaf. */
  share: Float64Array;
}

/** Rows cut into bins once, for many forests. */
export interface BinnedRows {
  /** Of each feature. */
  edges: readonly (readonly number[])[];
  columns: readonly Uint8Array[];
  /** Features that are not the same everywhere. */
  useful: readonly number[];
}

/** Cuts rows into bins; knows no labels. NaN counts as the lowest value. */
export function binRows(rows: readonly ArrayLike<number>[]): BinnedRows {
  const edges = Array.from({ length: rows[0]?.length ?? 0 }, (_, f) =>
    quantileEdges(
      rows.map((row) => row[f]!),
      BINS,
    ),
  );
  return {
    edges,
    columns: edges.map((list, f) => Uint8Array.from(rows, (row) => binOf(list, row[f]!))),
    useful: edges.flatMap((list, f) => (list.length ? [f] : [])),
  };
}

/**
 * Trains a random forest (Breiman 2001) on some of the rows binned before; it scores any of them by index. Each tree's
 * bootstrap draws as many active as idle rows, so that a score does not carry the training set's share of activity: without
 * that, scores pooled over the folds of a cross-validation rank worse than chance where nothing is to be learned.
 * @param members which rows to train on
 * @param labels of the members, in their order; 1 = active
 * @throws RangeError where a class is empty
 */
export function trainForest(
  binned: BinnedRows,
  members: Int32Array,
  labels: ArrayLike<number>,
  options: ForestOptions,
): Scorer {
  const grown = growForest(binned, members, labels, options);
  return (_, index) => scoreBy(grown, (feature) => binned.columns[feature]![index]!);
}

function scoreBy(trees: readonly Tree[], binAt: (feature: number) => number): number {
  let sum = 0;
  for (const tree of trees) sum += shareAtLeaf(tree, binAt);
  return sum / trees.length;
}

function growForest(
  { columns, useful }: BinnedRows,
  members: Int32Array,
  labels: ArrayLike<number>,
  { random, trees = 100, maxDepth = 12, leafRows = 2 }: ForestOptions,
): Tree[] {
  const classes: [number[], number[]] = [[], []];
  const active = new Uint8Array(members.reduce((most, row) => Math.max(most, row + 1), 0));
  members.forEach((row, i) => {
    active[row] = labels[i] ? 1 : 0;
    classes[active[row] ? 1 : 0].push(row);
  });
  if (!classes[0].length || !classes[1].length) {
    throw new RangeError('forest: both classes need rows');
  }
  return Array.from({ length: trees }, () => {
    const sample = new Int32Array(members.length);
    for (let i = 0; i < sample.length; i++) {
      const side = classes[i % 2 ? 1 : 0];
      sample[i] = side[drawIndex(random, side.length)]!;
    }
    return growTree(sample, columns, active, useful, { random, maxDepth, leafRows });
  });
}

function shareAtLeaf(tree: Tree, binAt: (feature: number) => number): number {
  let node = 0;
  while (tree.feature[node]! >= 0) {
    node =
      binAt(tree.feature[node]!) <= tree.threshold[node]! ? tree.left[node]! : tree.right[node]!;
  }
  return tree.share[node]!;
}

interface GrowOptions {
  random: Random;
  maxDepth: number;
  leafRows: number;
}

function growTree(
  sample: Int32Array,
  binned: readonly Uint8Array[],
  labels: ArrayLike<number>,
  useful: readonly number[],
  { random, maxDepth, leafRows }: GrowOptions,
): Tree {
  const most = 2 * sample.length + 1;
  const tree: Tree = {
    feature: new Int16Array(most).fill(-1),
    threshold: new Uint8Array(most),
    left: new Int32Array(most),
    right: new Int32Array(most),
    share: new Float64Array(most),
  };
  const tried = Math.max(1, Math.round(Math.sqrt(useful.length)));
  const candidates = Int32Array.from(useful);
  let nodes = 1;
  const open = [{ node: 0, from: 0, to: sample.length, depth: 0 }];
  for (let item = open.pop(); item; item = open.pop()) {
    const { node, from, to, depth } = item;
    let positives = 0;
    for (let i = from; i < to; i++) if (labels[sample[i]!]) positives++;
    tree.share[node] = positives / (to - from);
    if (positives === 0 || positives === to - from || depth >= maxDepth) continue;
    const split = bestSplit(sample, from, to, positives, binned, labels, drawFeatures(), leafRows);
    if (!split) continue;
    const bins = binned[split.feature]!;
    let middle = from;
    for (let i = from; i < to; i++) {
      const row = sample[i]!;
      if (bins[row]! > split.threshold) continue;
      sample[i] = sample[middle]!;
      sample[middle++] = row;
    }
    tree.feature[node] = split.feature;
    tree.threshold[node] = split.threshold;
    tree.left[node] = nodes++;
    tree.right[node] = nodes++;
    open.push({ node: tree.left[node]!, from, to: middle, depth: depth + 1 });
    open.push({ node: tree.right[node]!, from: middle, to, depth: depth + 1 });
  }
  return tree;

  function drawFeatures(): Int32Array {
    for (let k = 0; k < tried && k < candidates.length; k++) {
      const j = k + drawIndex(random, candidates.length - k);
      const kept = candidates[k]!;
      candidates[k] = candidates[j]!;
      candidates[j] = kept;
    }
    return candidates.subarray(0, tried);
  }
}

const total = new Float64Array(BINS);
const active = new Float64Array(BINS);

/** The split with the least Gini impurity among the features, null where none parts the rows. */
function bestSplit(
  sample: Int32Array,
  from: number,
  to: number,
  positives: number,
  binned: readonly Uint8Array[],
  labels: ArrayLike<number>,
  features: Int32Array,
  leafRows: number,
): { feature: number; threshold: number } | null {
  const n = to - from;
  let best: { feature: number; threshold: number } | null = null;
  let bestGain = (positives * positives + (n - positives) ** 2) / n + 1e-9;
  for (const feature of features) {
    const bins = binned[feature]!;
    total.fill(0);
    active.fill(0);
    for (let i = from; i < to; i++) {
      const bin = bins[sample[i]!]!;
      total[bin]!++;
      if (labels[sample[i]!]) active[bin]!++;
    }
    let left = 0;
    let leftActive = 0;
    for (let bin = 0; bin + 1 < BINS; bin++) {
      left += total[bin]!;
      leftActive += active[bin]!;
      if (total[bin] === 0 || left < leafRows) continue;
      const right = n - left;
      if (right < leafRows) break;
      const rightActive = positives - leftActive;
      // Largest sum of squares over size is least Gini impurity.
      const gain =
        (leftActive ** 2 + (left - leftActive) ** 2) / left +
        (rightActive ** 2 + (right - rightActive) ** 2) / right;
      if (gain > bestGain) {
        bestGain = gain;
        best = { feature, threshold: bin };
      }
    }
  }
  return best;
}
