// Logistic regression: finds many small effects that add up, where a forest sees only noise in each.
import type { Scorer } from './forest.ts';

/**
 * Ridge logistic regression on standardised features, both classes weighing the same, fitted by iteratively reweighted
 * least squares. Values are clipped at four standard deviations so that single outliers do not rule.
 * @param penalty ridge per row
 */
export function trainLogistic(
  rows: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
  penalty = 0.05,
): Scorer {
  const n = rows.length;
  const columns = standardColumns(rows);
  const size = columns.length + 1;
  const inputs = Array.from({ length: size }, () => new Float64Array(n));
  const judged = new Float64Array(size);
  for (let i = 0; i < n; i++) {
    standardise(columns, rows[i]!, judged);
    for (let a = 0; a < size; a++) inputs[a]![i] = judged[a]!;
  }
  let positives = 0;
  for (let i = 0; i < n; i++) if (labels[i]) positives++;
  if (positives === 0 || positives === n) throw new RangeError('logistic: both classes need rows');
  const weightOf = [n / (2 * (n - positives)), n / (2 * positives)];
  const beta = new Float64Array(size);
  const hessian = Array.from({ length: size }, (_, a) => new Float64Array(a + 1));
  const gradient = new Float64Array(size);
  const sums = new Float64Array(n);
  const curves = new Float64Array(n);
  const pulls = new Float64Array(n);
  const curved = new Float64Array(n);
  for (let round = 0; round < 6; round++) {
    sums.fill(0);
    for (let a = 0; a < size; a++) {
      const x = inputs[a]!;
      const factor = beta[a]!;
      for (let i = 0; i < n; i++) sums[i]! += factor * x[i]!;
    }
    for (let i = 0; i < n; i++) {
      const label = labels[i] ? 1 : 0;
      const p = 1 / (1 + Math.exp(-sums[i]!));
      curves[i] = weightOf[label]! * Math.max(p * (1 - p), 1e-6);
      pulls[i] = weightOf[label]! * (label - p);
    }
    for (let a = 0; a < size; a++) {
      const x = inputs[a]!;
      gradient[a] = dot(pulls, x);
      for (let i = 0; i < n; i++) curved[i] = curves[i]! * x[i]!;
      const row = hessian[a]!;
      for (let b = 0; b <= a; b++) row[b] = dot(curved, inputs[b]!);
      const ridge = a === 0 ? 1e-9 * n : penalty * n;
      row[a]! += ridge;
      gradient[a]! -= ridge * beta[a]!;
    }
    const step = solveCholesky(hessian, gradient);
    let largest = 0;
    for (let a = 0; a < size; a++) {
      beta[a]! += step[a]!;
      largest = Math.max(largest, Math.abs(step[a]!));
    }
    if (largest < 1e-3) break;
  }
  return (row) => {
    standardise(columns, row, judged);
    return 1 / (1 + Math.exp(-dot(beta, judged)));
  };
}

/** A feature that is not the same everywhere. */
interface Column {
  feature: number;
  center: number;
  /** One over its deviation. */
  scale: number;
}

function standardColumns(rows: readonly ArrayLike<number>[]): Column[] {
  return Array.from({ length: rows[0]?.length ?? 0 }, (_, feature) => {
    let known = 0;
    let sum = 0;
    for (const row of rows) {
      const value = row[feature]!;
      if (Number.isNaN(value)) continue;
      known++;
      sum += value;
    }
    const center = known ? sum / known : 0;
    let squares = 0;
    for (const row of rows) {
      if (!Number.isNaN(row[feature]!)) squares += (row[feature]! - center) ** 2;
    }
    const sd = known ? Math.sqrt(squares / known) : 0;
    return { feature, center, scale: sd > 1e-12 * Math.abs(center) && sd > 0 ? 1 / sd : 0 };
  }).filter(({ scale }) => scale > 0);
}

/** Writes a one and a row's features, those unknown as their mean. */
function standardise(
  columns: readonly Column[],
  row: ArrayLike<number>,
  target: Float64Array,
): void {
  target[0] = 1;
  for (let f = 0; f < columns.length; f++) {
    const { feature, center, scale } = columns[f]!;
    const value = (row[feature]! - center) * scale;
    target[f + 1] = Number.isNaN(value) ? 0 : Math.max(-4, Math.min(4, value));
  }
}

/** Four sums side by side: each addition would wait for the one before. */
function dot(a: Float64Array, b: Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = a.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (let i = whole; i < a.length; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + (s2 + s3);
}

/** Solves A x = b for symmetric positive definite A, of which the lower half is given; A is overwritten. */
function solveCholesky(matrix: Float64Array[], b: Float64Array): Float64Array {
  const n = b.length;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i]![j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i]![k]! * matrix[j]![k]!;
      matrix[i]![j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / matrix[j]![j]!;
    }
  }
  const x = Float64Array.from(b);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= matrix[i]![k]! * x[k]!;
    x[i]! /= matrix[i]![i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= matrix[k]![i]! * x[k]!;
    x[i]! /= matrix[i]![i]!;
  }
  return x;
}
