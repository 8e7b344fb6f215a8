// The 95 % interval of an AUC, with the variance that training adds: the one every printed AUC is given.
import type { Random } from '../../random/random.ts';
import { auc } from './auc.ts';
import { studentQuantile } from './normal.ts';
import { permuteBlocks } from './permutation.ts';
import { mean, variance } from './sample.ts';

export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** An AUC, its interval, and what training on labels that mean nothing gives. */
export interface FittedAuc extends Interval {
  chance: {
    mean: number;
    /** Deviation of one AUC from that mean, not knowing it exactly included. */
    sd: number;
    draws: number;
  };
}

export interface AucIntervalOptions {
  /** Neighbouring windows moved together: at least as many as stay correlated. */
  blockLength: number;
  /** How often labels are moved and whatever gives the scores is trained again. */
  draws: number;
  confidence?: number;
  random: Random;
}

/** Fewer draws than this say nothing of a spread. */
const FEWEST_DRAWS = 10;

/**
 * AUC with the interval that repeating everything asks for. A bootstrap of scores takes the classifier as given and is too
 * narrow: trained on another stretch it would have scored otherwise, and folds share what they were trained on. So labels
 * are moved in blocks (they keep how they follow each other, and lose what they share with the wire), the scores are made
 * anew from each, training included, and the spread of those AUCs, on the scale of their log odds, is the interval's:
 * where nothing is to be found, observed and drawn AUCs are alike, and Student's t holds 0.5 as often as it says. Around
 * high AUCs log odds make it narrower, as it should be.
 * @param scoresOf scores made from labels by a classifier that never saw those it scores; one that is not trained returns
 *   the same for all; null where it cannot be trained
 * @returns null where the labels' own scores cannot be made
 */
export function aucWithInterval(
  labels: Uint8Array,
  scoresOf: (labels: Uint8Array) => ArrayLike<number> | null,
  { blockLength, draws, confidence = 0.95, random }: AucIntervalOptions,
): (FittedAuc & { scores: ArrayLike<number> }) | null {
  const scores = scoresOf(labels);
  if (!scores) return null;
  const value = auc(scores, labels);
  const values: number[] = [];
  for (let k = 0; k < draws; k++) {
    const from = permuteBlocks(labels.length, blockLength, random);
    const drawn = Uint8Array.from(from, (i) => labels[i]!);
    const own = scoresOf(drawn);
    const one = own ? auc(own, drawn) : Number.NaN;
    if (!Number.isNaN(one)) values.push(one);
  }
  const unknown = { mean: 0.5, sd: Number.POSITIVE_INFINITY, draws: values.length };
  if (Number.isNaN(value) || values.length < FEWEST_DRAWS) {
    return { value, low: 0, high: 1, chance: unknown, scores };
  }
  const weight = labels.length;
  const odds = values.map((one) => logOdds(one, weight));
  const unsure = Math.sqrt(1 + 1 / values.length);
  const quantile = studentQuantile((1 + confidence) / 2, values.length - 1);
  const half = quantile * unsure * Math.sqrt(variance(odds));
  // Cross-validation may rank what cannot be told somewhat below, or above, chance.
  const center = logOdds(value, weight) - mean(odds);
  const chance = {
    mean: mean(values),
    sd: unsure * Math.sqrt(variance(values)),
    draws: values.length,
  };
  return {
    value,
    low: Math.min(value, share(center - half)),
    high: Math.max(value, share(center + half)),
    chance,
    scores,
  };
}

/** Log odds; an AUC of 0 or 1 counts as half a window short of it. */
function logOdds(value: number, windows: number): number {
  const inside = Math.min(1 - 0.5 / windows, Math.max(0.5 / windows, value));
  return Math.log(inside / (1 - inside));
}

function share(odds: number): number {
  return 1 / (1 + Math.exp(-odds));
}
