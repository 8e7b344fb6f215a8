// What an endpoint does next: each event, works that fail, and what holds whatever comes in whatever order.
import test from 'ava';
import fc from 'fast-check';
import type { EndpointEvent, Work } from '../../src/core/endpoint/machine/events.ts';
import { slotBytesOf } from '../../src/core/endpoint/machine/sessions.ts';
import { toldOf } from '../../src/core/endpoint/machine/telling.ts';
import { notice } from '../../src/core/endpoint/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import type { SlotClass } from '../../src/core/plan/tc.ts';
import { slotsPerSecond } from '../../src/core/stream/stream.ts';
import { runs } from '../property-runs.ts';
import { FREE, Play, peerOf, shape, stored } from './play.ts';

const STREAMS = ['index', 'queue', 'rules', 'streams'];
const minorOf = ({ minor }: SlotClass): number => minor;
const fault = notice('shaping-thread-ended');
const ended = notice('process-exit-status', { status: '1' });

test('rules stand before anything is let in, and OpenVPN starts last', (t) => {
  const play = new Play(t);
  play.homes = [stored(2)];
  play.tell({ kind: 'start', homes: play.homes, ...FREE });
  t.deepEqual(play.settle(), [
    ...(['user', 'ipv6', 'near', 'inside', 'clock', 'rules', 'forward', 'port'] as const),
    ...(['resolver', 'clients', 'openvpn'] as const),
  ]);
  t.deepEqual(play.take(), ['endpoint-at']);
  t.is(toldOf(play.state).state, 'starting');
  play.tell({ kind: 'port-up' });
  t.deepEqual(play.settle(), ['netdev']);
});

test('OpenVPN lets in the homes there are, and becomes nobody', (t) => {
  const play = new Play(t);
  play.tell({ kind: 'start', homes: [stored(2), stored(254)], ...FREE });
  play.doUntil('clients');
  t.like(play.work, {
    files: [{ name: 'home2.key 2' }, { text: 'ifconfig-push 10.213.0.254 255.255.255.0\n' }],
  });
  play.done();
  const { config } = play.work as Extract<Work, { part: 'openvpn' }>;
  t.regex(config, /^user nobody\ngroup nogroup$/m);
  t.regex(config, /^client-config-dir \/run\/homes$/m);
  t.regex(config, /^ca \/homes-ca\.crt\nremote-cert-tls client$/m);
});

test('a home whose certificate nobody signed is known by its fingerprint, as all are then', (t) => {
  const old = { ...stored(2), commonName: 'home2' };
  const play = new Play(t);
  play.tell({ kind: 'start', homes: [old, stored(254)], ...FREE });
  play.doUntil('openvpn');
  const { config } = play.work as Extract<Work, { part: 'openvpn' }>;
  t.true(config.includes('<peer-fingerprint>\nAA:key 2\nAA:key 254\n</peer-fingerprint>\n'));
  t.notRegex(config, /^ca /m);
  // Once it has new keys, OpenVPN starts over, for the last time.
  play.settle();
  play.homes = [stored(2, 'new'), stored(254)];
  play.tell({ kind: 'store-changed' });
  t.true(play.settle().includes('openvpn'));
  play.homes = [...play.homes, stored(3)];
  play.tell({ kind: 'store-changed' });
  t.false(play.settle().includes('openvpn'));
});

const rooted: [why: string, change: Partial<Play>, code: string][] = [
  ['can’t read homes’ files', { closedFolder: '/run' }, 'openvpn-stays-root'],
  ['is not there', { hasPlainUser: false }, 'plain-user-missing'],
];

for (const [why, change, code] of rooted) {
  test(`where nobody ${why} OpenVPN stays root, and the log says so`, (t) => {
    const play = Object.assign(new Play(t), change);
    play.tell({ kind: 'start', homes: [], ...FREE });
    play.doUntil('openvpn');
    const { config } = play.work as Extract<Work, { part: 'openvpn' }>;
    t.notRegex(config, /^(user|group) /m);
    t.regex(config, /<peer-fingerprint>\n(00:){31}00\n<\/peer-fingerprint>/, 'nobody’s');
    t.deepEqual(play.take(), [code]);
  });
}

test('the queue stands before homes are heard', (t) => {
  const play = new Play(t);
  play.tell({ kind: 'start', homes: [], ...FREE });
  play.settle();
  play.tell({ kind: 'openvpn', name: 'WAIT' });
  t.deepEqual(play.settle(), []);
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  t.deepEqual(play.settle(), ['connect', 'index', 'queue', 'rules', 'control', 'streams']);
  t.deepEqual(toldOf(play.state), {
    state: 'shaping',
    reason: notice('endpoint-serving', { online: 0, count: 0 }),
    troubles: [],
  });
});

test('IPv6 is given where there is some, and asked for once', (t) => {
  const play = new Play(t);
  play.ipv6 = true;
  play.homes = [stored(2)];
  play.tell({ kind: 'start', homes: play.homes, ...FREE });
  while (play.work?.part !== 'forward') play.done();
  t.true(play.work.ipv6);
  play.fail();
  play.second();
  t.false(play.settle().includes('ipv6'));
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  play.settle();
  play.hello(2);
  play.settle();
  t.is(play.state.sessions[0]!.inner.prefix6, 'fd12:3456:789a:2::/64');
});

test('a home is answered once its stream stands, and sent to once that was measured', (t) => {
  const play = Play.serving(t, []);
  play.homes = [stored(2)];
  play.tell({ kind: 'store-changed' });
  play.settle();
  play.index = 8;
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  play.settle();
  play.take();
  t.is(slotBytesOf(play.state, 2), null);
  play.hello(2);
  t.deepEqual(play.take(), ['home-connected']);
  t.deepEqual(play.settle(), STREAMS);
  t.deepEqual(play.take(), ['welcome 2']);
  t.is(slotBytesOf(play.state, 2), 512);
  play.second();
  t.deepEqual(play.settle(), ['look']);
  t.deepEqual(play.take(), [], 'it has only just begun');
  play.second();
  t.deepEqual(play.take(), ['open 2']);
  t.true(play.work?.part === 'look' && play.work.permits.includes(peerOf(2)));
});

test('who asks for another stream all the time gets one now and then, and the others keep theirs', (t) => {
  const play = Play.serving(t, [2, 3]);
  const made: number[] = [];
  for (let count = 0; count < 300; count++) {
    play.hello(2, { ...shape, rateKBps: 10 + (count % 50) });
    if (play.settle().includes('rules')) made.push(count);
    play.nowMs += 100;
    if (count % 10 === 9) {
      play.second();
      play.settle();
      play.nowMs -= 1000;
    }
    t.true(play.gates.has(3));
  }
  t.true(made.length >= 8 && made.length <= 12, `${made.length} streams in 30 s`);
  t.false(play.take().includes('close 2'), 'it is there all the time');
});

test('who says the same again is answered at once', (t) => {
  const play = Play.serving(t, [2, 3]);
  play.hello(2);
  t.deepEqual(play.settle(), []);
  t.deepEqual(play.take(), ['welcome 2']);
  play.hello(3, shape, 100);
  t.deepEqual(play.settle(), ['streams'], 'another delay is no other stream');
  t.deepEqual(play.take(), ['welcome 3']);
});

test('while another rate is measured an open home stays open, until it would be too long', (t) => {
  const play = Play.serving(t, [2]);
  play.hello(2, { ...shape, packetBytes: 1000 });
  t.deepEqual(play.settle(), STREAMS);
  t.deepEqual(play.take(), ['welcome 2']);
  for (let count = 0; count < 8; count++) {
    play.second();
    play.settle();
  }
  t.deepEqual(play.take(), []);
  play.hello(2, { ...shape, packetBytes: 300 });
  play.settle();
  play.take();
  for (let count = 0; count < 8; count++) {
    play.second({ share: count < 2 ? 1 : 0 });
    play.settle();
  }
  t.deepEqual(play.take().slice(0, 2), ['home-stream-stalls', 'shut 2']);
});

test('of wishes that come faster than they come true the last one stands, and others get their turn', (t) => {
  const play = Play.serving(t, [2, 3]);
  play.hello(2, { ...shape, rateKBps: 1 });
  for (let rateKBps = 2; rateKBps < 40; rateKBps++) {
    play.hello(2, { ...shape, rateKBps });
    if (rateKBps === 10) play.hello(3, { ...shape, rateKBps: 50 });
    if (rateKBps % 3 === 0) play.done();
  }
  t.true(play.take().includes('welcome 3'));
  t.true(play.parts.filter((part) => part === 'streams').length < 10);
  const last = play.hello(2, { ...shape, rateKBps: 40 });
  play.settle();
  t.like(play.acts.at(-1), { do: 'welcome', host: 2, hello: last });
});

test('of homes that speak meanwhile each is answered when its own stream stands', (t) => {
  const play = Play.serving(t, [2, 3]);
  play.tell({ kind: 'rules-lost' });
  play.hello(2, { ...shape, packetBytes: 600 });
  play.hello(3);
  t.deepEqual(play.take(), []);
  play.done();
  t.deepEqual(play.take(), ['endpoint-rules-put-back', 'welcome 3']);
  play.settle();
  t.deepEqual(play.take(), ['welcome 2']);
});

test('a home that comes back before it was forgotten is not sent to before its stream stands', (t) => {
  const plain = { ...shape, rateKBps: 0 };
  const play = Play.serving(t, [2, 3]);
  for (const host of [2, 3]) play.hello(host, plain);
  play.settle();
  play.nowMs += 61_000;
  play.hello(3, plain);
  play.take();
  play.second();
  t.deepEqual(play.take().slice(0, 2), ['close 2', 'home-disconnected']);
  play.doUntil('rules');
  play.fail();
  play.hello(2, plain);
  play.doUntil('streams');
  play.second();
  t.false(play.take().includes('open 2'));
  play.settle();
  play.second();
  t.true(play.take().includes('open 2'));
});

test('nobody is sent to while a larger queue is made', (t) => {
  const play = Play.serving(t, [2]);
  play.hello(2, { ...shape, rateKBps: 5000 });
  play.doUntil('queue');
  t.true(play.work?.part === 'queue' && play.work.rebuild);
  t.deepEqual(play.take(), ['shut 2']);
  play.second();
  t.deepEqual(play.take(), [], 'what tc listed of the old queue counts for nothing');
  t.deepEqual(play.settle(), ['queue', 'rules', 'streams']);
  t.deepEqual(play.take(), ['welcome 2', 'open 2']);
});

test('another rate leaves the ring behind the queue as it is, until it is far too short', (t) => {
  const play = Play.serving(t, [2]);
  const rings = [100, 40, 100, 125, 40].map((rateKBps) => {
    play.hello(2, { ...shape, rateKBps });
    play.doUntil('queue');
    const { rebuild, ring } = play.work as Extract<Work, { part: 'queue' }>;
    play.settle();
    play.second();
    play.settle();
    return [rebuild, ring];
  });
  t.deepEqual(rings, [
    [false, 3],
    [false, 3],
    [false, 3],
    [false, 8],
    [false, 8],
  ]);
});

test('a home that came since tc was asked is looked at next time', (t) => {
  const play = Play.serving(t, [2]);
  play.homes = [stored(2), stored(3)];
  play.tell({ kind: 'store-changed' });
  play.settle();
  play.index = 8;
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  play.settle();
  play.hello(2);
  play.hello(3);
  play.settle();
  play.second({ agoMs: 1001 });
  t.deepEqual(play.settle(), []);
  play.second();
  t.deepEqual(play.settle(), ['look']);
});

test('what is wrong with the queue stops all homes, and it is made again, not all the time', (t) => {
  const play = Play.serving(t, [2, 3]);
  const wrong = { listing: { qdiscs: [{ kind: 'fq', handle: '8:', parent: 'root' }] } };
  play.second(wrong);
  t.deepEqual(play.take(), ['queue-replaced', 'shut 2', 'shut 3']);
  play.doUntil('queue');
  t.true(play.work?.part === 'queue' && play.work.rebuild);
  t.deepEqual(play.settle(), ['queue', 'rules', 'streams']);
  t.deepEqual(toldOf(play.state).reason, notice('queue-replaced', { kind: 'fq' }));
  for (let count = 0; count < 4; count++) {
    play.second(wrong);
    t.deepEqual(play.settle(), ['look']);
  }
  t.deepEqual(play.take(), [], 'told once');
  play.nowMs += 1000;
  play.second(wrong);
  t.true(play.settle().includes('queue'));
});

test('what was counted before the queue was made again says nothing of the streams in it', (t) => {
  const play = Play.serving(t, [2, 3]);
  const gone = { listing: { classes: [], qdiscs: [{ kind: 'fq', handle: '8:', parent: 'root' }] } };
  play.second(gone);
  play.settle();
  play.take();
  // The first report has no listing, the second that of less than a second.
  play.second({ share: 0, listing: null });
  play.second({ share: 0.8 });
  play.settle();
  for (let count = 0; count < 4; count++) {
    play.second();
    play.settle();
  }
  t.deepEqual(play.take(), ['open 2', 'open 3']);
});

test('a queue that is found wrong while a class is added is made again all the same', (t) => {
  const play = Play.serving(t, [2]);
  play.hello(2, { ...shape, packetBytes: 600 });
  play.doUntil('queue');
  play.second({ listing: { classes: [] } });
  play.done();
  play.doUntil('queue');
  t.true(play.work?.part === 'queue' && play.work.rebuild);
});

test('a stream that stalls stops its home alone, and is made again without touching another', (t) => {
  const play = Play.serving(t, [2, 3]);
  for (let count = 0; count < 2; count++) {
    play.second({ shares: { 2: 0 } });
    if (count === 0) play.settle();
  }
  t.deepEqual(play.take(), ['home-stream-stalls', 'shut 2']);
  play.doUntil('queue');
  const { rebuild, come, gone } = play.work as Extract<Work, { part: 'queue' }>;
  t.deepEqual([rebuild, come.map(minorOf), gone.map(minorOf)], [false, [2], [2]]);
  play.settle();
  for (let count = 0; count < 4; count++) {
    play.second({ shares: { 2: 0 } });
    t.deepEqual(play.settle(), ['look'], 'not all the time');
  }
  play.nowMs += 1000;
  play.second({ shares: { 2: 0 } });
  t.true(play.settle().includes('queue'));
  for (let count = 0; count < 3; count++) {
    play.second();
    play.settle();
  }
  t.deepEqual(play.take(), ['home-stream-stalls', 'open 2'], 'the other was never shut');
});

/** For each second whether the queue was made again, changed (its classes) or left as it was. */
function repairsWithin(play: Play, seconds: number, change: Parameters<Play['second']>[0]): string {
  const told = Array.from({ length: seconds }, () => {
    let said = '.';
    for (const host of [2, 3]) play.hello(host);
    play.second(change);
    while (play.work) {
      if (play.work.part === 'queue') said = play.work.rebuild ? 'Q' : 'c';
      play.done();
    }
    return said;
  });
  return told.join('');
}

test('where no stream is as it was made, each is made again, then all of the queue, ever more seldom', (t) => {
  const play = Play.serving(t, [2, 3]);
  const said = repairsWithin(play, 300, { share: 0 });
  t.regex(said, /^\.{1,3}c\.{4,}c\.+Q/);
  t.true(said.replaceAll('.', '').length <= 16, said);
  t.deepEqual([...play.gates], []);
  repairsWithin(play, 5, {});
  t.deepEqual([...play.gates].sort(), [2, 3], 'each as soon as it is in order');
  t.regex(repairsWithin(play, 10, { shares: { 2: 0 } }), /^\.{1,3}c\.+/, 'the next one at once');
});

test('one stream that stays broken never has the queue of the others made again', (t) => {
  const play = Play.serving(t, [2, 3]);
  const said = repairsWithin(play, 300, { shares: { 2: 0 } });
  t.regex(said, /^[.c]+$/);
  t.true(said.replaceAll('.', '').length <= 8, said);
  t.deepEqual([...play.gates], [3]);
});

test('counts that a busy tc was late with are held against no stream', (t) => {
  const play = Play.serving(t, [2, 3]);
  for (const heardAfterMs of [1200, 0, 900, 30, 1900, 10, 700, 0, 2400, 0]) {
    play.second({ heardAfterMs });
    play.settle();
  }
  t.deepEqual(play.take(), []);
  play.second({ shares: { 2: 9 }, heardAfterMs: 500 });
  play.settle();
  play.second({ shares: { 2: 9 }, heardAfterMs: 500 });
  t.deepEqual(play.take(), ['stream-too-fast', 'shut 2'], 'what can’t be explained by that is');
});

test('an endpoint that was held up itself shuts homes until it has looked, and makes nothing again', (t) => {
  const play = Play.serving(t, [2, 3]);
  play.nowMs += 20_000;
  play.silentSecond();
  t.deepEqual(play.take(), ['queue-unread', 'shut 2', 'shut 3']);
  t.deepEqual(play.settle(), []);
  // The kernel has gone on meanwhile.
  play.second({ share: 22 });
  t.deepEqual(play.settle(), ['look']);
  t.deepEqual(play.take(), ['open 2', 'open 3']);
});

test('a home that wants a larger queue shuts the others for as long as that takes', (t) => {
  const play = Play.serving(t, [2, 3]);
  play.hello(2, { ...shape, rateKBps: 5000 });
  t.deepEqual(play.settle(), STREAMS);
  t.deepEqual(play.take(), ['shut 2', 'shut 3', 'welcome 2', 'open 2', 'open 3']);
  for (let count = 0; count < 6; count++) {
    play.second();
    play.settle();
  }
  t.deepEqual(play.take(), []);
});

test('reports that come late, and one after another, are of when they were taken', (t) => {
  const play = Play.serving(t, [2]);
  const late: Extract<EndpointEvent, { kind: 'second' }>[] = [];
  for (let count = 0; count < 4; count++) {
    play.nowMs += 1000;
    play.classes.set(2, play.classes.get(2)! + slotsPerSecond(shape));
    const report = { listing: play.listing(), takenMs: play.nowMs, heardMs: play.nowMs };
    late.push({ kind: 'second', report });
  }
  for (const event of late) play.tell(event);
  play.settle();
  for (let count = 0; count < 3; count++) {
    play.second();
    play.settle();
  }
  t.deepEqual(play.take(), [], 'no stream runs because of that');
  play.tell(late[0]!);
  t.deepEqual(play.take(), [], 'what is old says nothing of now');
  play.nowMs += 5000;
  play.tell(late[0]!);
  t.deepEqual(play.take().slice(0, 2), ['queue-unread', 'shut 2']);
});

test('what was sent before a stream was another one says nothing of it', (t) => {
  const play = Play.serving(t, [2]);
  play.hello(2, { ...shape, rateKBps: 4 });
  play.settle();
  play.take();
  play.second({ shares: { 2: 10 }, agoMs: 1001 });
  for (let count = 0; count < 5; count++) {
    play.second();
    play.settle();
  }
  t.deepEqual(play.take(), []);
});

test('rules that were lost or changed are put back', (t) => {
  const play = Play.serving(t, [2]);
  play.tell({ kind: 'rules-lost' });
  t.true(play.work?.part === 'restore' && play.work.permits.includes(peerOf(2)));
  play.settle();
  t.deepEqual(play.take(), ['endpoint-rules-put-back']);
  play.rulesIntact = false;
  play.second();
  t.deepEqual(play.settle(), ['look', 'restore']);
});

test('networks that this machine comes into are refused to homes, as soon as that is known', (t) => {
  const play = Play.serving(t, [2]);
  play.near = ['203.0.113.0/24', '2001:db8:7::/64'];
  play.tell({ kind: 'surroundings' });
  t.deepEqual(play.settle(), ['near', 'rules']);
  t.regex(play.table, /ip daddr \{ 203\.0\.113\.0\/24 \} counter name refused reject/);
  play.tell({ kind: 'surroundings' });
  t.deepEqual(play.settle(), ['near'], 'what is the same is loaded once');
  t.deepEqual(play.take(), []);
});

/** The endpoint's own netdevs, as they were made. */
const intact = [
  {
    ifindex: 5,
    ifname: 'iot0',
    flags: ['UP'],
    addr_info: [{ local: '10.214.0.1', prefixlen: 16 }],
  },
  {
    ...{ ifindex: 7, ifname: 'iotvpn0', flags: ['UP'] },
    addr_info: [{ local: '10.213.0.1', prefixlen: 24 }],
  },
];

const alterations: [what: string, change: Partial<Play>, part: string, code: string][] = [
  [
    'the netdev of devices’ packets is down',
    { links: [{ ...intact[0]!, flags: [] }, intact[1]!] },
    ...(['netdev', 'endpoint-netdev-put-back'] as const),
  ],
  [
    'it has lost its address',
    { links: [{ ...intact[0]!, addr_info: [] }, intact[1]!] },
    ...(['netdev', 'endpoint-netdev-put-back'] as const),
  ],
  [
    'the tunnel is down',
    { links: [intact[0]!, { ...intact[1]!, flags: [] }] },
    ...(['tunnel', 'endpoint-netdev-put-back'] as const),
  ],
  [
    'the tunnel has another address',
    { links: [intact[0]!, { ...intact[1]!, addr_info: [] }] },
    ...(['tunnel', 'endpoint-netdev-put-back'] as const),
  ],
  [
    'forwarding is off',
    { switchedOff: ['net.ipv4.ip_forward'] },
    ...(['forward', 'endpoint-forwarding-put-back'] as const),
  ],
];

for (const [what, change, part, code] of alterations) {
  test(`${what}: told and put back within a second, again and again, not all the time`, (t) => {
    const play = Play.serving(t, [2]);
    play.tell({ kind: 'port-up' });
    play.links = intact;
    play.second();
    play.settle();
    t.deepEqual(play.take(), []);
    Object.assign(play, change);
    play.second();
    t.deepEqual(play.settle(), ['look', part]);
    t.deepEqual(play.take(), [code]);
    const parts: string[] = [];
    for (let count = 0; count < 6; count++) {
      play.second();
      parts.push(...play.settle());
    }
    t.is(parts.filter((one) => one === part).length, 2);
    Object.assign(play, { links: intact, switchedOff: [] });
    play.take();
    for (let count = 0; count < 4; count++) play.second();
    t.deepEqual(play.take(), []);
  });
}

test('what was made anew and is not set up yet has not been altered', (t) => {
  const play = Play.serving(t, [2]);
  play.tell({ kind: 'port-up' });
  play.settle();
  play.links = [{ ...intact[0]!, ifindex: 6, flags: [], addr_info: [] }, intact[1]!];
  play.second();
  t.deepEqual(play.settle(), ['look']);
  play.links = null;
  for (let count = 0; count < 4; count++) play.second();
  play.settle();
  t.deepEqual(play.take(), []);
});

/** Lets seconds pass in which so much comes to the port; what was told meanwhile. */
function pass(play: Play, seconds: number, knocksEach = 0): string[] {
  for (let count = 0; count < seconds; count++) {
    play.knocks += knocksEach;
    play.second();
    play.settle();
  }
  return play.take();
}

test('where nothing comes to the port and no home is there, that is told once, with where to look', (t) => {
  const play = Play.serving(t, []);
  play.homes = [stored(2)];
  play.tell({ kind: 'store-changed' });
  play.settle();
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  play.settle();
  play.take();
  t.deepEqual(pass(play, 110), []);
  t.deepEqual(pass(play, 120), ['endpoint-port-quiet']);
  const { reason, troubles } = toldOf(play.state);
  t.regex(
    wordsOf(reason),
    /^Needs attention: nothing has come to UDP port 1194 of this server for 3 min/,
  );
  t.regex(wordsOf(reason), /let UDP port 1194 in in the firewall that the hosting provider has/);
  t.deepEqual(troubles.length, 1);
  t.deepEqual(pass(play, 2, 1), []);
  t.deepEqual(toldOf(play.state).troubles, []);
  t.deepEqual(pass(play, 119), []);
  play.nowMs += 3 * 3_600_000;
  play.second();
  play.settle();
  t.regex(wordsOf(toldOf(play.state).reason), /for 3 hours/);
});

test('a port is not missed while a home is there, or there is none to come', (t) => {
  t.false(pass(Play.serving(t, []), 200).includes('endpoint-port-quiet'));
  const play = Play.serving(t, [2]);
  for (let count = 0; count < 20; count++) {
    play.hello(2);
    t.false(pass(play, 10).includes('endpoint-port-quiet'));
  }
});

test('a fault stops the home it is of until its stream was made again, whatever is counted', (t) => {
  const play = Play.serving(t, [2, 3]);
  play.tell({ kind: 'fault', minor: 3, fault });
  t.deepEqual(play.take(), ['home-fault', 'shut 3']);
  play.tell({ kind: 'fault', minor: 3, fault });
  t.deepEqual(play.take(), [], 'told once');
  play.second();
  play.doUntil('queue');
  const { rebuild, come } = play.work as Extract<Work, { part: 'queue' }>;
  t.deepEqual([rebuild, come.map(minorOf)], [false, [3]]);
  play.settle();
  for (let count = 0; count < 3; count++) {
    play.second();
    play.settle();
  }
  t.deepEqual(play.take(), ['open 3']);
});

test('cover that rules for another packet size refuse is no fault until it was made anew', (t) => {
  const play = Play.serving(t, [2]);
  const refused = notice('cover-unsent', { error: 'EPERM' });
  play.hello(2, { ...shape, packetBytes: 1000 });
  while (play.work) {
    play.tell({ kind: 'fault', minor: 2, fault: refused });
    t.false(play.take().includes('home-fault'), play.work.part);
    if (play.work.part === 'streams') break;
    play.done();
  }
  play.settle();
  play.take();
  play.tell({ kind: 'fault', minor: 2, fault: refused });
  t.true(play.take().includes('home-fault'), 'then it is one');
});

test('a fault of what shapes stops all homes until all of it was made again', (t) => {
  const play = Play.serving(t, [2, 3]);
  play.tell({ kind: 'fault', minor: 0, fault });
  t.deepEqual(play.take(), ['shaping-thread-ended', 'shut 2', 'shut 3']);
  play.doUntil('queue');
  t.true(play.work?.part === 'queue' && play.work.rebuild);
  play.settle();
  for (let count = 0; count < 3; count++) {
    play.tell({ kind: 'fault', minor: 3, fault });
    play.second();
    play.settle();
  }
  t.deepEqual(
    play.take().filter((word) => word.startsWith('open')),
    ['open 2'],
  );
});

test('without reports nobody is sent to, and the streams are made again', (t) => {
  const play = Play.serving(t, [2]);
  for (let count = 0; count < 4; count++) play.silentSecond();
  t.deepEqual(play.take(), []);
  play.silentSecond();
  t.deepEqual(play.take().slice(0, 2), ['queue-unread', 'shut 2']);
  t.deepEqual(play.settle(), STREAMS);
  play.silentSecond();
  t.deepEqual(play.settle(), []);
});

test('while no home is there its netdev is put up again now and then, since nobody could come', (t) => {
  const play = Play.serving(t, []);
  const parts: string[] = [];
  for (let count = 0; count < 31; count++) {
    play.second();
    parts.push(...play.settle());
  }
  t.is(parts.filter((part) => part === 'queue').length, 2);
  t.deepEqual(play.take(), []);
});

test('a silent home is let go', (t) => {
  const play = Play.serving(t, [2, 3]);
  for (let count = 0; count < 56; count++) {
    play.hello(3);
    play.second();
    play.settle();
  }
  t.false(play.take().includes('close 2'));
  play.second();
  t.deepEqual(play.take(), ['close 2', 'home-disconnected']);
  t.true(play.settle().includes('queue'));
  t.deepEqual([...play.classes.keys()], [2, 3, 4, 5, 6, 7, 8, 9], 'its class stays');
});

test('homes that are added find their classes ready; only now and then is a row of them made', (t) => {
  const play = Play.serving(t, [2, 3]);
  const changes: number[] = [];
  for (let host = 4; host <= 40; host++) {
    play.homes = [...play.homes, stored(host)];
    play.tell({ kind: 'store-changed' });
    play.doUntil('queue');
    const { rebuild, come } = play.work as Extract<Work, { part: 'queue' }>;
    t.false(rebuild);
    if (come.length > 0) changes.push(host);
    play.settle();
    t.true(play.classes.has(host));
  }
  t.deepEqual(changes, [9, 17, 33]);
});

test('a home that comes back changes nothing of the queue for the others', (t) => {
  const play = Play.serving(t, [2, 3]);
  const ringOf = (): number => (play.work as Extract<Work, { part: 'queue' }>).ring;
  play.hello(2, { ...shape, packetBytes: 600 });
  play.doUntil('queue');
  const ring = ringOf();
  play.settle();
  for (let count = 0; count < 65; count++) {
    play.hello(3);
    play.second();
    play.settle();
  }
  t.true(play.take().includes('close 2'));
  play.hello(2);
  play.doUntil('queue');
  const { rebuild, come, gone } = play.work as Extract<Work, { part: 'queue' }>;
  t.deepEqual([rebuild, come, gone], [false, [], []]);
  t.is(ringOf(), ring);
});

test('a removed home is let go, and OpenVPN goes on', (t) => {
  const play = Play.serving(t, [2, 3]);
  play.homes = [stored(2)];
  play.tell({ kind: 'store-changed' });
  play.hello(3);
  play.done();
  t.deepEqual(play.take(), ['close 3', 'home-disconnected']);
  t.deepEqual(play.settle(), [...STREAMS, 'clients']);
  t.deepEqual(play.take(), ['homes-now']);
  t.deepEqual([...play.classes.keys()], [2, 3, 4, 5, 6, 7, 8, 9], 'its class is the next one’s');
  play.tell({ kind: 'store-changed' });
  t.deepEqual(play.settle(), ['homes'], 'nothing follows from homes that are the same');
});

test('what waited of a home that was made again is void', (t) => {
  const play = Play.serving(t, [2]);
  play.homes = [stored(2, 'another key')];
  play.tell({ kind: 'store-changed' });
  play.hello(2, { ...shape, rateKBps: 10 });
  play.doUntil('rules');
  play.fail();
  play.settle();
  t.is(play.state.sessions[0]!.shape.rateKBps, 40);
  t.false(play.take().includes('welcome 2'));
});

test('with another netdev all begin anew; with the same they go on', (t) => {
  const play = Play.serving(t, [2]);
  play.tell({ kind: 'openvpn-exited', why: ended });
  t.deepEqual(play.take(), ['openvpn-stopped', 'shut 2']);
  t.is(toldOf(play.state).state, 'starting');
  t.is(toldOf(play.state).reason.code, 'openvpn-stopped');
  play.hello(2, { ...shape, rateKBps: 10 });
  play.second();
  t.deepEqual(play.settle(), []);
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  t.deepEqual(play.settle(), ['connect', ...STREAMS]);
  play.second();
  play.settle();
  t.deepEqual(play.take(), ['open 2']);
  play.tell({ kind: 'openvpn-exited', why: ended });
  play.index = 9;
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  t.deepEqual(play.settle(), ['connect', 'index', 'queue', 'rules', 'control', 'streams']);
  t.deepEqual(play.take().slice(-2), ['close 2', 'home-disconnected']);
});

test('a tunnel that goes while it is asked for is not there', (t) => {
  const play = Play.serving(t, [2]);
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  play.tell({ kind: 'openvpn-exited', why: ended });
  play.settle();
  t.is(toldOf(play.state).state, 'starting');
});

test('a tunnel without a netdev is told, and asked for again', (t) => {
  const play = Play.serving(t, [2]);
  play.index = null;
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  play.settle();
  t.deepEqual(play.take(), ['tunnel-netdev-missing', 'shut 2']);
  play.index = 9;
  play.second();
  t.true(play.settle().includes('connect'));
  t.deepEqual(toldOf(play.state).reason, notice('endpoint-serving', { online: 0, count: 1 }));
});

for (const part of ['queue', 'streams'] as const) {
  test(`${part} that can't be made: nobody is sent to until it stands`, (t) => {
    const play = Play.serving(t, [2, 3]);
    play.hello(2, { ...shape, packetBytes: 600 });
    play.doUntil(part);
    play.fail();
    t.deepEqual(play.take(), ['unexpected-error', 'shut 2', 'shut 3']);
    t.deepEqual(play.settle(), [], 'nothing is built on what does not stand');
    t.deepEqual(toldOf(play.state).reason.code, 'unexpected-error');
    play.second();
    play.doUntil(part);
    play.fail();
    t.deepEqual(play.take(), [], 'told once');
    play.nowMs += 5000;
    play.second();
    t.true(play.settle().includes('streams'));
    t.deepEqual(play.take(), ['welcome 2']);
    t.deepEqual(toldOf(play.state).reason.code, 'endpoint-serving');
    for (let count = 0; count < 3; count++) play.second();
    t.deepEqual(play.take(), ['open 2', 'open 3']);
  });
}

test('homes that can’t be read keep those that are there', (t) => {
  const play = Play.serving(t, [2]);
  play.tell({ kind: 'store-changed' });
  play.fail();
  play.second();
  t.true(play.parts.includes('homes'));
  play.settle();
  t.deepEqual(play.take(), ['unexpected-error']);
  t.true(play.gates.has(2));
});

test('every part that can’t be done at the start is done later', (t) => {
  const play = new Play(t);
  play.homes = [stored(2)];
  play.tell({ kind: 'start', homes: play.homes, ...FREE });
  const failed = new Set<string>();
  for (let count = 0; count < 200 && failed.size < 11; count++) {
    if (!play.work) {
      play.nowMs += 5000;
      play.second();
    } else if (failed.has(play.work.part)) play.done();
    else {
      failed.add(play.work.part);
      play.fail();
    }
  }
  play.nowMs += 5000;
  play.second();
  play.settle();
  t.deepEqual([...failed].at(-1), 'openvpn');
  t.deepEqual(play.state.failures, []);
  t.is(play.take().filter((word) => word === 'endpoint-at').length, 1);
});

test('the end closes all, removes all, and nothing comes after it', (t) => {
  const play = Play.serving(t, [2, 3]);
  play.hello(2, { ...shape, rateKBps: 10 });
  play.tell({ kind: 'stop' });
  t.deepEqual(play.take(), ['close 2', 'close 3']);
  t.deepEqual(play.settle(), ['index', 'remove']);
  play.second();
  play.hello(2);
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  play.tell({ kind: 'store-changed' });
  play.tell({ kind: 'rules-lost' });
  play.tell({ kind: 'port-up' });
  play.tell({ kind: 'stop' });
  play.tell({ kind: 'start', homes: [], ...FREE });
  t.deepEqual(play.settle(), []);
  t.deepEqual(play.take(), []);
});

/** What may happen to an endpoint; numbers are choices. */
const happenings: ((play: Play, choice: number) => void)[] = [
  (play) => play.work && play.done(),
  (play) => play.work && play.done(),
  (play) => play.work && play.fail(),
  (play) => play.settle(),
  (play, choice) => play.second({ share: [1, 1, 1, 0, 3][choice % 5]! }),
  (play) => play.second({ listing: { qdiscs: [] } }),
  (play, choice) => play.second({ agoMs: 50 * choice }),
  (play, choice) => play.second({ shares: { [2 + (choice % 3)]: choice % 2 } }),
  (play) => play.silentSecond(),
  (play, choice) => play.hello(2 + (choice % 3)),
  (play, choice) => play.hello(2, { ...shape, rateKBps: [0, 1, 40, 9000][choice % 4]! }),
  (play, choice) => play.hello(3, { ...shape, packetBytes: 256 + choice }, choice),
  (play, choice) => play.tell({ kind: 'fault', minor: [0, 2, 3][choice % 3]!, fault }),
  (play) => play.tell({ kind: 'openvpn', name: 'CONNECTED' }),
  (play) => play.tell({ kind: 'openvpn-exited', why: ended }),
  (play) => play.tell({ kind: 'rules-lost' }),
  (play) => play.tell({ kind: 'port-up' }),
  (play, choice) => {
    play.index = [7, 8, 9, null][choice % 4]!;
  },
  (play, choice) => {
    play.rulesIntact = choice % 2 === 0;
  },
  (play, choice) => {
    play.homes = [stored(2), stored(3, `key ${choice % 2}`), stored(4)].slice(choice % 3);
    play.tell({ kind: 'store-changed' });
  },
];

const story = fc.array(fc.tuple(fc.nat(happenings.length - 1), fc.nat(200)), { maxLength: 120 });

test('whatever happens, in whatever order, nobody is sent to who was not judged', (t) => {
  fc.assert(
    fc.property(story, fc.boolean(), (moments, isServing) => {
      const play = isServing ? Play.serving(t, [2, 3]) : new Play(t);
      if (!isServing) {
        play.homes = [stored(2), stored(3)];
        play.tell({ kind: 'start', homes: play.homes, ...FREE });
      }
      for (const [which, choice] of moments) happenings[which]!(play, choice);
      play.tell({ kind: 'stop' });
      play.settle();
      for (const [which, choice] of moments.slice(0, 20)) happenings[which]!(play, choice);
      t.is(play.gates.size, 0);
      t.is(play.parts.filter((part) => part === 'remove').length, 1);
    }),
    { numRuns: runs(400) },
  );
});

test('a profile that two routers use is told, once in the log, for as long as they do', (t) => {
  const play = Play.serving(t, [2, 3]);
  const told = () => toldOf(play.state).troubles.map((one) => wordsOf(one));
  play.hello(2);
  play.settle();
  play.take();
  const shared = { isShared: true, isLater: false };
  for (const _ of [1, 2]) play.hello(2, shape, 5000, shared);
  t.deepEqual(
    play.take().filter((act) => !act.startsWith('welcome')),
    ['home-profile-shared'],
  );
  t.regex(told().join(), /two routers use the profile of home .* add-home/);
  play.hello(2);
  t.deepEqual(told(), []);
});

test('whatever has happened, homes are served once nothing more goes wrong', (t) => {
  fc.assert(
    fc.property(story, (moments) => {
      const play = Play.serving(t, [2, 3]);
      for (const [which, choice] of moments) happenings[which]!(play, choice);
      play.rulesIntact = true;
      play.index = 11;
      play.homes = [stored(2), stored(3), stored(5)];
      play.tell({ kind: 'store-changed' });
      play.settle();
      play.tell({ kind: 'openvpn', name: 'CONNECTED' });
      play.settle();
      for (let count = 0; count < 20; count++) {
        play.hello(2);
        play.hello(5, { ...shape, rateKBps: 80 });
        play.second();
        play.settle();
      }
      t.true(play.gates.has(2) && play.gates.has(5), [...play.gates].join());
      t.deepEqual(play.state.failures, []);
      t.is(play.state.fault, null);
    }),
    { numRuns: runs(200) },
  );
});
