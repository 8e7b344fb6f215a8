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
  const width = rows[0]?.length ?? 0;
  const center = new Float64Array(width);
  const scale = new Float64Array(width);
  for (let f = 0; f < width; f++) {
    let known = 0;
    let sum = 0;
    let squares = 0;
    for (const row of rows) {
      const value = row[f]!;
      if (Number.isNaN(value)) continue;
      known++;
      sum += value;
    }
    center[f] = known ? sum / known : 0;
    for (const row of rows) if (!Number.isNaN(row[f]!)) squares += (row[f]! - center[f]!) ** 2;
    const sd = known ? Math.sqrt(squares / known) : 0;
    scale[f] = sd > 1e-12 * Math.abs(center[f]!) && sd > 0 ? 1 / sd : 0;
  }
  const standardise = (row: ArrayLike<number>): Float64Array => {
    const x = new Float64Array(width + 1);
    x[0] = 1;
    for (let f = 0; f < width; f++) {
      const value = (row[f]! - center[f]!) * scale[f]!;
      x[f + 1] = Number.isNaN(value) ? 0 : Math.max(-4, Math.min(4, value));
    }
    return x;
  };
  const inputs = rows.map(standardise);
  let positives = 0;
  for (let i = 0; i < n; i++) if (labels[i]) positives++;
  if (positives === 0 || positives === n) throw new RangeError('logistic: both classes need rows');
  const weightOf = [n / (2 * (n - positives)), n / (2 * positives)];
  const size = width + 1;
  const beta = new Float64Array(size);
  for (let round = 0; round < 6; round++) {
    const hessian = Array.from({ length: size }, () => new Float64Array(size));
    const gradient = new Float64Array(size);
    for (let i = 0; i < n; i++) {
      const x = inputs[i]!;
      const label = labels[i] ? 1 : 0;
      const p = 1 / (1 + Math.exp(-dot(beta, x)));
      const weight = weightOf[label]!;
      const curve = weight * Math.max(p * (1 - p), 1e-6);
      for (let a = 0; a < size; a++) {
        gradient[a]! += weight * (label - p) * x[a]!;
        const factor = curve * x[a]!;
        if (factor === 0) continue;
        const row = hessian[a]!;
        for (let b = 0; b <= a; b++) row[b]! += factor * x[b]!;
      }
    }
    for (let a = 0; a < size; a++) {
      const ridge = a === 0 ? 1e-9 * n : penalty * n;
      hessian[a]![a]! += ridge;
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
  return (row) => 1 / (1 + Math.exp(-dot(beta, standardise(row))));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
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
