// The shaping thread as it is started: it answers, reports once a second, and ends when told to.
import test from 'ava';
import { wordsOf } from '../../src/core/notices/words.ts';
import type { ShaperReport } from '../../src/shell/shaper/messages.ts';
import { Shaper } from '../../src/shell/shaper/shaper.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import type { System, ThreadEvents } from '../../src/shell/system/system.ts';

test('a thread of its own reports until it is stopped', async (t) => {
  const faults: string[] = [];
  let report = (_: ShaperReport): void => {};
  const reported = new Promise<ShaperReport>((resolve) => {
    report = resolve;
  });
  const shaper = new Shaper({
    system: nodeSystem,
    onReport: (message) => report(message),
    onFault: (_minor, fault) => faults.push(wordsOf(fault)),
  });
  await shaper.pause(); // nothing is there yet
  await shaper.apply([], false);
  const { takenMs } = await reported;
  const ageMs = nodeSystem.clock.monotonicMs() - takenMs;
  t.true(ageMs >= 0 && ageMs < 10_000, 'threads have one clock');
  await shaper.stop();
  await shaper.stop();
  t.deepEqual(faults, []);
});

test('a thread that fails and ends is told, nobody waits for it, and the next streams start another', async (t) => {
  const threads: ThreadEvents[] = [];
  const faults: string[] = [];
  const system: System = {
    ...nodeSystem,
    startThread: (_program, events) => {
      threads.push(events);
      return { post: () => {} };
    },
  };
  const shaper = new Shaper({
    system,
    onReport: () => {},
    onFault: (_minor, fault) => faults.push(wordsOf(fault)),
  });
  const applied = shaper.apply([], true);
  threads[0]!.onError('out of memory');
  threads[0]!.onEnd();
  await applied;
  t.deepEqual(faults, ['the shaping thread failed: out of memory', 'the shaping thread ended']);
  const again = shaper.apply([], true);
  t.is(threads.length, 2);
  threads[1]!.onMessage({ kind: 'applied', id: 2 });
  await again;
  const stopped = shaper.stop();
  threads[1]!.onEnd();
  await stopped;
  t.is(faults.length, 2);
});
