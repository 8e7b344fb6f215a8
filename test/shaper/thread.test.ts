// What the shaping thread says to the kernel's traffic control, to the network and back.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { attributeOf, CREATE, readMessages } from '../../src/core/netlink/netlink.ts';
import { HTB_PARAMETERS, RTM, TCA } from '../../src/core/netlink/tc-messages.ts';
import { notice } from '../../src/core/notices/notice.ts';
import { HOME_CLASS_MINOR } from '../../src/core/plan/names.ts';
import { SLOT_UNITS, SPACER_PORT, spacerBytes } from '../../src/core/plan/spacers.ts';
import type { TcListing } from '../../src/core/plan/tc-listing.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import type { FromShaper, ShapedStream, ToShaper } from '../../src/shell/shaper/messages.ts';
import { ShaperThread } from '../../src/shell/shaper/thread.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { type ChildEvents, type System, SystemError } from '../../src/shell/system/system.ts';
import { FakeMachine } from '../stand-ins/fake-system/machine.ts';
import { createRouteSocket } from '../stand-ins/fake-system/route-socket.ts';

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
  /** Classes that there are. */
  minors?: number[];
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a thread has said to the kernel by one socket. */
interface Told {
  events: ChildEvents;
  said: Said[];
  ended: boolean;
}

interface Said {
  /** `class change 1:10`, `qdisc change 2010:`, `class show iotvpn0`, `qdisc show`. */
  what: string;
  /** Slots a second, each charged in full; 0 where no rate is said, Infinity where spacers make the intervals. */
  slotsPerS: number;
}

/** A machine with the queues that stand, as many classes as homes. */
function machineWithQueues(minors: readonly number[]): FakeMachine {
  const machine = new FakeMachine({
    controlKey: new Uint8Array(32),
    inner: { prefix4: '10.214.2.0/24', prefix6: null, resolver4: '10.214.0.1', resolver6: null },
  });
  const lines = ['queue.tc', 'clock.tc'].map((file) =>
    readFileSync(`test/golden/home/default/${file}`, 'utf8')
      .split('\n')
      .filter((line) => !line.startsWith('#')),
  );
  for (const name of ['iotvpn0', 'iotclk0']) machine.ip.addNetdev({ name, kind: 'tun' });
  for (const [root = '', ...classes] of lines) {
    const each = minors.flatMap((minor) =>
      classes.map((line) => line.replaceAll(/10(?=:? |$)/g, minor.toString(16).padStart(2, '0'))),
    );
    machine.tc.runBatch([root, ...each].join('\n'));
  }
  return machine;
}

function readSaid(machine: FakeMachine, bytes: Uint8Array): Said[] {
  const { messages } = readMessages(bytes);
  const names = new Map([...machine.ip.netdevs.values()].map(({ name, index }) => [index, name]));
  return messages.flatMap(({ type, flags, payload }) => {
    const does = (flags & CREATE) === 0 ? 'change' : 'add';
    const view = new DataView(payload.buffer, payload.byteOffset);
    const handle = view.getUint32(8, true);
    const id = (minor: number): string =>
      `${(handle >>> 16).toString(16)}:${minor ? minor.toString(16) : ''}`;
    switch (type) {
      case RTM.newClass: {
        const options = attributeOf(payload.subarray(20), TCA.options)!;
        const parameters = attributeOf(options, HTB_PARAMETERS)!;
        const rate = new DataView(parameters.buffer, parameters.byteOffset);
        const slotsPerS = rate.getUint32(8, true) / rate.getUint16(6, true);
        return [{ what: `class ${does} ${id(handle & 0xffff)}`, slotsPerS }];
      }
      case RTM.newQdisc: {
        const options = attributeOf(payload.subarray(20), TCA.options)!;
        return [{ what: `qdisc ${does} ${id(0)} limit ${options[0]}`, slotsPerS: 0 }];
      }
      case RTM.deleteClass: {
        return [{ what: `class delete ${id(handle & 0xffff)}`, slotsPerS: 0 }];
      }
      case RTM.getClass:
        return [{ what: `class show ${names.get(view.getInt32(4, true))}`, slotsPerS: 0 }];
      case RTM.getQdisc:
        return [{ what: 'qdisc show', slotsPerS: 0 }];
      default:
        return [];
    }
  });
}

/** A thread whose clock and sockets are the test's. */
function startThread({ socket: refusal, takes = false, minors = [0x10] }: Failures = {}) {
  const tc: Told[] = [];
  const machine = machineWithQueues(minors);
  const route = createRouteSocket(machine.tc, machine.ip);
  const sockets: { port: number; sent: number; bytes: number; closed: boolean }[] = [];
  const random = seededRandom(1);
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
    randomBytes: (count) => Uint8Array.from({ length: count }, () => 256 * random()),
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
      ...machine.system.files,
      openCounter: () => ({ read: () => counted++, close: () => {} }),
    },
    sockets: {
      ...nodeSystem.sockets,
      openUdp: async ({ peer }) => {
        if (refusal) throw refusal;
        const socket = { port: peer!.port, sent: 0, bytes: 0, closed: false };
        sockets.push(socket);
        return {
          send: (datagram, done) => {
            socket.sent++;
            socket.bytes += datagram.length;
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
      spawn: (argv, events) => {
        const child: Told = { events, said: [], ended: false };
        tc.push(child);
        const program = route(argv, {
          argv,
          print: (bytes) => queueMicrotask(() => events.onOutput?.(bytes as Uint8Array)),
          printError: () => {},
          exit: () => {},
        })!;
        return {
          pid: 1,
          write: (bytes) => {
            child.said.push(...readSaid(machine, bytes as Uint8Array));
            program.onBytes!(bytes as Uint8Array);
          },
          endInput: () => {},
          kill: () => {
            child.ended = true;
          },
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
    machine,
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
      await settled();
    },
    /** A second passes, and the kernel has answered. */
    report: async () => {
      nowMs += 1000;
      (periods.get(500) ?? periods.get(1000))?.();
      await settled();
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
  const { apply, report, tc, machine, sockets, timers } = startThread();
  await apply([stream], true);
  t.like(sockets, [{ sent: 1, closed: false }], 'the kernel has not taken it yet');
  t.deepEqual(
    tc[0]!.said.map(({ what }) => what),
    ['class change 1:10', 'class change 1:10'],
  );
  t.is(tc[0]!.said[0]!.slotsPerS, 40_000 / 512, 'the mean, for what leaves before the first draw');
  t.is(timers.size, 2, 'the next draw, and the first report');
  machine.tc.queueOf('iotvpn0')!.classes.get(0x10)!.packets = 30;
  t.like(await report(), {
    ...{ kind: 'report', takenMs: 1000, heardMs: 1000 },
    listing: { classes: [{ id: '1:10', packets: 30, leaf: '1010:' }] },
  });
  const asked = tc[0]!.said.filter(({ what }) => what.includes('show'));
  t.deepEqual(
    asked.map(({ what }) => what),
    ['class show iotvpn0', 'qdisc show'],
  );
});

test('a queue that was just made is looked at sooner, and oftener for a while', async (t) => {
  const { apply, report, draw, periods, told } = startThread();
  await apply([stream], true);
  draw();
  await settled();
  t.like(told.at(-1), { kind: 'report', takenMs: 100, listing: { classes: [{ id: '1:10' }] } });
  const periodsSeen = [];
  for (let count = 0; count < 12; count++) {
    periodsSeen.push([...periods.keys()]);
    await report();
  }
  t.deepEqual(periodsSeen, [...Array(11).fill([500]), [1000]]);
});

test('a stream that stays as it is keeps its cover; a fresh queue has new cover', async (t) => {
  const { apply, tc, sockets } = startThread();
  await apply([stream], true);
  await apply([stream], false);
  t.is(sockets.length, 1);
  await apply([stream], true);
  t.deepEqual(
    sockets.map(({ closed }) => closed),
    [true, false],
  );
  t.is(tc.length, 1, 'one socket for all');
  await apply([], false);
  t.true(sockets[1]!.closed);
});

test('no socat, and no address for cover, are faults in words', async (t) => {
  const { apply, tc, told } = startThread({
    socket: new SystemError('EADDRNOTAVAIL', 'bind EADDRNOTAVAIL 10.213.0.2'),
  });
  await apply([stream], true);
  tc[0]!.events.onExit({ status: null, signal: null, failure: 'spawn socat ENOENT' });
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
        fault: notice('command-failed', { command: 'socat', error: 'spawn socat ENOENT' }),
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
  await report();
  t.is(told.length, before);
});

const clockedStream: ShapedStream = { ...stream, standing: 2 };

/** Rates of both clocks, slots a second, as each was told last. */
function ratesOf(said: readonly Said[]): { outer: number; inner: number } {
  const last = (what: string): number =>
    said.filter((one) => one.what === what).at(-1)?.slotsPerS ?? Number.NaN;
  return { outer: last('class change 2:1010'), inner: last('class change 1:10') };
}

/** So many packets stand in the clock. */
function stand(machine: FakeMachine, packets: number): void {
  const packet = { bytes: 578, priority: 0, destination: '', onFreed: () => {}, isAwaited: false };
  const band = Array.from({ length: packets }, () => packet);
  machine.tc.queueOf('iotclk0')!.classes.get(0x10)!.bands[1] = band;
  // None of it leaves while it is counted.
  machine.tc.queueOf('iotclk0')!.classes.get(0x10)!.nextMs = Number.POSITIVE_INFINITY;
}

/** Spacers handed over: how many, and the bytes that the clock charges for them. */
function spacersOf(sockets: readonly { port: number; sent: number; bytes: number }[]) {
  const all = sockets.filter(({ port }) => port === SPACER_PORT);
  const sum = (of: (one: { sent: number; bytes: number }) => number): number =>
    all.reduce((total, one) => total + of(one), 0);
  return {
    count: sum(({ sent }) => sent),
    units: sum((one) => one.bytes - one.sent * spacerBytes(0)),
  };
}

test('with a clock behind OpenVPN a second of intervals stands there as spacers, put there once none of before do', async (t) => {
  const { apply, draw, report, periods, tc, sockets, machine } = startThread();
  await apply([clockedStream], true);
  const { said } = tc[0]!;
  t.deepEqual(
    said.map(({ what }) => what),
    [
      ...['qdisc change 2010: limit 38', 'class change 2:10'],
      ...['class delete 2:2010', 'class add 2:2010', 'qdisc add 3010: limit 173'],
      ...['class change 2:1010', 'class change 1:10', 'class show iotclk0'],
      ...['class change 1:10', 'class change 2:1010'],
    ],
  );
  t.is(said.find(({ what }) => what === 'class change 2:1010')!.slotsPerS, 40_000 / 512);
  t.is(ratesOf(said).outer, Number.POSITIVE_INFINITY, 'they take over from the rate');
  const { count, units } = spacersOf(sockets);
  t.true(count > 60 && count < 100, `${count} spacers`);
  t.true(units * 12.8 >= 1000 * SLOT_UNITS && units * 12.8 < 1040 * SLOT_UNITS, `${units} units`);
  draw();
  const more = spacersOf(sockets).units - units;
  t.true(Math.abs(more * 12.8 - 100 * SLOT_UNITS) < 40 * SLOT_UNITS, `${more} in 100 ms`);
  t.is(said.at(-1)!.what, 'class change 1:10', 'nothing is told of the clock itself');
  t.deepEqual([...periods.keys()].sort(), [400, 500]);
  machine.tc.queueOf('iotclk0')!.classes.get(0x10)!.packets = 5;
  const listed = [{ id: '2:1010' }, { id: '2:10', packets: 5 }, { id: '2:2010' }];
  const { listing } = (await report()) as { listing: TcListing };
  t.like(
    [...listing.clock!.classes].sort((one, other) =>
      (one.leaf ?? '').localeCompare(other.leaf ?? ''),
    ),
    listed,
  );
  await apply([stream], true);
  t.deepEqual([...periods.keys()], [500], 'nobody looks at a clock that is not there');
  t.true(sockets.every(({ port, closed }) => closed || port !== SPACER_PORT));
});

test('spacers whose class others have made again are put there anew, and all of them', async (t) => {
  const { apply, periods, tc, sockets, machine } = startThread();
  await apply([clockedStream], true);
  const queue = machine.tc.queueOf('iotclk0')!;
  const look = async (): Promise<void> => {
    periods.get(400)!();
    await settled();
    await settled();
  };
  queue.classes.get(0x2010)!.packets = 40;
  await look();
  const { length } = tc[0]!.said;
  const before = spacersOf(sockets).count;
  queue.classes.get(0x2010)!.packets = 2;
  await look();
  const since = tc[0]!.said.slice(length).map(({ what }) => what);
  t.deepEqual(since.slice(0, 3), [
    'class show iotclk0',
    'qdisc change 2010: limit 38',
    'class change 2:10',
  ]);
  t.true(since.includes('class add 2:2010'));
  t.is(since.at(-1), 'class change 2:1010', 'spacers take over again');
  t.true(spacersOf(sockets).count - before > 60);
});

test('where no spacers get through each draw is told to both clocks', async (t) => {
  const { apply, draw, periods, tc, sockets } = startThread();
  await apply([clockedStream], true);
  periods.get(400)!();
  await settled();
  await settled();
  t.true(sockets.every(({ port, closed }) => closed || port !== SPACER_PORT));
  draw();
  const { outer, inner } = ratesOf(tc[0]!.said);
  t.true(outer > 40 && outer < 400, `${outer}`);
  t.true(
    Math.abs(inner / outer - 1.0224) < 0.001,
    'the same interval, and two slots that are missing',
  );
});

test('what stands in the clock bends the inner one, whose rate is what leaves there next', async (t) => {
  const inner: number[] = [];
  for (const standing of [2, 4, 0]) {
    const { apply, draw, periods, tc, machine } = startThread();
    await apply([clockedStream], true);
    stand(machine, standing);
    machine.tc.queueOf('iotclk0')!.classes.get(0x2010)!.packets = 1;
    periods.get(400)!();
    await settled();
    draw();
    inner.push(ratesOf(tc[0]!.said).inner);
  }
  const [even = 0, full = 0, empty = 0] = inner;
  t.true(even > 50 && even < 120, `${even} of 78 slots a second`);
  t.true(Math.abs(full / even - 0.9744) < 0.001, 'fewer are to come');
  t.true(Math.abs(empty / even - 1.0256) < 0.001, 'more are to come');
});

test('another rate throws away the spacers of before, and begins with its own', async (t) => {
  const { apply, tc, sockets } = startThread();
  await apply([clockedStream], true);
  const before = sockets.filter(({ port }) => port === SPACER_PORT);
  const { length } = tc[0]!.said;
  const shape = { ...stream.shape, rateKBps: 80 };
  await apply([{ ...clockedStream, shape }], false);
  t.true(before.every(({ closed }) => closed));
  const since = tc[0]!.said.slice(length).map(({ what }) => what);
  t.true(since.indexOf('class delete 2:2010') < since.indexOf('class show iotclk0'));
  const { count } = spacersOf(sockets.filter(({ closed }) => !closed));
  t.true(count > 85 && count < 120, `${count} in 640 ms`);
});

test('constant intervals follow what stands in the clock at once', async (t) => {
  const { apply, tc, machine, periods } = startThread();
  const shape = { ...stream.shape, mode: 'constant', sdPercent: 0 } as const;
  await apply([{ ...clockedStream, shape }], true);
  const [child] = tc;
  stand(machine, 0);
  periods.get(400)!();
  await settled();
  const { outer, inner } = ratesOf(child!.said);
  t.true(Math.abs(inner / outer - 1.0224) < 0.001);
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
