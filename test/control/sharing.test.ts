// Two machines with the profile of one home, told apart from one that was only started anew.
import test from 'ava';
import { ALONE, Runs } from '../../src/core/control/sharing.ts';

test('a home that goes on is alone', (t) => {
  const runs = new Runs();
  for (let nowMs = 0; nowMs < 600_000; nowMs += 2000) t.deepEqual(runs.hear('a', nowMs), ALONE);
});

test('a home that was started anew waits a moment before it takes over again, and is alone', (t) => {
  const runs = new Runs();
  runs.hear('a', 0);
  t.deepEqual(runs.hear('b', 2000), { isShared: false, isLater: true });
  t.deepEqual(runs.hear('b', 21_000), { isShared: false, isLater: true });
  t.deepEqual(runs.hear('b', 22_000), ALONE);
});

test('after a run that is gone for long nobody has to wait', (t) => {
  const runs = new Runs();
  runs.hear('a', 0);
  t.deepEqual(runs.hear('b', 60_000), ALONE);
});

test('a run that comes back after another one is told that two share a profile, and has it first', (t) => {
  const runs = new Runs();
  runs.hear('a', 0);
  runs.hear('b', 2000);
  t.deepEqual(runs.hear('a', 6000), { isShared: true, isLater: false });
  t.deepEqual(runs.hear('b', 16_000), { isShared: true, isLater: true });
  t.deepEqual(runs.hear('a', 20_000), { isShared: true, isLater: false });
});

test('once only one of the two is left, it is alone after three minutes', (t) => {
  const runs = new Runs();
  runs.hear('a', 0);
  runs.hear('b', 2000);
  runs.hear('a', 6000);
  runs.hear('b', 16_000);
  t.true(runs.hear('b', 195_000).isShared);
  t.deepEqual(runs.hear('b', 197_000), ALONE);
});

test('of a home that never stops starting anew as much is kept as of others', (t) => {
  const runs = new Runs();
  for (let run = 0; run < 1000; run++) t.false(runs.hear(`${run}`, run * 1000).isShared);
  // Long forgotten.
  t.false(runs.hear('0', 1_001_000).isShared);
});
