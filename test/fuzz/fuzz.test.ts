// Whatever comes in is taken or refused, never more: a thousand inputs a target; `make fuzz` tries a hundred thousand.
import test from 'ava';
import { runs } from '../property-runs.ts';
import { fuzz } from './run.ts';
import { fuzzTargets } from './targets.ts';

for (const target of fuzzTargets) {
  test(`${target.name}: bad input is taken or refused`, async (t) => {
    const count = runs(1000);
    const { taken, refused } = await fuzz(target, { seed: 1, count });
    t.is(taken + refused, count);
    t.true(taken > count / 50 && refused > count / 50, `${taken} taken, ${refused} refused`);
  });
}
