// Devices told by their windows in order: how well a stretch not seen before is called as a whole.

import { seededRandom } from '../../../../core/random/random.ts';
import { contiguousFolds } from '../../folds.ts';
import type { FeatureSet } from '../features.ts';
import { gatherWindows, type IdentifiedDevice, MOST_WINDOWS } from '../identify.ts';
import {
  callSequences,
  type JudgedSequences,
  type LabelledSequence,
  summariseCalled,
} from './sequences.ts';

/** As few as leave stretches long enough to be told by. */
export const STRETCHES = 5;

/** How windows are called by a random forest alone, and by it and a hidden Markov model over a fifth of each device's windows. */
export interface OverTime extends JudgedSequences {
  windowS: number;
  sampleS: number;
  devices: number;
  /** Stretches, and those called right in most of their windows. */
  stretches: number;
  stretchesRight: number;
}

/**
 * Cuts each device's windows into five unbroken stretches; each is judged as one sequence, of which the observer knows that it
 * is of one device, by what was trained on the four others of all devices. Of days of windows the first of each stretch are
 * taken.
 * @returns null where fewer than two devices have enough windows
 */
export function judgeOverTime(
  devices: readonly IdentifiedDevice[],
  windowS: number,
  sampleS: number,
  { features, seed }: { features: FeatureSet; seed: number },
): OverTime | null {
  const { rows, labels } = gatherWindows(devices, windowS, sampleS, STRETCHES, {
    features,
    // In order, without gaps.
    most: Number.POSITIVE_INFINITY,
  });
  const names = [...new Set(labels)];
  if (names.length < 2) return null;
  const foldOf = contiguousFolds(labels, STRETCHES);
  const isTaken = firstOfEach(labels, foldOf, Math.min(1, MOST_WINDOWS / rows.length));
  const random = seededRandom(seed, 92);
  const sequencesOf = (isIn: (fold: number) => boolean): LabelledSequence[] =>
    names
      .map((name) =>
        rows.flatMap((row, i) =>
          labels[i] === name && isTaken[i] && isIn(foldOf[i]!) ? [{ row, label: name }] : [],
        ),
      )
      .filter((sequence) => sequence.length > 0);
  const called = Array.from({ length: STRETCHES }, (_, fold) =>
    callSequences(
      sequencesOf((other) => other !== fold),
      sequencesOf((other) => other === fold),
      random,
    ),
  ).flat();
  return {
    windowS,
    sampleS,
    devices: names.length,
    stretches: called.length,
    stretchesRight: called.filter(
      ({ truth, overTime }) =>
        2 * overTime.filter((label) => label === truth[0]).length > truth.length,
    ).length,
    ...summariseCalled(called),
  };
}

/** The first so large share of each label's rows in each fold: unbroken, as sequences are. */
function firstOfEach(
  labels: readonly string[],
  foldOf: readonly number[],
  share: number,
): boolean[] {
  const sizes = new Map<string, number>();
  const places = labels.map((label, i) => {
    const stretch = `${foldOf[i]} ${label}`;
    const place = sizes.get(stretch) ?? 0;
    sizes.set(stretch, place + 1);
    return { stretch, place };
  });
  return places.map(({ stretch, place }) => place < Math.ceil(sizes.get(stretch)! * share));
}
