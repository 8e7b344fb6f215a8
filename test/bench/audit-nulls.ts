// Bench: wires that depend on nothing, audited: how often one is called a leak, and how often its AUCs' intervals hold 0.50.
import { auditTraces } from '../../src/core/analysis/audit.ts';
import { drawNullWire, type NullWireOptions } from '../analysis/audit-null-wires.ts';

const [runsText = '200', lengthsText = '30,60,300,1200', only = '', windowsText = '1,5'] =
  process.argv.slice(2);
const runs = Number(runsText);

const kinds: Record<string, Omit<NullWireOptions, 'seconds' | 'seed'>> = {
  'vit, one clock': { mode: 'vit' },
  'vit, 20 ppm apart': { mode: 'vit', driftPpm: 20 },
  'constant, one clock': { mode: 'constant' },
  'constant, 20 ppm apart': { mode: 'constant', driftPpm: 20 },
  'constant, polled': { mode: 'constant', pollS: 3.2, everyS: 20 },
  'vit, 8 KB/s': { mode: 'vit', meanMs: 64 },
  'constant, 8 KB/s': { mode: 'constant', meanMs: 64 },
};

console.log(
  'Of wires that depend on nothing: called a leak (1 in 100 is allowed), and intervals of 95 % that hold 0.50',
);
for (const [kind, options] of Object.entries(kinds)) {
  if (!kind.startsWith(only)) continue;
  for (const seconds of lengthsText.split(',').map(Number)) {
    console.log(`${kind.padEnd(24)}${`${seconds} s`.padStart(7)}  ${measure(options, seconds)}`);
  }
}

function measure(options: Omit<NullWireOptions, 'seconds' | 'seed'>, seconds: number): string {
  const started = process.cpuUsage();
  const windowsS = windowsText ? windowsText.split(',').map(Number) : [];
  const held = new Map<string, { held: number; of: number; sum: number }>();
  const blamed = new Map<string, number>();
  let leaks = 0;
  for (let seed = 1; seed <= runs; seed++) {
    const { wire, activity } = drawNullWire({ ...options, seconds, seed });
    const { findings, windows } = auditTraces({ wire, activity, seed, windowsS });
    const [first] = findings;
    if (first) {
      leaks++;
      const name = `${first.family}: ${first.test}`;
      blamed.set(name, (blamed.get(name) ?? 0) + 1);
    }
    for (const { windowS, forest, logistic } of windows) {
      for (const [name, interval] of Object.entries({ forest, logistic })) {
        if (!interval) continue;
        const key = `${name} ${windowS} s`;
        const count = held.get(key) ?? { held: 0, of: 0, sum: 0 };
        held.set(key, count);
        count.of++;
        count.sum += interval.value;
        if (interval.low <= 0.5 && interval.high >= 0.5) count.held++;
      }
    }
  }
  const { user } = process.cpuUsage(started);
  return [
    `leak ${leaks}/${runs}`,
    ...[...held].map(
      ([key, { held, of, sum }]) =>
        `${key} ${held}/${of} (${((100 * held) / of).toFixed(1)} %, mean ${(sum / of).toFixed(3)})`,
    ),
    `${(user / 1e6 / runs).toFixed(2)} s of CPU each`,
    ...[...blamed].map(([name, count]) => `${name} ${count}`),
  ].join('; ');
}
