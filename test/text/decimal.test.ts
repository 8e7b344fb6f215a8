// Numbers written by pairs of digits.
import test from 'ava';
import fc from 'fast-check';
import { decimalOf } from '../../src/core/text/decimal.ts';
import { runs } from '../property-runs.ts';

test('a number reads as it would', (t) => {
  for (const number of [0, 9, 10, 99, 100, 1000, 1001, 10_005, 40_000, -1, 0.5, Number.NaN]) {
    t.is(decimalOf(number), `${number}`);
  }
});

test('whatever it is', (t) => {
  const same = fc.property(fc.maxSafeNat(), (number) => t.is(decimalOf(number), `${number}`));
  fc.assert(same, { numRuns: runs(500) });
});
