// A tc that grows with each command is replaced by another one: nothing is lost, nothing is done in another order.
import test from 'ava';
import { TcBatch } from '../../src/shell/shaper/tc-batch.ts';
import type { ChildEvents, System } from '../../src/shell/system/system.ts';
import { VirtualTime } from '../stand-ins/fake-system/virtual-time.ts';

interface FakeTc {
  events: ChildEvents;
  said: string;
  isTold: boolean;
  killed: boolean;
}

function start(commandsEach: number) {
  const time = new VirtualTime();
  const all: FakeTc[] = [];
  const lines: string[] = [];
  const faults: string[] = [];
  let lost = 0;
  const system = {
    ...{ clock: time.clock, timers: time.timers },
    processes: {
      spawn: (_: readonly string[], events: ChildEvents) => {
        const tc: FakeTc = { events, said: '', isTold: false, killed: false };
        all.push(tc);
        return {
          pid: all.length,
          write: (text: string) => {
            tc.said += text;
          },
          endInput: () => {
            tc.isTold = true;
          },
          kill: () => {
            tc.killed = true;
          },
        };
      },
    },
  } as unknown as System;
  const batch = new TcBatch({
    system,
    commandsEach: () => commandsEach,
    onLine: (line) => lines.push(line),
    onLost: () => lost++,
    onFault: ({ code }) => faults.push(code),
  });
  batch.restart();
  const end = (tc: FakeTc, failure: string | null = null): void =>
    tc.events.onExit({ status: 0, signal: null, failure });
  return { time, all, lines, faults, batch, end, lost: () => lost };
}

test('the next one stands ready, and says nothing before the old one has done all', (t) => {
  const { all, batch, end, lines } = start(3);
  batch.write('1\n2\n');
  batch.write('3\n');
  t.deepEqual([all.length, all[0]!.isTold], [2, true]);
  batch.write('4\n');
  batch.write('5\n6\n7\n');
  t.deepEqual(all[1]!.said, '', 'a rate that the old one still sets would come last');
  all[0]!.events.onOutput!(Buffer.from('class htb 1:10 root\n'));
  t.deepEqual(lines, ['class htb 1:10 root'], 'what it was asked');
  end(all[0]!);
  t.is(all[1]!.said, '4\n5\n6\n7\n');
  batch.write('8\n');
  t.deepEqual([all.length, all[1]!.isTold], [3, true], 'one after the other');
  end(all[1]!);
  t.is(all.map(({ said }) => said).join(''), '1\n2\n3\n4\n5\n6\n7\n8\n');
});

test('one that does not end is ended', async (t) => {
  const { time, all, batch, end } = start(1);
  batch.write('1\n');
  batch.write('2\n');
  await time.advance(999);
  t.false(all[0]!.killed);
  await time.advance(1);
  t.true(all[0]!.killed);
  end(all[0]!);
  t.is(all[1]!.said, '2\n');
});

test('one that had to be killed never answers: what it was asked is asked anew', async (t) => {
  const { time, all, batch, lost } = start(2);
  batch.write('1\nclass show\n');
  batch.write('3\n');
  await time.advance(1000);
  all[0]!.events.onExit({ status: null, signal: 'SIGKILL', failure: null });
  t.is(lost(), 1);
  t.is(all[1]!.said, '', 'with what came after it');
  batch.write('4\n');
  t.is(all[1]!.said, '4\n');
});

test('one that dies is followed by another, but not over and over', async (t) => {
  const { time, all, batch, end, lost, faults } = start(100);
  await time.advance(2000);
  end(all[0]!);
  t.deepEqual([all.length, lost(), batch.isRunning], [2, 1, true]);
  end(all[1]!);
  t.deepEqual([all.length, lost(), batch.isRunning], [2, 1, false]);
  batch.write('1\n');
  batch.restart();
  end(all[2]!, 'spawn tc ENOENT');
  t.deepEqual([faults, batch.isRunning], [['command-failed'], false]);
});

test('what those print that were ended on purpose is nobody’s', (t) => {
  const { all, batch, end, lines } = start(100);
  batch.restart();
  all[0]!.events.onOutput!(Buffer.from('class htb 1:10 root\n'));
  end(all[0]!);
  batch.stop();
  end(all[1]!);
  t.deepEqual([lines, all.length, all.every(({ isTold }) => isTold)], [[], 2, true]);
});
