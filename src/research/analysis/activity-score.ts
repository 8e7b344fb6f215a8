// How good an attack's findings are: against what really happened, within a tolerance.

import { aucWithInterval, type Interval } from '../../core/analysis/statistics/auc-interval.ts';
import type { Random } from '../../core/random/random.ts';
import type { Activity, BinnedTraffic } from './activity.ts';

export interface ActivityScore {
  events: number;
  found: number;
  /** Findings that are an event, and events that were found. */
  hits: number;
  precision: number;
  recall: number;
  f1: number;
}

/**
 * Matches findings with events one to one, both in order of time, each pair at most `toleranceS` apart. Taking the
 * earliest that fits is the largest matching there is.
 */
export function matchEvents(
  foundS: readonly number[],
  eventsS: readonly number[],
  toleranceS: number,
): ActivityScore {
  let hits = 0;
  let next = 0;
  for (const eventS of eventsS) {
    while (next < foundS.length && foundS[next]! < eventS - toleranceS) next++;
    if (next < foundS.length && foundS[next]! <= eventS + toleranceS) {
      hits++;
      next++;
    }
  }
  return score(eventsS.length, foundS.length, hits);
}

/**
 * Events that as many findings at random moments of random streams would hit, on average: one is missed where all of them lie
 * elsewhere.
 */
export function chanceHits(
  { events, found }: Pick<ActivityScore, 'events' | 'found'>,
  { seconds, toleranceS, streams }: { seconds: number; toleranceS: number; streams: number },
): number {
  const near = Math.min(1, (2 * toleranceS) / seconds) / streams;
  return Math.min(found, events * (1 - (1 - near) ** found));
}

/** Scores of several devices taken together. */
export function addScores(scores: readonly ActivityScore[]): ActivityScore {
  const sum = (key: 'events' | 'found' | 'hits') =>
    scores.reduce((total, one) => total + one[key], 0);
  return score(sum('events'), sum('found'), sum('hits'));
}

function score(events: number, found: number, hits: number): ActivityScore {
  const precision = found ? hits / found : 0;
  const recall = events ? hits / events : 0;
  return { events, found, hits, precision, recall, f1: hits ? (2 * hits) / (events + found) : 0 };
}

/** A stretch of time. */
export interface Stretch {
  fromS: number;
  toS: number;
}

/**
 * AUC per window of `windowS`: whether the evidence is higher in windows that hold an event. Independent of the threshold
 * the detector chose.
 * @param leftOut windows that touch one of these are not judged
 * @returns null where all windows hold an event, or none
 */
export function windowAuc(
  { startS, binS, count }: BinnedTraffic,
  { evidence }: Activity,
  eventsS: readonly number[],
  windowS: number,
  random: Random,
  leftOut: readonly Stretch[] = [],
): Interval | null {
  const perWindow = Math.max(1, Math.round(windowS / binS));
  const windows = Math.floor(count / perWindow);
  const scores = new Float64Array(windows);
  const labels = new Uint8Array(windows);
  evidence.bins.forEach((bin, k) => {
    const w = Math.floor(bin / perWindow);
    if (w < windows) scores[w] = Math.max(scores[w]!, evidence.values[k]!);
  });
  for (const eventS of eventsS) {
    const w = Math.floor((eventS - startS) / (perWindow * binS));
    if (w >= 0 && w < windows) labels[w] = 1;
  }
  const judged = (_: number, w: number) => {
    const fromS = startS + w * perWindow * binS;
    return !leftOut.some((one) => one.fromS < fromS + perWindow * binS && one.toS > fromS);
  };
  const kept = labels.filter(judged);
  if (!kept.includes(1) || !kept.includes(0)) return null;
  const evidenceOf = scores.filter(judged);
  // Nothing is trained on the events: the evidence is the same whatever they are.
  const found = aucWithInterval(kept, () => evidenceOf, { blockLength: 3, draws: 199, random });
  return found && { value: found.value, low: found.low, high: found.high };
}
