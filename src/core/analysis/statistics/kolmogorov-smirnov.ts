// Two-sample Kolmogorov–Smirnov test: do two samples of intervals come from one distribution?

export interface KolmogorovSmirnov {
  /** D: the largest distance between the two empirical distributions. */
  statistic: number;
  /** Chance of a D at least as large where both samples have one distribution and are independent. */
  pValue: number;
  /** `exact` for small samples without ties, else `asymptotic`. */
  method: 'exact' | 'asymptotic';
}

/** Products of sample sizes up to this are counted exactly. */
const EXACT_UP_TO = 10_000;

/**
 * Two-sided two-sample test. Exact p by counting lattice paths (Hodges 1958) for small samples without ties, else
 * Kolmogorov's limit distribution with Stephens' correction for finite samples. Assumes independent observations: where
 * the intervals are correlated, calibrate D by permuting labels instead.
 * @throws RangeError on an empty sample
 */
export function kolmogorovSmirnov(a: ArrayLike<number>, b: ArrayLike<number>): KolmogorovSmirnov {
  const [n, m] = [a.length, b.length];
  if (n === 0 || m === 0) throw new RangeError('Kolmogorov–Smirnov: both samples need values');
  const x = Float64Array.from(a).sort();
  const y = Float64Array.from(b).sort();
  let statistic = 0;
  let ties = false;
  for (let i = 0, j = 0; i < n && j < m; ) {
    const value = Math.min(x[i]!, y[j]!);
    const [fromX, fromY] = [i, j];
    while (i < n && x[i] === value) i++;
    while (j < m && y[j] === value) j++;
    if (i > fromX && j > fromY) ties = true;
    statistic = Math.max(statistic, Math.abs(i / n - j / m));
  }
  if (n * m <= EXACT_UP_TO && !ties) {
    return { statistic, pValue: exactTail(statistic, n, m), method: 'exact' };
  }
  const root = Math.sqrt((n * m) / (n + m));
  const pValue = kolmogorovTail((root + 0.12 + 0.11 / root) * statistic);
  return { statistic, pValue, method: 'asymptotic' };
}

/** Q(λ) = 2 Σ (-1)^(k-1) exp(-2k²λ²), and its theta-function form where that converges slowly. */
export function kolmogorovTail(lambda: number): number {
  if (lambda <= 0) return 1;
  if (lambda < 1.18) {
    const y = Math.exp(-(Math.PI ** 2) / (8 * lambda * lambda));
    return 1 - (Math.sqrt(2 * Math.PI) / lambda) * (y + y ** 9 + y ** 25 + y ** 49);
  }
  let sum = 0;
  for (let k = 1; k <= 20; k++) sum += (k % 2 ? 1 : -1) * Math.exp(-2 * k * k * lambda * lambda);
  return Math.min(1, Math.max(0, 2 * sum));
}

/** P(D ≥ d): one minus the share of lattice paths from (0,0) to (n,m) that stay inside |i/n - j/m| < d. */
function exactTail(d: number, n: number, m: number): number {
  const limit = d - 1e-12;
  // Each step keeps a probability, not a count: paths are too many for a float64 at n = m = 100.
  let row = new Float64Array(m + 1);
  for (let i = 0; i <= n; i++) {
    const next = new Float64Array(m + 1);
    for (let j = 0; j <= m; j++) {
      if (i === 0 && j === 0) {
        next[0] = 1;
        continue;
      }
      if (Math.abs(i / n - j / m) >= limit) continue;
      // Without replacement: the chance that the value before (i, j) was an x, and that it was a y.
      const fromX = i > 0 ? row[j]! * ((n - i + 1) / (n + m - i - j + 1)) : 0;
      const fromY = j > 0 ? next[j - 1]! * ((m - j + 1) / (n + m - i - j + 1)) : 0;
      next[j] = fromX + fromY;
    }
    row = next;
  }
  return Math.min(1, Math.max(0, 1 - row[m]!));
}
