// A few of the faults that `make faults` plants, with what a provider sees of them and how soon all is well again.
import test from 'ava';
import { faults } from '../bench/faults/faults.ts';
import { measureFault } from '../bench/faults/measure.ts';
import { ExposureLab } from './exposure/exposure-lab.ts';

/** On a machine that does other things as well. */
const PATIENCE_S = 30;
/** A burst of what piled up is several times as large; what intervals that vary make of a busy machine is not. */
const BURST = 40;
const ROWS = ['home: ruleset flushed, nobody told', 'home: tunnel’s netdev deleted'];

let lab: ExposureLab;

test.before(async () => {
  lab = await ExposureLab.start('faults');
});

test.after.always(() => lab?.close());

for (const fault of faults.filter(({ name }) => ROWS.includes(name))) {
  test.serial(fault.name, async (t) => {
    const { devices, inside, up, down, recoveredS, said } = await measureFault(lab, fault);
    t.deepEqual({ devices, inside }, { devices: [], inside: [] });
    t.true(recoveredS < PATIENCE_S, `${recoveredS} s: ${said.join('\n')}`);
    t.true(Math.max(up.burst, down.burst) < BURST, `${up.burst} up, ${down.burst} down`);
  });
}
