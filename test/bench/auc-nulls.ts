// Bench: how often the intervals an audit prints hold 0.50 where nothing is to be found; 95 in 100 is what they say: auc-nulls.js [RUNS] [LENGTHS] [MODES] [FROM]
import { labelWindows } from '../../src/core/analysis/audit-activity.ts';
import { testWindows } from '../../src/core/analysis/audit-windows.ts';
import { drawNullWire } from '../analysis/audit-null-wires.ts';

const [
  runsText = '200',
  lengthsText = '30,60,300,1200',
  modesText = 'vit,constant',
  // Recordings in several pieces: the number of the first.
  fromText = '1',
] = process.argv.slice(2);
const runs = Number(runsText);
const from = Number(fromText);

console.log(
  `AUC of windows of 1 s on ${runs} wires that depend on nothing: how many intervals of 95 % hold 0.50`,
);
for (const seconds of lengthsText.split(',').map(Number)) {
  for (const mode of ['vit', 'constant'] as const) {
    if (modesText.split(',').includes(mode)) measure(mode, seconds);
  }
}

function measure(mode: 'vit' | 'constant', seconds: number): void {
  const counts = { forest: { held: 0, of: 0, sum: 0 }, logistic: { held: 0, of: 0, sum: 0 } };
  const started = process.cpuUsage();
  for (let number = from; number < from + runs; number++) {
    // Other wires for each length: a short one that began like a long one would count what chance did there twice.
    const seed = seconds * 100_000 + (mode === 'vit' ? 0 : 50_000) + number;
    const { wire, activity } = drawNullWire({ mode, seconds, seed, everyS: 1.5 });
    const place = { startS: wire[0]!.timeS, windowS: 1, windows: seconds - 1 };
    const labels = labelWindows(activity, place);
    if (Math.min(labels.active, labels.idle) < 8) continue;
    const { figures } = testWindows(wire, {
      ...place,
      labels,
      permutations: 19,
      level: 0.01,
      seed,
    });
    for (const name of ['forest', 'logistic'] as const) {
      const interval = figures[name];
      if (!interval) continue;
      counts[name].of++;
      counts[name].sum += interval.value;
      if (interval.low <= 0.5 && interval.high >= 0.5) counts[name].held++;
    }
  }
  const eachS = process.cpuUsage(started).user / 1e6 / runs;
  const told = Object.entries(counts).map(([name, { held, of, sum }]) => {
    const percent = `${((100 * held) / of).toFixed(1)} %`;
    return `${name} ${held}/${of} ${percent.padStart(7)} (mean ${(sum / of).toFixed(3)})`;
  });
  console.log(
    `${mode.padEnd(8)}${`${seconds} s`.padStart(7)}  ${told.join('  ')}  ${eachS.toFixed(2)} s of CPU each`,
  );
}
