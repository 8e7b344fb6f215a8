// A pace: so many in a row, then one each time so much has passed, whatever the clock does.
import test from 'ava';
import fc from 'fast-check';
import { Allowance } from '../../src/core/endpoint/allowance.ts';
import { runs } from '../property-runs.ts';

const pace = { burst: 3, everyMs: 1000 };

/** Times at which one may. */
function allowed(timesMs: readonly number[]): number[] {
  let left: Allowance | undefined;
  return timesMs.filter((nowMs) => {
    const next = Allowance.take(left, pace, nowMs);
    left = next ?? left;
    return next !== null;
  });
}

test('some at once, then one each time a pause has passed', (t) => {
  t.deepEqual(allowed([0, 1, 2, 3, 500, 1001, 1999, 2002, 2100]), [0, 1, 2, 1001, 2002]);
});

test('a long silence gives back no more than the row', (t) => {
  t.deepEqual(allowed([0, 0, 0, 9e9, 9e9, 9e9, 9e9]), [0, 0, 0, 9e9, 9e9, 9e9]);
});

test('in no span are there more than the row and one for each pause', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 60 }), (pauses) => {
      let nowMs = 0;
      const times = allowed(pauses.map((pause) => (nowMs += pause)));
      times.forEach((from, first) => {
        times.slice(first).forEach((to, more) => {
          t.true(more + 1 <= pace.burst + (to - from) / pace.everyMs + 1e-9);
        });
      });
    }),
    { numRuns: runs(100) },
  );
});
