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
  standing: 0,
};

interface Failures {
  /** Why no socket can be opened. */
  socket?: SystemError;
  /** The kernel takes whatever it is handed at once. */
  takes?: boolean;
}

/** A thread whose clock, tc and sockets are the test's. */
function startThread({ socket: refusal, takes = false }: Failures = {}) {
  const tc: { events: ChildEvents; said: string; ended: boolean }[] = [];
  const sockets: { sent: number; closed: boolean }[] = [];
  const timers = new Set<() => void>();
  const told: FromShaper[] = [];
  let nowMs = 0;
  let counted = 0;
  let closed = false;
  const periods = new Map<number, () => void>();
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
      every: (periodMs, work) => {
        periods.set(periodMs, work);
        return () => periods.delete(periodMs);
      },
    },
    files: {
      ...nodeSystem.files,
      openCounter: () => ({ read: () => counted++, close: () => {} }),
    },
    sockets: {
      ...nodeSystem.sockets,
      openUdp: async () => {
        if (refusal) throw refusal;
        const socket = { sent: 0, closed: false };
        sockets.push(socket);
        return {
          send: (_, done) => {
            socket.sent++;
            if (takes) done?.(null);
          },
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
    /** How often the kernel was asked what has left. */
    counted: () => counted,
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
      periods.get(1000)?.();
      return told.at(-1)!;
    },
    /** The next draw is due. */
    draw: () => {
      nowMs += 100;
      for (const work of [...timers]) {
        timers.delete(work);
        work();
      }
    },
    periods,
  };
}

test('a paced stream has cover, a rate that is drawn, and is listed once a second', async (t) => {
  const { apply, report, tc, sockets, timers } = startThread();
  await apply([stream], true);
  t.deepEqual(sockets, [{ sent: 1, closed: false }], 'the kernel has not taken it yet');
  t.regex(
    tc[0]!.said,
    /^class change dev iotvpn0 .*classid 1:10 htb rate 40000bps .*\nclass change dev iotvpn0 .*classid 1:10 .*\n$/,
    'the mean, for what leaves before the first draw',
  );
  t.is(timers.size, 1, 'the next draw');
  t.deepEqual(report(), { kind: 'report', listing: null, takenMs: 1000, heardMs: 1000 });
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

const clockedStream: ShapedStream = { ...stream, standing: 2 };

/** Rates of both clocks, slots a second, as the last line for each has them. */
function ratesOf(said: string): { outer: number; inner: number } {
  const last = (netdev: string, each: number): number => {
    const lines = [
      ...said.matchAll(new RegExp(`^class change dev ${netdev} .* rate (\\d+)bps`, 'gm')),
    ];
    return Number(lines.at(-1)?.[1]) / each;
  };
  return { outer: last('iotclk0', 2048), inner: last('iotvpn0', 512) };
}

test('with a clock behind OpenVPN each draw goes to both, and what stands there bends the inner one', async (t) => {
  const { apply, report, draw, periods, tc } = startThread();
  await apply([clockedStream], true);
  const [child] = tc;
  t.regex(child!.said, /^qdisc change dev iotclk0 .* limit 38\n/);
  const first = ratesOf(child!.said);
  t.true(Math.abs(first.inner / first.outer - 1) < 0.001);
  t.deepEqual([...periods.keys()], [1000, 200]);
  periods.get(200)!();
  t.regex(child!.said, /\nclass show dev iotclk0\n$/);
  const listed = readFileSync('test/fixtures/tc/clock.txt', 'utf8');
  child!.events.onOutput!(Buffer.from(listed)); // four stand where two ought to
  draw();
  const full = ratesOf(child!.said);
  t.true(Math.abs(full.inner / full.outer - 0.9744) < 0.001, 'fewer are to come');
  child!.events.onOutput!(Buffer.from(listed.replace('2312b 4p', '0b 0p')));
  draw();
  const empty = ratesOf(child!.said);
  t.true(Math.abs(empty.inner / empty.outer - 1.0256) < 0.001, 'more are to come');
  report();
  t.regex(
    child!.said,
    /class show dev iotclk0\nqdisc show dev iotclk0\nclass show dev iotvpn0\nqdisc show dev iotvpn0\n/,
  );
  await apply([stream], true);
  t.deepEqual([...periods.keys()], [1000], 'nobody looks at a clock that is not there');
});

test('constant intervals follow what stands in the clock at once', async (t) => {
  const { apply, tc } = startThread();
  const shape = { ...stream.shape, mode: 'constant', sdPercent: 0 } as const;
  await apply([{ ...clockedStream, shape }], true);
  const [child] = tc;
  const listed = readFileSync('test/fixtures/tc/clock.txt', 'utf8').replace('2312b 4p', '0b 0p');
  child!.events.onOutput!(Buffer.from(listed));
  const { outer, inner } = ratesOf(child!.said);
  t.true(Math.abs(inner / outer - 1.0256) < 0.001);
});

/** As many homes as there are numbers. */
function homes(count: number): ShapedStream[] {
  return Array.from({ length: count }, (_, at) => ({ ...stream, minor: at + 2 }));
}

test('the kernel is asked once what has left, however many streams are drawn at once', async (t) => {
  for (const count of [1, 50]) {
    const { apply, draw, counted, sockets } = startThread({ takes: true });
    await apply(homes(count), true);
    const [before, sent] = [counted(), sockets.map((one) => one.sent)];
    draw();
    t.is(counted() - before, 1, `${count} streams`);
    t.true(
      sockets.every((one, at) => one.sent > sent[at]!),
      'all cover was handed over',
    );
  }
});

test('a tc that several homes share is given more to do before another takes its place', async (t) => {
  for (const { count, least, most } of [
    { count: 1, least: 2000, most: 2010 },
    { count: 2, least: 8000, most: 8010 },
  ]) {
    const { apply, draw, tc } = startThread();
    await apply(homes(count), true);
    while (tc.length === 1) draw();
    const commands = tc[0]!.said.split('\n').length - 1;
    t.true(commands >= least && commands <= most, `${count}: ${commands}`);
  }
});
