// What the shaping thread says to tc, to the network and back, with a machine that only notes it.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { notice } from '../../src/core/notices/notice.ts';
import { HOME_CLASS_MINOR } from '../../src/core/plan/names.ts';
import type { FromShaper, ShapedStream, ToShaper } from '../../src/shell/shaper/messages.ts';
import { ShaperThread } from '../../src/shell/shaper/thread.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { type ChildEvents, type System, SystemError } from '../../src/shell/system/system.ts';

const stream: ShapedStream = {
  minor: HOME_CLASS_MINOR,
  shape: { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 },
  local: '10.213.0.2',
  peer: '10.213.0.1',
  clockedNetdev: null,
};

interface Failures {
  /** Why no socket can be opened. */
  socket?: SystemError;
}

/** A thread whose clock, tc and sockets are the test's. */
function startThread({ socket: refusal }: Failures = {}) {
  const tc: { events: ChildEvents; said: string; ended: boolean }[] = [];
  const sockets: { sent: number; closed: boolean }[] = [];
  const timers = new Set<() => void>();
  const told: FromShaper[] = [];
  let nowMs = 0;
  let closed = false;
  let tick = (): void => {};
  let heard = (_: FromShaper): void => {};
  let say = (_: unknown): void => {};
  const system: System = {
    ...nodeSystem,
    clock: { monotonicMs: () => nowMs, unixMs: () => 0 },
    timers: {
      ...nodeSystem.timers,
      after: (_delayMs, work) => {
        timers.add(work);
        return () => timers.delete(work);
      },
      every: (_periodMs, work) => {
        tick = work;
        return () => {
          tick = () => {};
        };
      },
    },
    sockets: {
      ...nodeSystem.sockets,
      openUdp: async () => {
        if (refusal) throw refusal;
        const socket = { sent: 0, closed: false };
        sockets.push(socket);
        return {
          send: () => void socket.sent++,
          sendTo: () => {},
          setSendBuffer: () => {},
          sendBufferBytes: () => 1 << 20,
          close: () => {
            socket.closed = true;
          },
        };
      },
    },
    processes: {
      ...nodeSystem.processes,
      raisePriority: () => {},
      spawn: (_argv, events) => {
        const child = { events, said: '', ended: false };
        tc.push(child);
        return {
          pid: 1,
          write: (text) => {
            child.said += text;
          },
          endInput: () => {
            child.ended = true;
          },
          kill: () => {},
        };
      },
    },
  };
  new ShaperThread(
    {
      post: (message) => {
        told.push(message as FromShaper);
        heard(message as FromShaper);
      },
      onMessage: (listener) => {
        say = listener;
      },
      close: () => {
        closed = true;
      },
    },
    system,
  );
  let lastId = 0;
  return {
    tc,
    sockets,
    told,
    timers,
    isClosed: () => closed,
    /** Resolves once the streams stand. */
    apply: (streams: ShapedStream[], fresh: boolean) =>
      new Promise<void>((resolve) => {
        const id = ++lastId;
        heard = (message) => {
          if (message.kind === 'applied' && message.id === id) resolve();
        };
        say({ kind: 'streams', id, streams, fresh } satisfies ToShaper);
      }),
    stop: async () => {
      say({ kind: 'stop' } satisfies ToShaper);
      await new Promise((resolve) => setImmediate(resolve));
    },
    /** A second passes. */
    report: () => {
      nowMs += 1000;
      tick();
      return told.at(-1)!;
    },
  };
}

test('a paced stream has cover, a rate that is drawn, and is listed once a second', async (t) => {
  const { apply, report, tc, sockets, timers } = startThread();
  await apply([stream], true);
  t.deepEqual(sockets, [{ sent: 1, closed: false }], 'the kernel has not taken it yet');
  t.regex(tc[0]!.said, /^class change dev iotvpn0 .*classid 1:10 .*\n$/);
  t.is(timers.size, 1, 'the next draw');
  t.deepEqual(report(), { kind: 'report', listing: null, takenMs: 1000 });
  t.regex(tc[0]!.said, /class show dev iotvpn0\nqdisc show dev iotvpn0\n/);
  const listed = readFileSync('test/fixtures/tc/home.txt');
  for (const byte of listed) tc[0]!.events.onOutput!(Uint8Array.of(byte));
  t.like(report(), {
    takenMs: 1000,
    listing: { classes: [{ id: '1:10', packets: 30 }] },
  });
});

test('a stream that stays as it is keeps its cover; a fresh queue has new cover and a new tc', async (t) => {
  const { apply, tc, sockets } = startThread();
  await apply([stream], true);
  await apply([stream], false);
  t.is(sockets.length, 1);
  await apply([stream], true);
  t.deepEqual(
    sockets.map(({ closed }) => closed),
    [true, false],
  );
  t.deepEqual(
    tc.map(({ ended }) => ended),
    [true, false],
  );
  tc[0]!.events.onOutput!(Buffer.from('class htb 1:10 root leaf 1010:\n'));
  await apply([], false);
  t.true(sockets[1]!.closed);
});

test('no tc, and no address for cover, are faults in words', async (t) => {
  const { apply, tc, told } = startThread({
    socket: new SystemError('EADDRNOTAVAIL', 'bind EADDRNOTAVAIL 10.213.0.2'),
  });
  await apply([stream], true);
  tc[0]!.events.onExit({ status: null, signal: null, failure: 'spawn tc ENOENT' });
  t.deepEqual(
    told.filter(({ kind }) => kind === 'fault'),
    [
      {
        kind: 'fault',
        minor: HOME_CLASS_MINOR,
        fault: notice('tunnel-netdev-gone'),
      },
      {
        kind: 'fault',
        minor: 0,
        fault: notice('command-failed', { command: 'tc', error: 'spawn tc ENOENT' }),
      },
    ],
  );
});

test('told to stop while a stream is being made, it leaves nothing behind', async (t) => {
  const { apply, stop, report, tc, sockets, timers, told, isClosed } = startThread();
  const applied = apply([stream], true);
  await stop();
  await applied;
  t.true(isClosed());
  t.true(sockets.length > 0 && sockets.every(({ closed }) => closed));
  t.true(tc.every(({ ended }) => ended));
  t.is(timers.size, 0);
  const before = told.length;
  report();
  t.is(told.length, before);
});
