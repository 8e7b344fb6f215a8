// Classifiers: they learn what there is to learn, nothing where there is nothing, the same each time, and fast.
import test from 'ava';
import { binRows, type ForestOptions, trainForest } from '../../src/core/analysis/forest.ts';
import { trainLogistic } from '../../src/core/analysis/forest-logistic.ts';
import { crossValidate } from '../../src/core/analysis/forest-validation.ts';
import { auc } from '../../src/core/analysis/statistics/auc.ts';
import { seededRandom } from '../../src/core/random/random.ts';

function uniformRows(seed: number, n: number, width: number): Float64Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => Float64Array.from({ length: width }, () => random()));
}

/** Trained on the first rows, as many as there are labels; scores of all. */
function scoresOf(
  rows: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
  options: ForestOptions,
): number[] {
  const members = Int32Array.from({ length: labels.length }, (_, i) => i);
  return rows.map(trainForest(binRows(rows), members, labels, options));
}

test('forest learns an exclusive or, which no single feature shows', (t) => {
  const rows = uniformRows(1, 600, 6);
  const label = (row: ArrayLike<number>) => (row[0]! > 0.5 === row[1]! > 0.5 ? 1 : 0);
  const fresh = uniformRows(3, 400, 6);
  const scores = scoresOf([...rows, ...fresh], rows.map(label), { random: seededRandom(2) });
  t.true(auc(scores.slice(rows.length), fresh.map(label)) > 0.95);
});

test('forest: same seed, same scores; other seed, other scores', (t) => {
  const rows = uniformRows(1, 100, 4);
  const labels = rows.map((row) => (row[0]! + row[1]! > 1 ? 1 : 0));
  const scores = (seed: number) => scoresOf(rows, labels, { random: seededRandom(seed) });
  t.deepEqual(scores(5), scores(5));
  t.notDeepEqual(scores(5), scores(6));
});

test('forest: missing values, constant features and few positives do not disturb it', (t) => {
  const rows = uniformRows(7, 200, 3).map((row) => [
    row[0]!,
    1,
    row[1]! > 0.9 ? Number.NaN : row[1]!,
  ]);
  const labels = rows.map((row) => (row[0]! > 0.95 ? 1 : 0));
  const scores = scoresOf(rows, labels, { random: seededRandom(1), leafRows: 1 });
  t.true(auc(scores, labels) > 0.99);
  t.throws(() => scoresOf(rows, new Uint8Array(200), { random: seededRandom(1) }), {
    instanceOf: RangeError,
  });
});

test('forest: 2000 rows of 30 features, 100 trees, within seconds', (t) => {
  const rows = uniformRows(1, 2000, 30);
  const random = seededRandom(9);
  const labels = rows.map((row) => (row[0]! + random() > 1 ? 1 : 0));
  const startedMs = performance.now();
  scoresOf(rows, labels, { random });
  t.true(performance.now() - startedMs < 5000);
});

test('logistic regression finds a faint sum of many features', (t) => {
  const rows = uniformRows(4, 800, 20);
  const random = seededRandom(5);
  const label = (row: ArrayLike<number>) => {
    let sum = 0;
    for (let f = 0; f < 20; f++) sum += row[f]! - 0.5;
    return sum + 3 * (random() - 0.5) > 0 ? 1 : 0;
  };
  const score = trainLogistic(rows, rows.map(label));
  const fresh = uniformRows(6, 800, 20);
  t.true(auc(fresh.map(score), fresh.map(label)) > 0.8);
});

test('cross-validation finds nothing in nothing: AUC about 0.5, not below', (t) => {
  let sum = 0;
  const runs = 30;
  for (let seed = 1; seed <= runs; seed++) {
    const random = seededRandom(seed, 8);
    const rows = uniformRows(seed + 100, 120, 10);
    const binned = binRows(rows);
    let state = 0;
    const labels = Uint8Array.from({ length: 120 }, () => {
      if (random() < 0.2) state = 1 - state;
      return state;
    });
    const scores = crossValidate(
      rows,
      labels,
      (_, own, members) =>
        trainForest(binned, members, own, { random: seededRandom(seed), trees: 20 }),
      { random, blockLength: 5 },
    );
    sum += auc(scores!, labels);
  }
  // Standard error of the mean of 30 such runs: 0.053/√30 ≈ 0.01.
  t.true(Math.abs(sum / runs - 0.5) < 0.035, String(sum / runs));
});

test('cross-validation never trains on what it scores, nor on its neighbours', (t) => {
  const rows = Array.from({ length: 60 }, (_, i) => [i]);
  const labels = Uint8Array.from({ length: 60 }, (_, i) => i % 2);
  let pairs = 0;
  const scores = crossValidate(
    rows,
    labels,
    (taught) => {
      const known = new Set(taught.map((row) => row[0]!));
      return (row) => {
        for (const near of [row[0]! - 1, row[0]!, row[0]! + 1]) if (known.has(near)) pairs++;
        return row[0]!;
      };
    },
    { random: seededRandom(1), blockLength: 6, folds: 5, purge: 1 },
  );
  t.is(pairs, 0);
  t.is(scores?.length, 60);
});

test('few rows are dealt more than once: what little there is to learn is found more surely', (t) => {
  const runs = 12;
  let sum = 0;
  for (let seed = 0; seed < runs; seed++) {
    const random = seededRandom(seed, 7);
    const labels = Uint8Array.from({ length: 30 }, () => (random() < 0.5 ? 1 : 0));
    const rows = uniformRows(seed, 30, 20).map((row, i) =>
      row.map((value, f) => value + (f < 3 && labels[i] ? 0.5 : 0)),
    );
    const binned = binRows(rows);
    const train = (_: readonly ArrayLike<number>[], own: Uint8Array, members: Int32Array) =>
      trainForest(binned, members, own, { random: seededRandom(seed), trees: 30 });
    sum += auc(crossValidate(rows, labels, train, { random, blockLength: 2 })!, labels);
  }
  // One deal each gives 0.76 over these runs.
  t.true(sum / runs > 0.8, String(sum / runs));
});

test('cross-validation gives up where a class is missing from a training set', (t) => {
  const rows = uniformRows(1, 20, 2);
  t.is(
    crossValidate(rows, new Uint8Array(20), (taught, own) => trainLogistic(taught, own), {
      random: seededRandom(1),
      blockLength: 2,
    }),
    null,
  );
});
