// Periods of which all have the same moments.
import test from 'ava';
import { untilSharedMs } from '../../src/core/pacing/shared-moments.ts';

test('whoever begins when, all of a period wake at its multiples', (t) => {
  for (const [nowMs, untilMs] of [
    [0, 400],
    [1, 400],
    [199.9, 400],
    [200.5, 400],
    [201, 800],
    [399.999, 800],
    [123_456.7, 124_000],
  ] as const) {
    t.is(Math.floor(nowMs) + untilSharedMs(nowMs, 400), untilMs, `${nowMs}`);
  }
});

test('a timer that fires a little early wakes nobody twice', (t) => {
  const periodMs = 1000;
  for (const earlyMs of [0, 0.2, 1, 30]) {
    t.true(untilSharedMs(5000 - earlyMs, periodMs) >= periodMs, `${earlyMs} ms`);
  }
});
