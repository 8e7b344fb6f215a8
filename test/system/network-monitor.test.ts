// Changes of the network are told soon, in bursts, and never for what we did ourselves.
import test from 'ava';
import {
  type MonitorOptions,
  type NetworkChange,
  NetworkMonitor,
  readMonitorLine,
} from '../../src/shell/network/network-monitor.ts';
import type { Cancel, Timers } from '../../src/shell/system/system.ts';
import { createHomeMachine } from '../stand-ins/fake-system/home-machine.ts';
import type { FakeMachine } from '../stand-ins/fake-system/machine.ts';
import type { Life } from '../stand-ins/fake-system/processes.ts';

/** Printed by iproute2 6.1. */
const lines: [line: string, what: NetworkChange | null][] = [
  [
    '[LINK]3: va@vb: <BROADCAST,MULTICAST,M-DOWN> mtu 1500 qdisc noop state DOWN group default \\    link/ether 56:15:71:5a:75:72',
    'house',
  ],
  [
    '[LINK]Deleted 3: vc@NONE: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN group default',
    'house',
  ],
  ['[LINK]5: iot0: <POINTOPOINT,UP> mtu 1500 qdisc pfifo_fast state UNKNOWN', null],
  [
    '[ADDR]3: va    inet 10.0.0.1/24 scope global va\\       valid_lft forever preferred_lft forever',
    'house',
  ],
  ['[ADDR]Deleted 3: va    inet 10.0.0.1/24 scope global va', 'house'],
  ['[ADDR]5: iot0    inet 10.214.2.254/32 scope global iot0', null],
  ['[ROUTE]10.0.0.0/24 dev va proto kernel scope link src 10.0.0.1 linkdown ', 'house'],
  ['[ROUTE]Deleted default via 203.0.113.1 dev wan proto static ', 'house'],
  ['[ROUTE]local 10.0.0.1 dev va table local proto kernel scope host src 10.0.0.1 ', null],
  ['[ROUTE]unreachable default table 7213 metric 4278198272 ', null],
  ['[ROUTE]default dev iot0 table 7213 scope link metric 10 ', null],
  ['[ROUTE]default via 10.1.1.1 dev eth1 table 72130 ', 'house'],
  ['[NEIGH]10.0.0.9 dev va lladdr 02:00:00:00:00:09 STALE ', 'neighbours'],
  ['[NEIGH]Deleted fd00::9 dev va FAILED ', 'neighbours'],
  ['[NEIGH]dev lan1 lladdr aa:f7:21:d4:e6:2b REACHABLE ', null],
  ['Cannot bind netlink socket: No such file or directory', null],
  ['', null],
];

for (const [line, what] of lines) {
  test(`${line.slice(0, 40) || 'an empty line'} is ${what ?? 'nothing'}`, (t) => {
    t.is(readMonitorLine(line, ['iot0', 'iotvpn0'], [7213]), what);
  });
}

const NEIGH = '[NEIGH]10.0.0.9 dev va lladdr 02:00:00:00:00:09 STALE \n';
const OTHER = '[NEIGH]10.0.0.8 dev va lladdr 02:00:00:00:00:08 REACHABLE \n';
const LINK = '[LINK]3: va@vb: <BROADCAST>\n';

interface Told {
  what: NetworkChange;
  atMs: number;
}

interface Watch {
  machine: FakeMachine;
  watching: NetworkMonitor;
  told: Told[];
}

/** Watches a program; `begin` returns what it ends with. */
function watch(
  begin: (life: Life, timers: Timers) => Cancel,
  { everyMs = 0, ...more }: Pick<MonitorOptions, 'memory'> & { everyMs?: number } = {},
): Watch {
  const machine = createHomeMachine();
  const { time, processes, system } = machine;
  processes.programs.unshift((argv, life) => {
    if (argv[0] !== 'changes') return null;
    return { onEnd: begin(life, time.timers) };
  });
  const told: Told[] = [];
  const beganMs = time.nowMs;
  const watching = new NetworkMonitor({
    system,
    onChange: (what) => told.push({ what, atMs: time.nowMs - beganMs }),
    ignoredNetdevs: () => ['iot0'],
    ignoredTables: [7213, 7214],
    debounceMs: 20,
    houseEveryMs: everyMs,
    neighboursEveryMs: everyMs,
    argv: ['changes'],
    ...more,
  });
  watching.start();
  return { machine, watching, told };
}

test('the start is told, since nobody knows what came before, then what changes', async (t) => {
  const { machine, told } = watch((life, timers) => timers.after(150, () => life.print(NEIGH)));
  await machine.advance(1000);
  t.deepEqual(told, [
    { what: 'house', atMs: 20 },
    { what: 'neighbours', atMs: 170 },
  ]);
});

test('a burst is one call, for the most there was in it', async (t) => {
  const { machine, told } = watch((life, timers) => {
    timers.after(150, () => life.print(`${NEIGH}${LINK}${NEIGH}`));
    return timers.after(400, () => life.print(OTHER));
  });
  await machine.advance(1000);
  t.deepEqual(told, [
    { what: 'house', atMs: 20 },
    { what: 'house', atMs: 170 },
    { what: 'neighbours', atMs: 420 },
  ]);
});

test('a trickle without end is told all the same, and no more often than asked', async (t) => {
  let count = 0;
  const { machine, told } = watch(
    (life, timers) =>
      timers.every(5, () => life.print(NEIGH.replace('09 STALE', `0${count++ % 2} STALE`))),
    { everyMs: 100 },
  );
  await machine.advance(350);
  t.deepEqual(
    told.map(({ what }) => what),
    ['house', 'neighbours', 'neighbours', 'neighbours'],
  );
  for (const [at, { atMs }] of told.entries()) if (at > 0) t.is(atMs - told[at - 1]!.atMs, 100);
});

test('a neighbour that is heard again as it was known is no change', async (t) => {
  const again = NEIGH.replace('STALE', 'REACHABLE');
  const gone = '[NEIGH]Deleted 10.0.0.9 dev va FAILED \n';
  const heard: [string, boolean][] = [];
  const { machine, told } = watch(
    (life, timers) => {
      timers.after(150, () => life.print(NEIGH));
      timers.after(300, () => life.print(again));
      return timers.after(450, () => life.print(gone));
    },
    { memory: { hear: (line, isNews) => void heard.push([line, isNews]), distrust: () => {} } },
  );
  await machine.advance(1000);
  t.deepEqual(
    told.map(({ what }) => what),
    ['house', 'neighbours', 'neighbours'],
  );
  t.deepEqual(heard, [
    [NEIGH.slice(0, -1), true],
    [again.slice(0, -1), false],
    [gone.slice(0, -1), true],
  ]);
});

test('a child that ends is started again, and what was missed is looked for', async (t) => {
  const { machine, told } = watch((life, timers) => timers.after(100, () => life.exit(1)));
  await machine.advance(5000);
  t.true(told.length > 1);
  t.true(told.every(({ what }) => what === 'house'));
});

test('nothing is told after the end', async (t) => {
  const { machine, watching, told } = watch((life, timers) =>
    timers.every(1, () => life.print(LINK)),
  );
  await machine.advance(30);
  t.is(told.length, 1);
  await machine.finish(watching.stop());
  await machine.advance(1000);
  t.is(told.length, 1);
});
