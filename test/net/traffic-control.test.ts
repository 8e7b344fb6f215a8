// What is told and asked of the kernel's traffic control by netlink is what tc tells and lists.
import test from 'ava';
import { findClockFaults } from '../../src/core/home/verification.ts';
import {
  encodeClassAnew,
  encodeClassChange,
  encodeFifoLimit,
} from '../../src/core/netlink/tc-messages.ts';
import { CLOCK_HANDLE, CLOCK_NETDEV, ROOT_HANDLE } from '../../src/core/plan/names.ts';
import { clockLeaf, clockRate, renderClock } from '../../src/core/plan/outer-clock.ts';
import { clockClasses, spacerLeaf, spacerLimit, spacerRate } from '../../src/core/plan/spacers.ts';
import { classId, classRateWords, drawnRate } from '../../src/core/plan/tc.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { TrafficControl } from '../../src/shell/shaper/traffic-control.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import type { System } from '../../src/shell/system/system.ts';
import { TcListingReader } from '../stand-ins/tc-listing-reader.ts';
import { addTun, newNamespace, requireNamespaces } from './support.ts';

const AREA = 'iottc';
const MINORS = [0x10, 0xfe];

/** This machine, in a namespace. */
function systemIn(netns: string): System {
  const { files, processes } = nodeSystem;
  return {
    ...nodeSystem,
    files: {
      ...files,
      readText: async (path) => (await run(['cat', path], { netns })).stdout,
    },
    processes: {
      ...processes,
      spawn: (argv, events) => processes.spawn(['ip', 'netns', 'exec', netns, ...argv], events),
    },
  };
}

test.serial(
  'a class is changed as tc changes it, many at once, and listed as tc lists it',
  async (t) => {
    if (!requireNamespaces(t)) return;
    const netns = await newNamespace(t, AREA);
    await addTun(netns, 'iotvpn0');
    await addTun(netns, 'iotclk0');
    const show = async (what: string, netdev: string): Promise<string> =>
      (await run(['tc', '-s', what, 'show', 'dev', netdev], { netns })).stdout;
    for (const [netdev, root, leaf] of [
      ['iotvpn0', ROOT_HANDLE, 'pfifo_fast'],
      ['iotclk0', CLOCK_HANDLE, 'pfifo limit 9'],
    ] as const) {
      const input = [
        `qdisc add dev ${netdev} root handle ${root} htb default 10`,
        ...MINORS.flatMap((minor) => [
          `class add dev ${netdev} parent ${root} classid ${classId(minor, root)} htb rate 8000bps`,
          `qdisc add dev ${netdev} parent ${classId(minor, root)} handle ${clockLeaf(minor)} ${leaf}`,
        ]),
      ].join('\n');
      await run(['tc', '-batch', '-'], { netns, input });
    }
    const control = new TrafficControl(systemIn(netns), ({ code, ...values }) =>
      t.fail(`${code} ${JSON.stringify(values)}`),
    );
    t.teardown(() => control.close());
    await control.find();
    const { tunnel, outer } = control.indexes;

    for (const packetBytes of [256, 1399]) {
      for (const rateKBps of [0.25, 5, 40, 10_000]) {
        const shape: Shape = { rateKBps, packetBytes, mode: 'vit', sdPercent: 30 };
        // Far from the mean, so that no bucket is as it was.
        const drawn = Math.round(rateKBps * 700);
        const asTold = async (change: () => unknown): Promise<string> => {
          await change();
          // Listed by the same socket, which therefore has passed on what came before.
          await control.list(true);
          return (await show('class', 'iotvpn0')) + (await show('class', 'iotclk0'));
        };
        const lines = MINORS.flatMap((minor) => [
          `class change dev iotvpn0 parent 1: classid ${classId(minor)} htb ${classRateWords(drawnRate(drawn, shape))} quantum 2048`,
          `class change dev iotclk0 parent 2: classid ${classId(minor, CLOCK_HANDLE)} htb ${classRateWords(clockRate(drawn, shape))} quantum 2048`,
        ]);
        const byTc = await asTold(() =>
          run(['tc', '-batch', '-'], { netns, input: lines.join('\n') }),
        );
        const other: Shape = { ...shape, packetBytes: 600 };
        const encode = (changed: Shape, bytesPerSecond: number): Uint8Array[] =>
          MINORS.flatMap((minor) => [
            encodeClassChange(
              { index: tunnel!, parent: ROOT_HANDLE, id: classId(minor) },
              drawnRate(bytesPerSecond, changed),
            ),
            encodeClassChange(
              { index: outer!, parent: CLOCK_HANDLE, id: classId(minor, CLOCK_HANDLE) },
              clockRate(bytesPerSecond, changed),
            ),
          ]);
        t.not(await asTold(() => control.tell(encode(other, 2 * drawn))), byTc);
        const byNetlink = await asTold(() => control.tell(encode(shape, drawn)));
        t.is(withoutBuckets(byNetlink), withoutBuckets(byTc));
        // tc cuts off what is less than a microsecond.
        const [told, wanted] = [bucketsOf(byNetlink), bucketsOf(byTc)];
        for (const [at, bytes] of told.entries()) {
          t.true(Math.abs(bytes - wanted[at]!) <= 1 + 0.02 * bytes, `${told} and ${wanted}`);
        }
        t.is(told.length, 4 * MINORS.length);
      }
    }

    control.tell(
      MINORS.map((minor) =>
        encodeFifoLimit({
          index: outer!,
          parent: classId(minor, CLOCK_HANDLE),
          handle: clockLeaf(minor),
          limit: 38,
        }),
      ),
    );
    const listed = await control.list(true);
    const reader = new TcListingReader();
    const printed = [
      ...(await Promise.all(['class', 'qdisc'].map((what) => show(what, 'iotclk0')))),
      ...(await Promise.all(['class', 'qdisc'].map((what) => show(what, 'iotvpn0')))),
    ].join('');
    for (const line of printed.split('\n')) reader.push(line);
    t.deepEqual(listed, reader.take());
    t.is(printed.match(/ limit 38p/g)?.length, MINORS.length, printed);
  },
);

test.serial(
  'a class is made anew with its queue as tc makes it, whether there was one or not',
  async (t) => {
    if (!requireNamespaces(t)) return;
    const netns = await newNamespace(t, AREA);
    await addTun(netns, CLOCK_NETDEV);
    const shape: Shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 };
    const tc = (lines: readonly string[]) =>
      run(['tc', '-batch', '-'], { netns, input: lines.join('\n') });
    const show = async (): Promise<string> =>
      (await run(['tc', 'class', 'show', 'dev', CLOCK_NETDEV], { netns })).stdout +
      (await run(['tc', 'qdisc', 'show', 'dev', CLOCK_NETDEV], { netns })).stdout;
    await tc(renderClock(0x10, 2, shape));
    const control = new TrafficControl(systemIn(netns), ({ code }) => t.fail(code));
    t.teardown(() => control.close());
    await control.find();
    const made = await show();
    const { whole, spacers } = clockClasses(0x10);
    const place = { index: control.indexes.outer!, parent: whole, id: spacers };
    const leaf = { handle: spacerLeaf(0x10), limit: spacerLimit(shape) };
    const anew = encodeClassAnew(place, spacerRate(shape), leaf);
    for (const isThere of [true, false]) {
      if (!isThere) await tc([`class del dev ${CLOCK_NETDEV} classid ${spacers}`]);
      control.tell(anew);
      const listed = await control.list(true);
      t.is(withoutBuckets(await show()), withoutBuckets(made));
      t.deepEqual(findClockFaults(listed!, 0x10), []);
    }
  },
);

test.serial(
  'a netdev that is gone is listed without a class, and one made again is found',
  async (t) => {
    if (!requireNamespaces(t)) return;
    const netns = await newNamespace(t, AREA);
    const control = new TrafficControl(systemIn(netns), ({ code }) => t.fail(code));
    t.teardown(() => control.close());
    t.deepEqual(await control.list(true), { classes: [], qdiscs: [] });
    await addTun(netns, 'iotvpn0');
    const before = await control.list(true);
    t.like(before, { classes: [], qdiscs: [{ parent: 'root' }] });
    await run(['ip', 'link', 'del', 'iotvpn0'], { netns });
    await addTun(netns, 'iotvpn0');
    await run(['tc', '-batch', '-'], {
      netns,
      input:
        'qdisc add dev iotvpn0 root handle 1: htb\nclass add dev iotvpn0 parent 1: classid 1:10 htb rate 8000bps\n',
    });
    t.like(await control.list(true), { classes: [{ id: '1:10', leaf: null, packets: 0 }] });
  },
);

/** What a class may send at once changes with time, and what it may send at most is rounded. */
function withoutBuckets(text: string): string {
  return text.replace(/^ tokens: .*$| c?burst \S+/gm, '');
}

function bucketsOf(text: string): number[] {
  const units: Record<string, number> = { b: 1, Kb: 1024, Mb: 1024 ** 2 };
  return [...text.matchAll(/ c?burst (\d+)(\w+)/g)].map(
    ([, amount, unit]) => Number(amount) * units[unit!]!,
  );
}
