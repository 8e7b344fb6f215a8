// Which device said most, window after window, told over time by an observer who was trained in the other runs.

import type { Sample } from '../../../core/capture/trace.ts';
import { renderTable } from '../../../core/plot/text-table.ts';
import { seededRandom } from '../../../core/random/random.ts';
import { loudestDevices } from '../../analysis/audit-devices.ts';
import { BURST_BIN_S } from '../../analysis/identify/burst-features.ts';
import {
  cutWindows,
  type FeatureSet,
  featureSets,
  RateSeries,
} from '../../analysis/identify/features.ts';
import {
  callEachUnseen,
  chanceOfCalled,
  type JudgedSequences,
  judgedCells,
  judgedColumns,
  type LabelledSequence,
  summariseCalled,
} from '../../analysis/identify/over-time/sequences.ts';
import { type AttackInput, activityByDevice, wireWithin } from './attack.ts';

/** What a window is called in which nobody says anything. */
const NOBODY = 'nobody';
const WINDOW_S = 2;
const SAMPLE_S = 0.25;
/** One run is no other home to train in. */
const FEWEST_RUNS = 2;

/** A run as this observer gets it. */
export interface RunOverTime {
  variant: string;
  attack: Pick<AttackInput, 'startS' | 'endS' | 'wire' | 'home'>;
}

/** What all runs of a variant tell. */
export interface VariantOverTime {
  variant: string;
  features: FeatureSet;
  runs: number;
  judged: JudgedSequences;
  /** Chance of as large a balanced share over time where nothing is told. */
  pValue: number;
}

/**
 * Runs of a variant are homes: each is judged by a random forest and a hidden Markov model of what devices say after each
 * other, both trained in the variant's other runs, as they are defended.
 * @returns nothing of variants with one run
 */
export function observeOverTime(runs: readonly RunOverTime[], seed: number): VariantOverTime[] {
  const variants = [...new Set(runs.map(({ variant }) => variant))];
  return variants.flatMap((variant) => {
    const own = runs.filter((run) => run.variant === variant);
    if (own.length < FEWEST_RUNS) return [];
    return featureSets.map((features) => {
      const homes = own.map(({ attack }) => describeRun(attack, features));
      const called = callEachUnseen(homes, seededRandom(seed, 91));
      return {
        variant,
        features,
        runs: own.length,
        judged: summariseCalled(called),
        pValue: chanceOfCalled(called, seededRandom(seed, 93)),
      };
    });
  });
}

function describeRun(attack: RunOverTime['attack'], features: FeatureSet): LabelledSequence {
  const { startS, endS, home } = attack;
  const windows = Math.floor((endS - startS) / WINDOW_S);
  const activity = home.filter(({ timeS }) => timeS >= startS && timeS < endS);
  const loudest = loudestDevices(activityByDevice(activity), {
    startS,
    windowS: WINDOW_S,
    windows,
  });
  const wire = wireWithin(attack).map((packet) => ({ ...packet, timeS: packet.timeS - startS }));
  return describeWire(wire, windows, features).map((row, w) => ({
    row,
    label: loudest[w] ?? NOBODY,
  }));
}

/** Windows of a wire from its beginning on, those without a packet as well. */
export function describeWire(
  wire: readonly Sample[],
  windows: number,
  features: FeatureSet,
): number[][] {
  const series = new RateSeries(BURST_BIN_S / 2);
  for (const sample of wire) series.add(sample);
  return cutWindows(series, {
    fromS: 0,
    toS: windows * WINDOW_S,
    windowS: WINDOW_S,
    sampleS: SAMPLE_S,
    keepEmpty: true,
    features,
  }).map((window) => window.features);
}

/** A table of the variants, and how to read it. */
export function renderOverTime(found: readonly VariantOverTime[]): string {
  if (found.length === 0) {
    return `Over time: give ${FEWEST_RUNS} or more runs of a variant, with different seeds; each is told by what was trained in the others.\n`;
  }
  const rows = found.map(({ variant, features, runs, judged, pValue }) => [
    variant,
    features,
    String(runs),
    ...judgedCells(judged),
    pValue.toPrecision(2),
  ]);
  const columns = [
    { title: 'variant' },
    { title: 'features' },
    { title: 'runs', right: true },
    ...judgedColumns,
    { title: 'p', right: true },
  ];
  return (
    renderTable(columns, rows) +
    `Windows of ${WINDOW_S} s called after the device that said most in them, or nobody: by a random forest of each window alone, and over time by a hidden Markov model. Each run is judged by what was trained in the others of its variant. Guessing: always the commonest. Balanced: each device counts the same. p: how often chance alone does as well over time, balanced.\n`
  );
}
