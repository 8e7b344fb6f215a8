// Wires that depend on nothing: an audit calls none of them a leak, however the wire keeps devices in step with itself.
import test from 'ava';
import { auditTraces } from '../../src/core/analysis/audit.ts';
import type { WirePacket } from '../../src/core/analysis/wire-features.ts';
import { sentencesOf } from '../../src/core/notices/words.ts';
import { openSamples } from '../../src/shell/capture/csv.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { drawNullWire, type NullWireOptions } from './audit-null-wires.ts';

const permutations = 999;

async function readFixture(name: string): Promise<WirePacket[]> {
  const samples: WirePacket[] = [];
  for await (const sample of openSamples(nodeSystem, `test/fixtures/audit/${name}`))
    samples.push(sample);
  return samples;
}

test('slots up at a fixed time after slots down are no answer to what slots down bring', async (t) => {
  const [wire, activity] = await Promise.all([readFixture('w.csv.gz'), readFixture('a.csv.gz')]);
  const result = auditTraces({ wire, activity, seed: 1 });
  t.is(result.level, 'clean', sentencesOf(result.verdict));
  t.true(result.onsets.tested >= 20);
});

const kinds: [string, Omit<NullWireOptions, 'seconds' | 'seed'>][] = [
  ['constant slots, one clock', { mode: 'constant' }],
  ['constant slots, clocks 20 ppm apart', { mode: 'constant', driftPpm: 20 }],
  ['a device that asks so long after each answer', { mode: 'constant', pollS: 3.2, everyS: 20 }],
  ['varied slots', { mode: 'vit' }],
];

for (const [kind, options] of kinds) {
  test(`no leak in what the wire itself brings about: ${kind}`, (t) => {
    for (let seed = 1; seed <= 3; seed++) {
      const { wire, activity } = drawNullWire({ ...options, seconds: 200, seed });
      // Without windows: their classifiers take the time, and phases do not show in them.
      const { findings } = auditTraces({ wire, activity, permutations, seed, windowsS: [] });
      t.deepEqual(
        findings.map(({ test: name, pValue }) => [name, pValue]),
        [],
        `seed ${seed}`,
      );
    }
  });
}

test('a slot that answers is found on a wire with constant slots, too', (t) => {
  const { wire, activity } = drawNullWire({ mode: 'constant', seconds: 200, seed: 7 });
  const starts = activity.filter(({ timeS, direction }, i) => {
    const beforeS = activity[i - 1]?.timeS ?? 0;
    return direction === 'up' && timeS - beforeS > 0.5;
  });
  const extra = starts.map(
    ({ timeS }): WirePacket => ({ timeS: timeS + 0.0003, bytes: 564, direction: 'up' }),
  );
  const { findings } = auditTraces({
    wire: [...wire, ...extra],
    activity,
    permutations,
    seed: 7,
    windowsS: [],
  });
  t.true(findings.some(({ test: name }) => name.startsWith('up ')));
  t.true(findings.every(({ test: name }) => !name.startsWith('down ')));
});
