// Bench: which device said most, window by window, told by an observer who was trained in other homes: observer-over-time.js [SECONDS] [HOMES]
import type { Sample } from '../../src/core/capture/trace.ts';
import { renderTable } from '../../src/core/plot/text-table.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import { loudestDevices } from '../../src/research/analysis/audit-devices.ts';
import { featureSets } from '../../src/research/analysis/identify/features.ts';
import {
  callSequences,
  judgedCells,
  judgedColumns,
  summariseCalled,
} from '../../src/research/analysis/identify/over-time/sequences.ts';
import { describeWire } from '../../src/research/lab/findings/observer-over-time.ts';
import { simulate } from '../../src/research/simulation/simulate.ts';
import { defaultVariantOptions, variantOf } from '../../src/research/simulation/variants.ts';
import { householdTrace } from '../analysis/activity-household.ts';

const [secondsText = '900', homesText = '6'] = process.argv.slice(2);
const seconds = Number(secondsText);
const homes = Number(homesText);
const WINDOW_S = 2;
/** What a window is called in which nobody says anything. */
const NOBODY = 'nobody';

const rows: string[][] = [];
for (const name of ['vpn', 'paper', 'packed-constant', 'packed-vit'] as const) {
  for (const features of featureSets) {
    const sequences = [];
    for (let seed = 1; seed <= homes; seed++)
      sequences.push(await observeHome(name, features, seed));
    // The last half of homes was never seen before.
    const half = Math.ceil(homes / 2);
    const judged = summariseCalled(
      callSequences(sequences.slice(0, half), sequences.slice(half), seededRandom(1, 91)),
    );
    rows.push([name, features, ...judgedCells(judged)]);
  }
}
console.log(
  `${homes} homes of ${seconds} s, windows of ${WINDOW_S} s, trained on half of the homes and judged on the others:\n`,
);
console.log(renderTable([{ title: 'defence' }, { title: 'features' }, ...judgedColumns], rows));

/** What a home's line shows under a defence, and who said most when. */
async function observeHome(
  name: Parameters<typeof variantOf>[0],
  features: (typeof featureSets)[number],
  seed: number,
) {
  const { packets } = householdTrace(seed, seconds);
  const trace = [...packets]
    .flatMap(([device, own]) => own.map((sample) => ({ ...sample, device })))
    .sort((a, b) => a.timeS - b.timeS);
  const wire: Sample[] = [];
  const startS = trace[0]!.timeS;
  await simulate(trace, [variantOf(name, defaultVariantOptions)], {
    seed,
    onWire: (_variant, timeS, bytes, direction) => {
      if (timeS < seconds) wire.push({ timeS, bytes, direction });
    },
  });
  wire.sort((a, b) => a.timeS - b.timeS);
  const windows = Math.floor(seconds / WINDOW_S);
  const loudest = loudestDevices(
    new Map(
      [...packets].map(([device, own]) => [
        device,
        own.map((one) => ({ ...one, timeS: one.timeS - startS })),
      ]),
    ),
    { startS: 0, windowS: WINDOW_S, windows },
  );
  return describeWire(wire, windows, features).map((row, w) => ({
    row,
    label: loudest[w] ?? NOBODY,
  }));
}
