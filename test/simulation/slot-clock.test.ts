// Skipping idle slots: as if each had been drawn.
import test from 'ava';
import fc from 'fast-check';
import { IntervalSchedule } from '../../src/core/pacing/schedule.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import { SlotClock } from '../../src/core/simulation/link.ts';

function clockOf(meanMs: number, sdPercent: number, seed: number): SlotClock {
  const random = seededRandom(seed);
  return new SlotClock(
    new IntervalSchedule({ mode: sdPercent === 0 ? 'constant' : 'vit', meanMs, sdPercent, random }),
    random,
  );
}

test('constant slots are skipped to exactly where stepping leads', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 6000 }), (seed, slots) => {
        const stepped = clockOf(12.8, 0, seed);
        const skipped = clockOf(12.8, 0, seed);
        const untilMs = slots * 12.8;
        let count = 0;
        for (; stepped.nextMs <= untilMs; stepped.step()) count++;
        return skipped.skip(untilMs) === count && Math.abs(skipped.nextMs - stepped.nextMs) < 1e-6;
      }),
    ),
  );
});

test('skipping never passes the end, and stops at the first slot behind it', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.constantFrom(1, 10, 30, 40),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (seed, sdPercent, untilMs) => {
          const clock = clockOf(10, sdPercent, seed);
          clock.skip(untilMs);
          // Intervals are at most 2.62 sd beyond the mean.
          return clock.nextMs > untilMs && clock.nextMs <= untilMs + 10 * (1 + 0.0263 * sdPercent);
        },
      ),
    ),
  );
});

test('varying slots skipped at once are as many, and as scattered, as drawn ones', (t) => {
  const untilMs = 100_000;
  const count = (skip: boolean): { mean: number; variance: number; restMs: number } => {
    const counts: number[] = [];
    let restMs = 0;
    for (let seed = 0; seed < 600; seed++) {
      const clock = clockOf(10, 30, seed + (skip ? 0 : 10_000));
      let slots = 0;
      if (skip) slots = clock.skip(untilMs);
      else for (; clock.nextMs <= untilMs; clock.step()) slots++;
      counts.push(slots);
      restMs += (clock.nextMs - untilMs) / 600;
    }
    const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length;
    const variance = counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / (counts.length - 1);
    return { mean, variance, restMs };
  };
  // Renewal theory: 10,000 slots on average, variance n cv² = 900, rest of an interval (1 + cv²) mean/2.
  for (const found of [count(true), count(false)]) {
    t.true(Math.abs(found.mean - 10_000) < 5 * Math.sqrt(900 / 600), `mean ${found.mean}`);
    t.true(Math.abs(found.variance / 900 - 1) < 0.3, `variance ${found.variance}`);
    t.true(Math.abs(found.restMs - 5.45) < 0.6, `rest ${found.restMs}`);
  }
});
