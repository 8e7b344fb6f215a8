// The clock behind an endpoint's OpenVPN: who passes it, what moves with a home, and what is mended for whom.
import test, { type ExecutionContext } from 'ava';
import type { PlacedHome } from '../../src/core/endpoint/machine/clock-state.ts';
import type { Work } from '../../src/core/endpoint/machine/events.ts';
import { toldOf } from '../../src/core/endpoint/machine/telling.ts';
import { notice } from '../../src/core/notices/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { planHomesClock, renderPlaces } from '../../src/core/plan/homes-clock.ts';
import { FREE, Play, shape, stored } from './play.ts';

const way = { netdev: 'eth0', index: 2, isEthernet: true };
const at = (host: number, port = 40_000 + host): PlacedHome => ({
  ...{ host, address: '198.51.100.7', port, way },
});

type WorkOf<P extends Work['part']> = Extract<Work, { part: P }>;

/** An endpoint with a clock for these homes, in good order. */
function serving(t: ExecutionContext, hosts: readonly number[]): Play {
  const homes = [2, 3].map((host) => stored(host));
  return Play.serving(t, hosts, { homes, places: hosts.map((host) => at(host)) });
}

function seconds(play: Play, count: number): void {
  for (let passed = 0; passed < count; passed++) {
    play.second();
    play.settle();
  }
}

/** The next work on the clock, with what comes before it done. */
function nextClock(play: Play): WorkOf<'clock'> {
  play.doUntil('clock');
  return play.work as WorkOf<'clock'>;
}

test('a home that is there passes it, in a class of its own; another that comes changes nothing for it', (t) => {
  const play = serving(t, [2]);
  t.deepEqual(
    play.state.clock?.classes.map(({ minor, standing }) => ({ minor, standing })),
    [
      { minor: 2, standing: 2 },
      { minor: 3, standing: 1 },
    ],
  );
  t.is(play.state.queue?.ring, 32, 'OpenVPN may pause');
  play.places = [at(2), at(3)];
  play.hello(3);
  const work = nextClock(play);
  t.like(work, { rebuild: false, gone: [], come: [], rules: 'places' });
  play.doUntil('streams');
  const { streams, fresh } = play.work as WorkOf<'streams'>;
  t.false(fresh);
  t.deepEqual(
    streams.map(({ host, standing }) => ({ host, standing })),
    [
      { host: 2, standing: 2 },
      { host: 3, standing: 2 },
    ],
  );
  play.settle();
  t.true(play.gates.has(2));
});

test('a home that moves is followed within a second, and nobody is shut', (t) => {
  const play = serving(t, [2, 3]);
  play.places = [at(2, 5555), at(3)];
  play.isLed = false;
  play.second();
  const work = nextClock(play);
  t.like(work, { rebuild: false, gone: [], come: [], rules: 'places' });
  t.like(work.clock?.places, [
    { host: 2, port: 5555 },
    { host: 3, port: 40_003 },
  ]);
  play.isLed = true;
  play.settle();
  seconds(play, 4);
  t.deepEqual([...play.gates].sort(), [2, 3]);
  t.deepEqual(play.take(), []);
});

test('a home that moves all the time takes no look at the others from them', (t) => {
  const play = serving(t, [2, 3]);
  let looks = 0;
  for (let second = 0; second < 70; second++) {
    play.places = [at(2), at(3, 5000 + second)];
    if (second % 30 === 0) for (const host of [2, 3]) play.hello(host);
    // What tc was asked a second before is what is told now.
    play.second({ agoMs: 1000, shares: { 2: 0.9 } });
    looks += play.settle().filter((part) => part === 'look').length;
  }
  t.true(looks > 65, `${looks} looks`);
  t.true(play.gates.has(2));
  t.true(play.take().includes('homes-short'), 'what leaves for it is measured all the while');
});

test('of a home that OpenVPN does not name for a moment the last place holds', (t) => {
  const play = serving(t, [2]);
  for (const places of [[], null]) {
    play.places = places;
    play.second();
    t.deepEqual(play.settle(), ['look']);
  }
});

test('a class that somebody took away is made again, and the other home goes on', (t) => {
  const play = serving(t, [2, 3]);
  play.clockClasses?.delete(3);
  play.second();
  t.deepEqual(play.take(), ['home-clock-stalls', 'shut 3']);
  const work = nextClock(play);
  t.like(work, { rebuild: false, gone: [3], come: [{ minor: 3 }], rules: 'none' });
  t.is(work.come.length, 1);
  play.settle();
  seconds(play, 2);
  t.deepEqual([...play.gates].sort(), [2, 3]);
});

test('a clock that is gone shuts all homes until it stands again', (t) => {
  const play = serving(t, [2, 3]);
  play.clockClasses = new Map();
  play.nowMs += 5000;
  play.second({ listing: { clock: { classes: [], qdiscs: [] } } });
  t.deepEqual(play.take(), ['outer-clock-gone', 'shut 2', 'shut 3']);
  const work = nextClock(play);
  t.true(work.rebuild && work.clock !== null);
  play.settle();
  seconds(play, 4);
  t.deepEqual([...play.gates].sort(), [2, 3]);
});

test('chains that lead there no longer are found out by what leaves, and loaded again', (t) => {
  const play = serving(t, [2, 3]);
  play.isLed = false;
  play.chains = { intact: false, ledPackets: 0 };
  const parts: string[] = [];
  for (let count = 0; count < 3; count++) {
    play.second();
    parts.push(...play.settle());
  }
  t.true(parts.includes('chains'));
  t.true(play.isLed);
  seconds(play, 3);
  t.deepEqual([...play.gates].sort(), [2, 3]);
});

test('once rules that lead there were deleted the chains are looked at before anything shows', (t) => {
  const play = serving(t, [2, 3]);
  play.chains = { intact: true, ledPackets: 700 };
  play.tell({ kind: 'clock-touched' });
  t.deepEqual(play.settle(), ['chains'], 'our own doing, say');
  play.isLed = false;
  play.chains = { intact: false, ledPackets: 0 };
  play.tell({ kind: 'clock-touched' });
  play.settle();
  t.true(play.isLed);
  t.deepEqual([...play.gates].sort(), [2, 3], 'no home is held up');
});

test('a home that is reached by another netdev is done without it, which is told once', (t) => {
  const play = serving(t, [2]);
  const other = { netdev: 'eth1', index: 3, isEthernet: true };
  play.places = [at(2), { ...at(3), way: other }];
  play.hello(3);
  play.settle();
  seconds(play, 4);
  t.is(play.take().filter((code) => code === 'home-clock-elsewhere').length, 1);
  play.places = [at(2), { ...at(3, 50_000), way: other }];
  seconds(play, 4);
  t.false(play.take().includes('home-clock-elsewhere'), 'its NAT has another port');
  t.deepEqual([...play.gates].sort(), [2, 3]);
});

test('a home that nothing passes it for, though all of it stands, is done without it, and the other keeps it', (t) => {
  const play = serving(t, [2, 3]);
  play.chains = { intact: true, ledPackets: 700 };
  for (let count = 0; count < 10; count++) {
    const [before] = [play.clockClasses!.get(2)!];
    play.second();
    if (play.state.sessions[0]!.unclockedUntilMs === 0) play.clockClasses!.set(2, before);
    play.settle();
  }
  t.true(play.take().includes('home-clock-bypassed'));
  t.deepEqual(
    play.state.clock?.classes.map(({ standing }) => standing),
    [0, 2],
  );
  seconds(play, 4);
  t.deepEqual([...play.gates].sort(), [2, 3]);
});

test('where there can be none the first has to do, that is told once, and tried again', (t) => {
  const play = new Play(t);
  play.homes = [stored(2)];
  play.places = [at(2)];
  play.clockRefused = notice('endpoint-clock-no-pair');
  play.tell({ kind: 'start', homes: play.homes, ...FREE });
  play.settle();
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  play.settle();
  play.take();
  play.hello(2);
  play.settle();
  seconds(play, 40);
  play.hello(2);
  seconds(play, 30);
  t.is(play.take().filter((word) => word === 'endpoint-clock-no-pair').length, 1);
  t.true(play.gates.has(2));
  t.is(play.state.queue?.ring, 3, 'nothing that piled up may leave at once');
  const { troubles, state } = toldOf(play.state);
  t.is(state, 'shaping');
  t.regex(
    troubles.map((one) => wordsOf(one)).join(),
    /no second clock behind OpenVPN.*modprobe veth/,
  );
  t.is(
    play.parts.filter((part) => part === 'clock').length,
    4,
    'once at the start, thrice in 70 s',
  );
  play.clockRefused = null;
  play.hello(2);
  seconds(play, 40);
  t.deepEqual(toldOf(play.state).troubles, []);
  t.is(play.state.queue?.ring, 32);
});

test('a home that wants none, or has a plain tunnel, has none', (t) => {
  const play = serving(t, [2]);
  play.hello(2, { ...shape, rateKBps: 0 });
  const work = nextClock(play);
  t.like(work, { clock: null, rebuild: true });
  play.settle();
  t.is(play.state.clock, null);
});

test('homes are told by address and port, by the address alone where that is IPv6, and not where two are at one place', (t) => {
  const six = { host: 4, address: '2001:db8::4', port: null };
  t.is(
    renderPlaces([at(2), at(3), six]),
    [
      'flush map netdev iotshaper homes4',
      'add element netdev iotshaper homes4 { 198.51.100.7 . 40002 : 2:2, 198.51.100.7 . 40003 : 2:3 }',
      'flush map netdev iotshaper homes6',
      'add element netdev iotshaper homes6 { 2001:db8::4 : 2:4 }',
      '',
    ].join('\n'),
  );
  t.notRegex(renderPlaces([six, { ...six, host: 5 }]), /add element/);
});

test('who comes from nowhere known passes as fast as the fastest home, and no faster', (t) => {
  const fast = { ...shape, rateKBps: 400 };
  const classes = [
    { minor: 2, shape, standing: 2 },
    { minor: 3, shape: fast, standing: 8 },
    { minor: 4, shape: { ...shape, rateKBps: 0 }, standing: 0 },
  ];
  const { queue } = planHomesClock({ way: { ...way, port: 1194 }, classes, places: [] }, 0);
  const rateOf = (id: string) =>
    Number(new RegExp(`classid ${id} htb rate (\\d+)bps`).exec(queue.join('\n'))?.[1]);
  t.is(rateOf('2:1ffe'), rateOf('2:1003'));
  t.is(rateOf('2:1002'), 160_000);
  t.true(rateOf('2:1004') > 100_000_000);
});
