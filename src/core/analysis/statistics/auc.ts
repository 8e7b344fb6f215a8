// Area under the ROC curve: how well a score tells active from idle.
import { ranks } from './sample.ts';

/**
 * AUC = P(score of a positive > score of a negative) + half the ties: the Mann–Whitney statistic.
 * @param labels 1 = positive, 0 = negative
 * @returns NaN where one class is empty
 */
export function auc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  return aucOfRanks(ranks(scores), labels);
}

/** AUC from ranks computed once: what a permutation of labels needs. */
export function aucOfRanks(rank: ArrayLike<number>, labels: ArrayLike<number>): number {
  let positives = 0;
  let rankSum = 0;
  for (let i = 0; i < labels.length; i++) {
    if (!labels[i]) continue;
    positives++;
    rankSum += rank[i]!;
  }
  const negatives = labels.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
