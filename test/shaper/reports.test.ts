// Reports that a busy main thread finds in a heap: the newest says all, and none that came meanwhile is missed.
import test from 'ava';
import { ReportWatch } from '../../src/shell/machine/report-watch.ts';
import type { ShaperReport } from '../../src/shell/shaper/messages.ts';
import { Shaper } from '../../src/shell/shaper/shaper.ts';
import type { System, ThreadEvents } from '../../src/shell/system/system.ts';
import { VirtualTime } from '../stand-ins/fake-system/virtual-time.ts';

test('of a heap of reports the newest is handed on', async (t) => {
  const time = new VirtualTime();
  let events: ThreadEvents | null = null;
  const system = {
    timers: time.timers,
    startThread: (_: unknown, told: ThreadEvents) => {
      events = told;
      return { post: () => {} };
    },
  } as unknown as System;
  const reports: number[] = [];
  const shaper = new Shaper({
    system,
    onReport: ({ takenMs }) => reports.push(takenMs),
    onFault: () => {},
  });
  void shaper.apply([], true);
  const report = (takenMs: number): ShaperReport => ({
    ...{ kind: 'report', listing: null, takenMs, heardMs: takenMs },
  });
  for (const takenMs of [1000, 2000, 3000]) events!.onMessage(report(takenMs));
  await time.settle();
  events!.onMessage(report(4000));
  await time.settle();
  t.deepEqual(reports, [3000, 4000]);
});

test('a second without a report is missed, but not by one who was held up himself', async (t) => {
  const time = new VirtualTime();
  const watch = new ReportWatch({ clock: time.clock });
  const pass = async (ms: number): Promise<boolean> => {
    await time.advance(ms);
    return watch.isMissing();
  };
  t.true(await pass(1000), 'none has ever come');
  watch.hear();
  t.false(await pass(1000));
  t.true(await pass(1000));
  watch.hear();
  t.false(await pass(9000), 'those that came meanwhile are read next');
  t.true(await pass(1000));
  t.false(await pass(9000));
  t.true(await pass(9000), 'who is always late looks all the same');
});
