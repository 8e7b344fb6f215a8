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

/** Features are cut into this many bins, as many as a word has bits: a split is then a scan of counts, not of sorted values. */
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
  const weights = new Float64Array(active.length);
  return Array.from({ length: trees }, () => {
    weights.fill(0);
    for (let i = 0; i < members.length; i++) {
      const side = i % 2 ? 1 : 0;
      weights[classes[side][drawIndex(random, classes[side].length)]!]! += 1 + side * ACTIVE;
    }
    const sample = members.filter((row) => weights[row]! > 0);
    return growTree(sample, weights, columns, useful, { random, maxDepth, leafRows });
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

/**
 * @param sample rows drawn; put in order anew
 * @param weights how often each row was drawn, of active rows with as many times `ACTIVE`
 */
function growTree(
  sample: Int32Array,
  weights: Float64Array,
  binned: readonly Uint8Array[],
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
    let weight = 0;
    for (let i = from; i < to; i++) weight += weights[sample[i]!]!;
    const positives = activeOf(weight);
    const rows = weight - positives * ACTIVE;
    tree.share[node] = positives / rows;
    if (positives === 0 || positives === rows || depth >= maxDepth) continue;
    const rowsOfNode = sample.subarray(from, to);
    const split = bestSplit(rowsOfNode, weights, weight, binned, drawFeatures(), leafRows);
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

/** Counts of rows, and of active ones as many times this: one sum in the place of two. */
const ACTIVE = 2 ** 26;

function activeOf(weight: number): number {
  return (weight * (1 / ACTIVE)) | 0;
}

/** The weight in each bin; none between two splits. */
const heldBy = new Float64Array(BINS);

/** The split with the least Gini impurity among the features, null where none parts the rows. */
function bestSplit(
  sample: Int32Array,
  weights: Float64Array,
  weight: number,
  binned: readonly Uint8Array[],
  features: Int32Array,
  leafRows: number,
): { feature: number; threshold: number } | null {
  const positives = activeOf(weight);
  const n = weight - positives * ACTIVE;
  let bestFeature = -1;
  let threshold = 0;
  let bestGain = (positives * positives + (n - positives) ** 2) / n + 1e-9;
  for (const feature of features) {
    const bins = binned[feature]!;
    // A bit for each bin that holds rows: most nodes have few, and then most bins none.
    let filled = 0;
    for (let i = 0; i < sample.length; i++) {
      const row = sample[i]!;
      const bin = bins[row]!;
      filled |= 1 << bin;
      heldBy[bin]! += weights[row]!;
    }
    let left = 0;
    let leftActive = 0;
    while (filled !== 0) {
      const bin = 31 - Math.clz32(filled & -filled);
      filled &= filled - 1;
      const held = heldBy[bin]!;
      heldBy[bin] = 0;
      const heldActive = activeOf(held);
      left += held - heldActive * ACTIVE;
      leftActive += heldActive;
      const right = n - left;
      if (left < leafRows || right < leafRows) continue;
      const rightActive = positives - leftActive;
      const leftIdle = left - leftActive;
      const rightIdle = right - rightActive;
      // Largest sum of squares over size is least Gini impurity.
      const gain =
        (leftActive * leftActive + leftIdle * leftIdle) / left +
        (rightActive * rightActive + rightIdle * rightIdle) / right;
      if (gain > bestGain) {
        bestGain = gain;
        bestFeature = feature;
        threshold = bin;
      }
    }
  }
  return bestFeature < 0 ? null : { feature: bestFeature, threshold };
}
