// Changes of the network are told soon, in bursts, and never for what we did ourselves.
import { once } from 'node:events';
import test from 'ava';
import {
  type NetworkChange,
  NetworkMonitor,
  readMonitorLine,
} from '../../src/shell/network/network-monitor.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

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

/** A monitor over a program that prints what its standard input never needs to say. */
function monitor(script: string, onChange: (what: NetworkChange) => void, every = 0) {
  return new NetworkMonitor({
    system: nodeSystem,
    onChange,
    ignoredNetdevs: () => ['iot0'],
    ignoredTables: [7213, 7214],
    debounceMs: 20,
    houseEveryMs: every,
    neighboursEveryMs: every,
    argv: [process.execPath, '-e', script],
  });
}

const print = (line: string) => `process.stdout.write(${JSON.stringify(`${line}\n`)});`;
const NEIGH = '[NEIGH]10.0.0.9 dev va lladdr 02:00:00:00:00:09 STALE ';
const OTHER = '[NEIGH]10.0.0.8 dev va lladdr 02:00:00:00:00:08 REACHABLE ';
const LINK = '[LINK]3: va@vb: <BROADCAST>';

/** The first `count` calls. */
async function changes(script: string, count: number, every = 0): Promise<NetworkChange[]> {
  const told: NetworkChange[] = [];
  const target = new EventTarget();
  const done = once(target, 'done');
  const watching = monitor(
    script,
    (what) => {
      told.push(what);
      if (told.length === count) target.dispatchEvent(new Event('done'));
    },
    every,
  );
  watching.start();
  await done;
  await watching.stop();
  return told;
}

test('the start is told, since nobody knows what came before, then what changes', async (t) => {
  const script = `setTimeout(() => {${print(NEIGH)}}, 150); setInterval(() => {}, 1000);`;
  t.deepEqual(await changes(script, 2), ['house', 'neighbours']);
});

test('a burst is one call, for the most there was in it', async (t) => {
  const script = `setTimeout(() => {${print(NEIGH)}${print(LINK)}${print(NEIGH)}}, 150); setTimeout(() => {${print(OTHER)}}, 400); setInterval(() => {}, 1000);`;
  t.deepEqual(await changes(script, 3), ['house', 'house', 'neighbours']);
});

test('a trickle without end is told all the same, and no more often than asked', async (t) => {
  const startMs = performance.now();
  const told = await changes(
    `let n = 0; setInterval(() => { process.stdout.write(\`[NEIGH]10.0.0.9 dev va lladdr 02:00:00:00:00:\${n++ % 2 ? '08' : '09'} STALE \\n\`); }, 5);`,
    4,
    100,
  );
  t.deepEqual(told, ['house', 'neighbours', 'neighbours', 'neighbours']);
  t.true(performance.now() - startMs >= 300);
});

test('a neighbour that is heard again as it was known is no change', async (t) => {
  const again = NEIGH.replace('STALE', 'REACHABLE');
  const gone = '[NEIGH]Deleted 10.0.0.9 dev va FAILED ';
  const script = `setTimeout(() => {${print(NEIGH)}}, 150); setTimeout(() => {${print(again)}}, 300); setTimeout(() => {${print(gone)}}, 450); setInterval(() => {}, 1000);`;
  const told: string[] = [];
  const heard: [string, boolean][] = [];
  await new Promise<void>((resolve) => {
    const watching = new NetworkMonitor({
      ...{ system: nodeSystem, debounceMs: 20, houseEveryMs: 0, neighboursEveryMs: 0 },
      ignoredNetdevs: () => [],
      ignoredTables: [],
      argv: [process.execPath, '-e', script],
      memory: { hear: (line, isNews) => void heard.push([line, isNews]), distrust: () => {} },
      onChange: (what) => {
        told.push(what);
        if (told.length === 3) void watching.stop().then(resolve);
      },
    });
    watching.start();
  });
  t.deepEqual(told, ['house', 'neighbours', 'neighbours']);
  t.deepEqual(heard, [
    [NEIGH, true],
    [again, false],
    [gone, true],
  ]);
});

test('a child that ends is started again, and what was missed is looked for', async (t) => {
  t.deepEqual(await changes('process.exit(1)', 2), ['house', 'house']);
});

test('nothing is told after the end', async (t) => {
  let told = 0;
  const watching = monitor(`setInterval(() => {${print(LINK)}}, 1);`, () => told++);
  watching.start();
  await watching.stop();
  const before = told;
  await new Promise((resolve) => setTimeout(resolve, 60));
  t.is(told, before);
});
