// A small hidden Markov model over windows one after the other: what one window leaves open, those around it decide.

/** How labels follow each other. */
export interface MarkovChain {
  labels: readonly string[];
  /** How often each is met, of 1. */
  prior: Float64Array;
  /** `steps[i][j]`: how often j comes after i, of 1. */
  steps: Float64Array[];
}

/** Learns from sequences that were seen; each step is taken to have been seen once more than it was (Laplace). */
export function learnChain(sequences: readonly (readonly string[])[]): MarkovChain {
  const labels = [...new Set(sequences.flat())].sort();
  const place = new Map(labels.map((label, i) => [label, i]));
  const prior = new Float64Array(labels.length).fill(1);
  const steps = labels.map(() => new Float64Array(labels.length).fill(1 / labels.length));
  for (const sequence of sequences) {
    for (const [k, label] of sequence.entries()) {
      prior[place.get(label)!]!++;
      if (k > 0) steps[place.get(sequence[k - 1]!)!]![place.get(label)!]!++;
    }
  }
  return { labels, prior: toShares(prior), steps: steps.map(toShares) };
}

/**
 * The likeliest label of each window, all windows of the sequence considered (forward and backward, Rabiner 1989).
 * @param shares of each window what a classifier gives each label, of 1; over their priors they stand for likelihoods
 *   (Bourlard and Morgan 1994)
 */
export function decodeSequence(
  { labels, prior, steps }: MarkovChain,
  shares: readonly ArrayLike<number>[],
): string[] {
  const n = labels.length;
  const likelihoods = shares.map((own) => {
    // No window is impossible: a forest's 0 is few trees, not never.
    return Float64Array.from(prior, (share, i) => (own[i]! + 0.01) / share);
  });
  const forward: Float64Array[] = [];
  for (const [k, likelihood] of likelihoods.entries()) {
    const before = forward[k - 1];
    const own = Float64Array.from(likelihood, (value, j) => {
      if (!before) return value * prior[j]!;
      let reached = 0;
      for (let i = 0; i < n; i++) reached += before[i]! * steps[i]![j]!;
      return value * reached;
    });
    forward.push(toShares(own));
  }
  let after = new Float64Array(n).fill(1);
  const decoded: string[] = [];
  for (let k = likelihoods.length - 1; k >= 0; k--) {
    let best = 0;
    for (let i = 1; i < n; i++) {
      if (forward[k]![i]! * after[i]! > forward[k]![best]! * after[best]!) best = i;
    }
    decoded.push(labels[best]!);
    const reaching = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) reaching[i]! += steps[i]![j]! * likelihoods[k]![j]! * after[j]!;
    }
    after = toShares(reaching);
  }
  return decoded.reverse();
}

function toShares(values: Float64Array): Float64Array<ArrayBuffer> {
  const sum = values.reduce((a, b) => a + b, 0);
  return Float64Array.from(values, (value) => value / sum);
}
