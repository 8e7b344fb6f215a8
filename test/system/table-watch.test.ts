// The monitor that tells when our rules go: replaced once it has heard much, and deaf at no time.
import test from 'ava';
import type { ChildEvents, System } from '../../src/shell/system/system.ts';
import { TableWatch } from '../../src/shell/system/table-watch.ts';
import { VirtualTime } from '../stand-ins/fake-system/virtual-time.ts';

function start(options: { renewalsEach?: number } = { renewalsEach: 10 }) {
  const time = new VirtualTime();
  const monitors: { events: ChildEvents; runs: boolean }[] = [];
  const heard: string[] = [];
  const system = {
    ...{ clock: time.clock, timers: time.timers },
    processes: {
      spawn: (_: readonly string[], events: ChildEvents) => {
        const monitor = { events, runs: true };
        monitors.push(monitor);
        return {
          ...{ pid: monitors.length, write: () => {}, endInput: () => {} },
          kill: () => {
            monitor.runs = false;
            events.onExit({ status: null, signal: 'SIGTERM', failure: null });
          },
        };
      },
    },
  } as unknown as System;
  const watch = new TableWatch({ system, onLost: (what) => heard.push(what), ...options });
  const running = (): number[] => monitors.flatMap(({ runs }, index) => (runs ? [index + 1] : []));
  const tell = (number: number, line = 'delete rule inet iotshaper forward handle 7'): void =>
    monitors[number - 1]!.events.onOutput!(Buffer.from(`${line}\n`));
  return { time, watch, running, tell, heard };
}

test('after so many renewals another one listens before the old one goes', async (t) => {
  const { time, watch, running, tell, heard } = start();
  watch.start();
  watch.noteRenewed(9);
  t.deepEqual(running(), [1]);
  watch.noteRenewed(2);
  t.deepEqual(running(), [1, 2]);
  tell(1);
  tell(2);
  t.is(heard.length, 2, 'who puts rules back looks first whether they are gone');
  watch.noteRenewed(50);
  t.deepEqual(running(), [1, 2], 'one after the other');
  await time.advance(3000);
  t.deepEqual(running(), [2]);
  watch.noteRenewed(1);
  t.deepEqual(running(), [2, 3], 'what was renewed meanwhile counts');
});

test('rules about devices and those that lead to the clock are told apart; of others nothing is', (t) => {
  const { watch, tell, heard } = start();
  watch.start();
  tell(1, 'delete rule netdev iotshaper out handle 4');
  tell(1, 'delete rule inet fw4 forward handle 12');
  tell(1, 'delete rule inet iotshaper_boot forward handle 3');
  tell(1, 'delete rule inet iotshaper forward handle 9');
  t.deepEqual(heard, ['clock-touched', 'rules-lost']);
});

test('both end with the watch, and nothing begins after it', async (t) => {
  const { time, watch, running } = start();
  watch.noteRenewed(100);
  t.deepEqual(running(), []);
  watch.start();
  watch.noteRenewed(1);
  t.deepEqual(running(), [1, 2]);
  await watch.stop();
  t.deepEqual(running(), []);
  watch.noteRenewed(100);
  await time.advance(10_000);
  t.deepEqual(running(), []);
});

test('one that keeps 344 bytes of each renewal keeps no more than 100 kB', async (t) => {
  const { time, watch, running } = start({});
  watch.start();
  for (let renewals = 0; renewals < 100_000 / 344; renewals++) watch.noteRenewed(1);
  await time.advance(3000);
  t.deepEqual(running(), [2]);
});
