// Bench: how often an audit calls a wire a leak that depends on nothing, in every kind of wire that keeps devices in step.
import { auditTraces } from '../../src/core/analysis/audit.ts';
import { drawNullWire, type NullWireOptions } from '../analysis/audit-null-wires.ts';

const [runsText = '40', lengthsText = '300', kindsText = ''] = process.argv.slice(2);
const runs = Number(runsText);

const kinds: Record<string, Omit<NullWireOptions, 'seconds' | 'seed'>> = {
  'constant, one clock': { mode: 'constant' },
  'constant, 20 ppm apart': { mode: 'constant', driftPpm: 20 },
  'vit, one clock': { mode: 'vit' },
  'vit, 20 ppm apart': { mode: 'vit', driftPpm: 20 },
  'constant, one clock, a device that polls': { mode: 'constant', pollS: 3.2, everyS: 20 },
  'vit, 8 KB/s': { mode: 'vit', meanMs: 64 },
  'constant, 8 KB/s': { mode: 'constant', meanMs: 64 },
};

console.log(
  'a wire that depends on nothing is called a leak (1 in 100 is what the audit allows itself)',
);
for (const [kind, options] of Object.entries(kinds)) {
  if (!kind.includes(kindsText)) continue;
  for (const seconds of lengthsText.split(',').map(Number)) {
    const started = performance.now();
    let leaks = 0;
    const blamed = new Map<string, number>();
    for (let seed = 1; seed <= runs; seed++) {
      const { wire, activity } = drawNullWire({ ...options, seconds, seed });
      const { findings } = auditTraces({ wire, activity, seed });
      if (findings.length) leaks++;
      for (const { family, test } of findings.slice(0, 1)) {
        blamed.set(`${family}: ${test}`, (blamed.get(`${family}: ${test}`) ?? 0) + 1);
      }
    }
    const by = [...blamed].map(([name, count]) => `${name} ${count}`).join('; ');
    const eachS = ((performance.now() - started) / runs / 1000).toFixed(1);
    console.log(
      `${kind.padEnd(42)} ${`${seconds} s`.padStart(6)}  ${`${leaks}/${runs}`.padStart(6)}  ${eachS} s each  ${by}`,
    );
  }
}
