// Single steps of the home's machine: what is done, in which order, and what is not.
import test from 'ava';
import type { EndpointTrouble } from '../../src/core/control/endpoint-troubles.ts';
import type { House } from '../../src/core/home/home-facts.ts';
import type { HomeEvent, Sight, Work } from '../../src/core/home/machine/events.ts';
import {
  desiredOf,
  type HomeState,
  initialState,
  type Part,
} from '../../src/core/home/machine/state.ts';
import { type HomeStep, step } from '../../src/core/home/machine/step.ts';
import { trialNotices } from '../../src/core/home/machine/trial.ts';
import { type Notice, notice } from '../../src/core/notices/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { desired, NO_FAULTS, World, welcome } from './world.ts';

const place = { uid: 0, managementSocket: '/run/openvpn.sock', trialSocket: '/run/trial.sock' };

/** A machine whose works are done one by one. */
class Bench {
  readonly world = new World();
  state: HomeState = initialState(place, 0);
  /** Being done. */
  work = null as Work | null;
  last: HomeStep | null = null;
  readonly done: Part[] = [];
  /** A trial was begun. */
  tried = false;

  hear(event: HomeEvent): HomeStep {
    const { nowMs } = this.world;
    const next = step(this.state, event, { monotonicMs: nowMs, unixS: Math.floor(nowMs / 1000) });
    this.state = next.state;
    this.work = next.work ?? this.work;
    this.last = next;
    for (const act of next.acts) if (act.do === 'close-tunnel') this.world.closeTunnel();
    this.tried ||= next.acts.some((act) => act.do === 'try' && act.trial !== null);
    return next;
  }

  /** Ends the work that is being done. */
  end(event?: HomeEvent): void {
    const work = this.work!;
    this.work = null;
    this.done.push(work.part);
    this.hear(event ?? this.world.do(work));
  }

  endAll(): void {
    while (this.work) this.end();
  }

  second(seen: Partial<Sight> = {}, ms = 1000): void {
    this.world.advance(ms);
    this.hear(this.world.report());
    while (this.work) {
      const ended = this.world.do(this.work);
      if (ended.kind === 'done' && ended.part === 'look') Object.assign(ended.found, seen);
      this.end(ended);
    }
  }

  on(): this {
    this.hear({ kind: 'intent', intent: { kind: 'on', desired: desired() } });
    this.endAll();
    return this;
  }

  connect(): this {
    this.hear({ kind: 'openvpn', name: 'CONNECTED', local: '10.213.0.2', remote: '192.0.2.1' });
    this.endAll();
    this.hear({ kind: 'welcome', welcome });
    this.endAll();
    return this;
  }

  shaping(): this {
    this.on().connect();
    for (let second = 0; second < 6; second++) this.second();
    return this;
  }
}

test('a home whose month is nearly used up is warned, and goes on', (t) => {
  const bench = new Bench().on().connect();
  bench.hear({ kind: 'welcome', welcome: { ...welcome, troubles: ['month'] } });
  for (let count = 0; count < 8; count++) bench.second();
  t.true(bench.state.permitted);
  t.deepEqual(
    bench.state.delivery.warnings.map(({ code }) => code),
    ['month-nearly-used'],
  );
});

test('a home that its endpoint refuses holds its devices back and says why, with the rate that it may have', (t) => {
  const bench = new Bench().on().connect();
  for (let count = 0; count < 8; count++) bench.second();
  t.true(bench.state.permitted);
  bench.hear({ kind: 'refused', refusal: { code: 'down', asked: 400, allowed: 40 } });
  bench.second();
  t.false(bench.state.permitted);
  t.is(
    wordsOf(bench.state.told.reason),
    'Not protected: your endpoint’s operator refuses this home: 40 KB/s down are allowed, and 400 are asked for; choose a lower rate: run "uci set iotshaper.main.download_rate=40; uci commit iotshaper; reload_config", or ask the operator for more; your devices are cut off so that nothing leaks.',
  );
  // While it is said OpenVPN is left alone, whether a stream comes or not.
  for (let count = 0; count < 20; count++) {
    bench.hear({ kind: 'refused', refusal: { code: 'month', asked: 101, allowed: 100 } });
    bench.world.advance(1000);
    const { acts } = bench.hear(bench.world.report());
    t.false(acts.some((act) => act.do === 'reconnect'));
    bench.endAll();
  }
  t.regex(
    wordsOf(bench.state.told.reason),
    /the 100 GB of this month are used up, .*; ask the operator for more; your devices are cut off/,
  );
  bench.hear({ kind: 'refused', refusal: { code: 'full', asked: 79, allowed: 0 } });
  bench.second();
  t.regex(
    wordsOf(bench.state.told.reason),
    /the server has room for 0 of its packets a second, and 79 are asked for; ask the operator/,
  );
  bench.hear({ kind: 'refused', refusal: { code: 'timers', asked: 5000, allowed: 1520 } });
  bench.second();
  t.regex(
    wordsOf(bench.state.told.reason),
    /above 1520 KB\/s down the server’s timers blur .*download_rate=1520; uci commit/,
  );
  bench.hear({ kind: 'refused', refusal: { code: 'slots', asked: 79, allowed: 20 } });
  bench.second();
  t.regex(wordsOf(bench.state.told.reason), /download_rate=10.2; /);
  bench.hear({ kind: 'welcome', welcome });
  for (let count = 0; count < 8; count++) bench.second();
  t.true(bench.state.permitted);
});

test('rules stand before anything by which a device could send', (t) => {
  const bench = new Bench().on();
  t.deepEqual(bench.done, [
    ...(['user', 'house', 'near', 'inside', 'rules', 'routes', 'port'] as const),
    ...(['netdev', 'clock', 'openvpn', 'boot'] as const),
  ]);
  t.is(bench.state.told.state, 'starting');
});

test('devices go on two looks after everything was measured, and not before', (t) => {
  const bench = new Bench().on().connect();
  const permitted: boolean[] = [];
  for (let second = 0; second < 4; second++) {
    bench.second();
    permitted.push(bench.state.permitted);
  }
  t.deepEqual(permitted, [false, false, true, true]);
  t.is(bench.state.told.state, 'shaping');
  t.deepEqual(bench.done.slice(-2), ['permit', 'look']);
});

/** When devices may send, ms since the streams stand, where is looked each third of a second; what is wrong lasts until then. */
function permittedAfterMs({ wrong = {}, untilMs = 0, way = null as House['way'] } = {}): number {
  const bench = new Bench();
  bench.world.way = way;
  bench.on().connect();
  for (let ms = 330; ms < 10_000; ms += 330) {
    bench.world.faults = { ...bench.world.faults, ...(ms <= untilMs ? wrong : NO_FAULTS) };
    bench.second({}, 330);
    if (bench.state.permitted) return ms;
  }
  return Number.POSITIVE_INFINITY;
}

test('those who were let go on soon stay so, however long the tunnel took', (t) => {
  const bench = new Bench().on();
  for (let second = 0; second < 60; second++) bench.second();
  bench.connect();
  const permitted: boolean[] = [];
  for (let count = 0; count < 20; count++) {
    bench.second({}, 330);
    permitted.push(bench.state.permitted);
  }
  t.is(permitted.indexOf(true), 4);
  t.is(permitted.lastIndexOf(false), 3);
});

test('looks that are closer let them go on sooner, once a second of the streams was seen, and no sooner', (t) => {
  const secondsOfStream = 4 * 330;
  t.is(permittedAfterMs(), secondsOfStream + 330);
  t.is(permittedAfterMs({ way }), secondsOfStream + 330, 'as much of the clock’s');
  // What comes late shows in the first second, and what is broken is not let pass by a short look.
  t.true(permittedAfterMs({ wrong: { receiveShare: 0 }, untilMs: 990 }) > 1650);
  for (const wrong of [{ sendShare: 0.4 }, { sendShare: 1.6 }, { receiveShare: 0.4 }])
    t.is(permittedAfterMs({ wrong, untilMs: 20_000 }), Number.POSITIVE_INFINITY);
});

test('a fault stops them in the same step, before anything else is done', (t) => {
  const bench = new Bench().shaping();
  const { acts, work } = bench.hear({
    kind: 'fault',
    fault: notice('openvpn-stopped', { why: '' }),
  });
  t.deepEqual(acts[0], { do: 'gate', open: false });
  t.deepEqual(work, { part: 'forbid' });
  t.is(bench.state.told.state, 'blocked');
});

test('cover that rules for another packet size refuse is no fault until it was made anew', (t) => {
  const bench = new Bench().shaping();
  const refused = { kind: 'fault', fault: notice('cover-unsent', { error: 'EPERM' }) } as const;
  const { config, ...rest } = desired();
  const main = { ...config.main, packetBytes: 1000 };
  const other = { ...rest, config: { ...config, main } };
  bench.hear({ kind: 'intent', intent: { kind: 'on', desired: other } });
  bench.done.length = 0;
  while (!bench.done.includes('streams')) {
    t.deepEqual(bench.hear(refused).acts, []);
    t.is(bench.state.told.state, 'shaping');
    bench.end();
  }
  t.true(bench.hear(refused).acts.some((act) => act.do === 'log'));
  t.is(bench.state.told.state, 'blocked', 'then it is one');
});

test('what is pending is done in its order, each once, whatever is asked meanwhile', (t) => {
  const bench = new Bench().shaping();
  bench.done.length = 0;
  bench.hear({ kind: 'surroundings', what: 'house' });
  t.is(bench.work?.part, 'user');
  bench.hear({ kind: 'surroundings', what: 'neighbours' });
  bench.hear({ kind: 'rules-lost' });
  bench.hear({ kind: 'rules-lost' });
  bench.endAll();
  t.deepEqual(bench.done, [
    ...(['user', 'restore', 'house', 'near', 'inside', 'rules', 'routes'] as const),
    ...(['netdev', 'index', 'queue', 'streams', 'boot'] as const),
  ]);
});

test('a queue that stands is left alone; frames wait while one is made', (t) => {
  const bench = new Bench().shaping();
  bench.hear({ kind: 'intent', intent: { kind: 'on', desired: desired(10) } });
  const queues: unknown[] = [];
  const doAll = (): void => {
    for (let work = bench.work; work; work = bench.work) {
      if (work.part === 'queue') {
        queues.push(work.slots?.length ?? null);
        const shuts = bench.last?.acts.some((act) => act.do === 'gate' && !act.open);
        t.is(shuts, work.slots !== null);
      }
      bench.end();
    }
  };
  doAll();
  bench.hear({ kind: 'intent', intent: { kind: 'on', desired: desired(2000) } });
  doAll();
  t.deepEqual(queues, [null, 1]);
});

test('another rate leaves the ring behind a queue that stands as long as it is: a change empties the queue', (t) => {
  const bench = new Bench().shaping();
  const rings: number[] = [];
  for (const rate of [100, 110, 2000]) {
    bench.hear({ kind: 'intent', intent: { kind: 'on', desired: desired(rate) } });
    for (let work = bench.work; work; work = bench.work) {
      if (work.part === 'queue') rings.push(work.ring);
      bench.end();
    }
  }
  t.is(rings[0], rings[1]);
  t.true(rings[2]! > rings[1]!);
});

test('OpenVPN is asked to connect again soon after the stream stops, then each fifteen seconds', (t) => {
  const bench = new Bench().shaping();
  bench.world.faults = { ...bench.world.faults, receiveShare: 0 };
  const asked: number[] = [];
  for (let second = 1; second <= 40; second++) {
    bench.world.advance(1000);
    bench.hear(bench.world.report());
    while (bench.work) {
      bench.end();
      if (bench.last?.acts.some((act) => act.do === 'reconnect')) asked.push(second);
    }
  }
  t.is(asked.length, 3);
  t.true(asked[0]! <= 4, `${asked[0]} s`);
  t.deepEqual([asked[1]! - asked[0]!, asked[2]! - asked[1]!], [15, 15]);
});

test('where the profile names another endpoint it goes on to that one, not to the one that says nothing', (t) => {
  const { config, profile, rate } = desired();
  const [remote] = profile.remotes;
  for (const remotes of [[remote!], [remote!, { ...remote!, host: 'other.example' }]]) {
    const bench = new Bench();
    const intent = { kind: 'on', desired: { config, rate, profile: { ...profile, remotes } } };
    bench.hear({ kind: 'intent', intent } as HomeEvent);
    bench.endAll();
    bench.connect();
    for (let second = 0; second < 6; second++) bench.second();
    bench.world.faults = { ...bench.world.faults, receiveShare: 0 };
    const asked: unknown[] = [];
    for (let second = 1; second <= 5; second++) {
      bench.world.advance(1000);
      bench.hear(bench.world.report());
      while (bench.work) {
        bench.end();
        asked.push(...(bench.last?.acts.filter((act) => act.do === 'reconnect') ?? []));
      }
    }
    t.deepEqual(asked, [{ do: 'reconnect', next: remotes.length > 1 }]);
  }
});

test('OpenVPN is asked at once where the endpoint’s machine says that nobody listens there', (t) => {
  const bench = new Bench().shaping();
  bench.world.faults = { ...bench.world.faults, receiveShare: 0 };
  bench.hear({ kind: 'openvpn-trouble', why: notice('endpoint-refuses') });
  let isAsked = false;
  for (let second = 1; second <= 2; second++) {
    bench.world.advance(1000);
    bench.hear(bench.world.report());
    while (bench.work) {
      bench.end();
      isAsked ||= bench.last?.acts.some((act) => act.do === 'reconnect') ?? false;
    }
  }
  t.true(isAsked, 'not within two seconds');
});

/** Seconds until OpenVPN is asked to connect again, once the stream has stopped; null where it is not within a minute and a half. */
function secondsUntilAsked(troubles: readonly EndpointTrouble[]): number | null {
  const bench = new Bench().shaping();
  bench.hear({ kind: 'welcome', welcome: { ...welcome, troubles } });
  bench.world.faults = { ...bench.world.faults, receiveShare: 0 };
  for (let second = 1; second <= 90; second++) {
    bench.world.advance(1000);
    bench.hear(bench.world.report());
    while (bench.work) {
      bench.end();
      if (bench.last?.acts.some((act) => act.do === 'reconnect')) return second;
    }
  }
  return null;
}

test('who shares a profile leaves the tunnel to the one that had it first', (t) => {
  const first = secondsUntilAsked(['shared'])!;
  const started = secondsUntilAsked(['later'])!;
  const later = secondsUntilAsked(['shared', 'later'])!;
  t.true(first <= 4, `${first} s`);
  t.true(started >= 10 && started <= 12, `${started} s`);
  t.true(later >= 60 && later <= 62, `${later} s`);
});

test('OpenVPN starts over when others take its netdev away, no more than once in three seconds', (t) => {
  const bench = new Bench().shaping();
  const gone = { kind: 'fault', fault: notice('tunnel-netdev-gone') } as const;
  bench.done.length = 0;
  bench.hear(gone);
  t.false(bench.state.permitted);
  while (bench.work) bench.end();
  t.deepEqual(
    bench.done.filter((part) => part === 'openvpn'),
    ['openvpn'],
  );
  bench.hear(gone);
  while (bench.work) bench.end();
  t.is(bench.done.filter((part) => part === 'openvpn').length, 1, 'it is under way');
});

test('a tunnel that is being set up is left to OpenVPN', (t) => {
  const bench = new Bench().on();
  for (let second = 0; second < 60; second++) {
    bench.second();
    t.false(bench.last?.acts.some((act) => act.do === 'reconnect'));
  }
});

test('who asks for names beside the devices is looked up before all is said to be well', (t) => {
  const bench = new Bench().on().connect();
  for (let second = 0; second < 2; second++) bench.second();
  bench.done.length = 0;
  bench.second({ resolvers: ['02:00:00:00:00:01'] });
  t.false(bench.state.permitted);
  t.true(bench.done.includes('near'));
});

test('a device that waits for an inner address gets one at once, while others go on', (t) => {
  const bench = new Bench().shaping();
  bench.done.length = 0;
  bench.second({ senders: ['192.168.9.11'] });
  t.true(bench.done.indexOf('near') >= 0 && bench.done.includes('rules'));
  t.true(bench.done.indexOf('near') < bench.done.indexOf('rules'));
  t.true(bench.state.permitted);
  bench.done.length = 0;
  bench.second({ senders: ['169.254.7.7'] });
  t.false(bench.done.includes('near'), 'nobody could answer it');
});

test('a schedule’s rate is put in force when a look finds it', (t) => {
  const bench = new Bench().shaping();
  bench.done.length = 0;
  bench.second({ rate: { uploadKBps: 5, downloadKBps: 5, source: 'schedule night' } });
  t.true(bench.done.includes('streams'));
  t.is(bench.state.permitted, true);
});

test('a look that began under another configuration brings none of its rates', (t) => {
  const bench = new Bench().shaping();
  bench.world.advance(1000);
  bench.hear(bench.world.report());
  t.is(bench.work?.part, 'look');
  const { config } = desired();
  const rate = { uploadKBps: 20, downloadKBps: 20, source: 'schedule rest' } as const;
  bench.hear({ kind: 'intent', intent: { kind: 'on', desired: { ...desired(), config, rate } } });
  bench.end();
  t.deepEqual(desiredOf(bench.state)?.rate, rate);
});

test('what could not be done is told, and done again with all that follows', (t) => {
  const bench = new Bench();
  bench.hear({ kind: 'intent', intent: { kind: 'on', desired: desired() } });
  while (bench.work && bench.work.part !== 'rules') bench.end();
  bench.end({
    kind: 'failed',
    part: 'rules',
    fault: notice('openvpn-stopped', { why: 'planted' }),
  });
  t.deepEqual(bench.work, { part: 'netdev', netdev: 'iot0', houseNetdevs: [], uplinks: [] });
  bench.end();
  t.is(bench.work, null);
  t.is(bench.state.told.fault?.code, 'openvpn-stopped');
  bench.done.length = 0;
  for (let second = 0; second < 5; second++) bench.second();
  t.true(bench.done.includes('rules') && bench.done.includes('openvpn'));
  t.is(bench.state.failure, null);
});

test('switched off, everything is removed, the rules for the next boot as well', (t) => {
  const bench = new Bench().shaping();
  bench.done.length = 0;
  bench.hear({ kind: 'intent', intent: { kind: 'off' } });
  const works: Work[] = [];
  while (bench.work) {
    works.push(bench.work);
    bench.end();
  }
  t.deepEqual(works, [
    { part: 'forbid' },
    { part: 'remove', netdev: 'iot0', shut: null },
    { part: 'boot', table: null },
  ]);
  t.is(bench.state.told.state, 'off');
});

test('what could not be removed is not taken to stand when it is switched on again', (t) => {
  const bench = new Bench().shaping();
  const why = notice('process-exit-status', { status: '2' });
  bench.hear({ kind: 'intent', intent: { kind: 'off' } });
  while (bench.work && bench.work.part !== 'remove') bench.end();
  bench.end({ kind: 'failed', part: 'remove', fault: why });
  bench.done.length = 0;
  bench.on();
  t.true(bench.done.includes('port') && bench.done.includes('openvpn'), `${bench.done}`);
});

test('what could not be removed is removed by its name the next time', (t) => {
  const bench = new Bench().shaping();
  const why = notice('process-exit-status', { status: '2' });
  bench.hear({ kind: 'intent', intent: { kind: 'off' } });
  while (bench.work && bench.work.part !== 'remove') bench.end();
  bench.end({ kind: 'failed', part: 'remove', fault: why });
  bench.endAll();
  bench.hear(bench.world.report());
  t.deepEqual(bench.work, { part: 'remove', netdev: 'iot0', shut: null });
});

test('rules that others changed are put back while the tunnel is down, before anything else', (t) => {
  const bench = new Bench().shaping();
  bench.hear({ kind: 'openvpn', name: 'RECONNECTING', local: '', remote: '' });
  bench.endAll();
  bench.world.advance(5000);
  bench.hear(bench.world.report());
  bench.done.length = 0;
  bench.world.faults = { ...bench.world.faults, rulesChanged: true };
  bench.end();
  t.is(bench.work?.part, 'restore');
  bench.endAll();
  t.deepEqual(bench.done.slice(0, 4), ['look', 'restore', 'user', 'house']);
});

test('stopped for a moment only, the rules that hold devices back stay', (t) => {
  const bench = new Bench().shaping();
  bench.hear({ kind: 'intent', intent: { kind: 'stop', staysShut: true } });
  bench.end();
  t.is(bench.work?.part, 'remove');
  t.regex((bench.work as Extract<Work, { part: 'remove' }> | null)?.shut ?? '', /chain held/);
  bench.endAll();
  bench.second();
  t.is(bench.done.at(-1), 'remove');
});

test('a bad configuration leaves the one in force', (t) => {
  const bench = new Bench().shaping();
  bench.hear({ kind: 'intent', intent: { kind: 'none', why: null } });
  t.is(bench.state.told.state, 'shaping');
  t.is(bench.work, null);
});

const other = {
  ...desired().profile,
  remotes: [{ host: 'b.example', port: 1, proto: 'udp4' as const }],
};
const withOther = {
  kind: 'intent',
  intent: { kind: 'on', desired: { ...desired(), profile: other } },
} as const;

test('a new profile is tried beside one that works, which stays until the new one connects', (t) => {
  const bench = new Bench().shaping();
  const { acts } = bench.hear(withOther);
  const begun = acts.find((act) => act.do === 'try');
  t.is(begun?.trial?.tries, 1);
  t.regex(begun?.trial?.config ?? '', /\nremote b\.example 1 udp4\n[\s\S]*\ndev null\n/);
  bench.done.length = 0;
  bench.endAll();
  t.false(bench.done.includes('openvpn'));
  t.true(bench.state.permitted);

  bench.hear({ kind: 'tried', why: notice('endpoint-refuses') });
  bench.second();
  t.is(bench.state.told.state, 'shaping');
  t.is(bench.state.trial?.failure?.code, 'endpoint-refuses');

  t.true(
    bench.hear(withOther).acts.some((act) => act.do === 'try'),
    'again on demand',
  );
  bench.endAll();
  const end = bench.hear({ kind: 'tried', why: null });
  t.false(
    end.acts.some((act) => act.do === 'adopt'),
    'the endpoint has not answered yet',
  );
  bench.done.length = 0;
  bench.endAll();
  t.true(bench.done.includes('openvpn'));
  t.regex(bench.state.openvpnConfig, /remote b\.example/);
  t.is(bench.state.trial, null);
  const late = bench.hear({ kind: 'welcome', welcome });
  t.false(
    late.acts.some((act) => act.do === 'adopt'),
    'an answer to what was there before',
  );
  bench.hear({ kind: 'openvpn', name: 'CONNECTED', local: '10.213.0.2', remote: '192.0.2.1' });
  bench.endAll();
  const doings = bench.hear({ kind: 'welcome', welcome }).acts.map((act) => act.do);
  t.true(doings.includes('adopt') && doings.includes('keep-proved'), doings.join());
  bench.endAll();
  t.false(bench.hear({ kind: 'welcome', welcome }).acts.some((act) => act.do === 'keep-proved'));
});

test('a new profile under which nobody answers gives way to the one that worked, also after a reload meanwhile', (t) => {
  const bench = new Bench().shaping();
  bench.hear(withOther);
  bench.hear({ kind: 'tried', why: null });
  bench.endAll();
  t.deepEqual(
    trialNotices(bench.state).map(({ code }) => code),
    ['profile-not-answered'],
  );
  bench.hear({
    kind: 'intent',
    intent: { kind: 'on', desired: desired(), waiting: other, lastProved: desired().profile },
  });
  bench.endAll();
  t.regex(bench.state.openvpnConfig, /b\.example/, 'it goes on having its time');
  t.is(bench.state.trial, null);
  for (let second = 0; second < 50; second++) {
    bench.second();
    t.false(bench.state.permitted);
  }
  t.notRegex(bench.state.openvpnConfig, /b\.example/);
  const [found] = trialNotices(bench.state);
  t.is(found?.code, 'profile-not-used');
  t.regex(wordsOf(found!), /it connects, but within 45 seconds the endpoint answered nothing/);
  bench.connect();
  for (let second = 0; second < 6; second++) bench.second();
  t.true(bench.state.permitted);
});

test('after a start the profile that worked last is used until the one in its place was seen to work', (t) => {
  const bench = new Bench();
  const intent = {
    kind: 'on',
    desired: { ...desired(), profile: other },
    lastProved: desired().profile,
  } as const;
  const { acts } = bench.hear({ kind: 'intent', intent });
  t.regex(acts.find((act) => act.do === 'try')?.trial?.config ?? '', /b\.example/);
  bench.endAll();
  t.notRegex(bench.state.openvpnConfig, /b\.example/);
  bench.hear({ kind: 'tried', why: notice('endpoint-refuses') });
  bench.tried = false;
  t.deepEqual(
    trialNotices(bench.state).map(({ code }) => code),
    ['profile-not-used'],
  );
  // Neither connects: the other gets another try, without a person.
  let tries = 0;
  for (let second = 0; second < 130; second++) {
    bench.second();
    if (!bench.tried) continue;
    bench.tried = false;
    tries++;
    bench.hear({ kind: 'tried', why: notice('endpoint-refuses') });
  }
  t.is(tries, 2);
  bench.connect();
  for (let second = 0; second < 70; second++) bench.second();
  t.false(bench.tried, 'not beside one that works');
});

test('a profile that waits is tried, and no second time while it is; the end of an old trial says nothing', (t) => {
  const bench = new Bench().shaping();
  const waiting = {
    kind: 'intent',
    intent: { kind: 'on', desired: desired(), waiting: other },
  } as const;
  t.true(bench.hear(waiting).acts.some((act) => act.do === 'try'));
  bench.endAll();
  t.false(bench.hear(waiting).acts.some((act) => act.do === 'try'));
  bench.endAll();
  const back = bench.hear({ kind: 'intent', intent: { kind: 'on', desired: desired() } });
  t.deepEqual(
    back.acts.find((act) => act.do === 'try'),
    { do: 'try', trial: null },
  );
  bench.endAll();
  bench.hear({ kind: 'tried', why: null });
  t.notRegex(bench.state.openvpnConfig, /b\.example/);
});

test('where none works the new profile is used at once, and what is wrong with it is told', (t) => {
  const bench = new Bench().on();
  const { acts } = bench.hear(withOther);
  t.false(acts.some((act) => act.do === 'try'));
  bench.endAll();
  t.regex(bench.state.openvpnConfig, /remote b\.example/);
  bench.hear({
    kind: 'openvpn-trouble',
    why: notice('endpoint-name-unresolved', { host: 'b.example' }),
  });
  bench.second();
  t.is(bench.state.told.fault?.code, 'tunnel-failing');
  // What fails with the tunnel says less.
  bench.hear({ kind: 'fault', fault: notice('cover-unsent', { error: 'ENETUNREACH' }) });
  t.is(bench.state.told.fault?.code, 'tunnel-failing');
  bench.connect();
  t.is(bench.state.trouble, null);
});

const way = { netdev: 'wan', index: 2, isEthernet: true, address: '192.0.2.1', port: 1194 };
const missing = notice('outer-clock-no-pair');

/** A home whose endpoint is reached by a netdev that is known; `found` is why a clock can't stand there. */
function clockedBench(found: Notice | null): Bench {
  const bench = new Bench();
  bench.world.way = { netdev: 'wan', index: 2, isEthernet: true };
  bench.world.clockFault = found;
  return bench.on();
}

function connectByPort(bench: Bench): Bench {
  const ends = { local: '10.213.0.2', remote: '192.0.2.1', remotePort: 1194 };
  bench.hear({ kind: 'openvpn', name: 'CONNECTED', ...ends });
  bench.endAll();
  bench.hear({ kind: 'welcome', welcome });
  bench.endAll();
  return bench;
}

test('the clock behind OpenVPN is made on the way to the endpoint, before any stream', (t) => {
  const bench = clockedBench(null);
  bench.done.length = 0;
  connectByPort(bench);
  t.deepEqual(bench.state.clock, way);
  const order = bench.done.filter((part) => ['queue', 'clock', 'streams'].includes(part));
  t.deepEqual(order.slice(0, 3), ['queue', 'clock', 'streams']);
  for (let second = 0; second < 6; second++) bench.second();
  t.is(bench.state.told.state, 'shaping');
});

test('it follows the way, and devices are held meanwhile', (t) => {
  const bench = connectByPort(clockedBench(null));
  for (let second = 0; second < 6; second++) bench.second();
  bench.world.way = { netdev: 'wan', index: 9, isEthernet: true };
  bench.hear({ kind: 'surroundings', what: 'house' });
  while (bench.work && bench.work.part !== 'clock') bench.end();
  t.like(bench.work, { part: 'clock', way: { index: 9 } });
  t.deepEqual(bench.last?.acts.at(-1), { do: 'gate', open: false });
  while (bench.state.running !== 'streams') bench.end();
  t.is(bench.state.clock?.index, 9);
  t.like(bench.work, { part: 'streams', standing: 2, fresh: true });
  bench.end();
  t.deepEqual(bench.last?.acts.at(-1), { do: 'gate', open: true });
  bench.endAll();
  for (let second = 0; second < 3; second++) bench.second();
  t.true(bench.state.permitted);
});

test('where each work takes half a second it follows the way as well, whatever is found amiss until all is done', (t) => {
  const bench = connectByPort(clockedBench(null));
  for (let second = 0; second < 6; second++) bench.second();
  bench.world.way = { netdev: 'wan', index: 9, isEthernet: true };
  bench.hear({ kind: 'surroundings', what: 'house' });
  bench.done.length = 0;
  for (let half = 0; half < 80; half++) {
    bench.world.advance(500);
    if (half % 2 === 1) bench.hear(bench.world.report());
    if (bench.work) bench.end();
  }
  t.is(bench.state.clock?.index, 9);
  t.true(bench.state.permitted, bench.done.join(' '));
  t.is(bench.done.filter((part) => part === 'clock').length, 1);
});

test('once rules that lead there were deleted the chains are looked at, and a clock that nothing comes to is made anew', (t) => {
  const bench = connectByPort(clockedBench(null));
  for (let second = 0; second < 6; second++) bench.second();
  bench.done.length = 0;
  bench.hear({ kind: 'clock-touched' });
  bench.endAll();
  t.deepEqual(bench.done, ['chains'], 'our own doing, say');
  t.true(bench.state.permitted);
  bench.world.chainsLost = true;
  bench.hear({ kind: 'clock-touched' });
  bench.end();
  t.false(bench.state.permitted);
  t.is(bench.state.told.fault?.code, 'outer-clock-gone');
  bench.endAll();
  t.true(bench.done.includes('clock') && bench.done.includes('streams'));
  t.deepEqual(bench.state.clock, way);
  for (let second = 0; second < 6; second++) bench.second();
  t.true(bench.state.permitted);
});

test('where the kernel has no such clock devices go on with one, and a warning says why', (t) => {
  const bench = connectByPort(clockedBench(missing));
  for (let second = 0; second < 6; second++) bench.second();
  t.is(bench.state.told.state, 'shaping');
  t.is(bench.state.clock, null);
  t.deepEqual(bench.state.delivery.warnings, [missing]);
  const { ring } = bench.state.queue!;
  bench.done.length = 0;
  for (let second = 0; second < 20; second++) bench.second();
  t.false(bench.done.includes('clock'), 'not tried again at once');
  bench.world.clockFault = null;
  for (let second = 0; second < 20; second++) bench.second();
  t.deepEqual(bench.state.clock, way);
  t.deepEqual(bench.state.delivery.warnings, []);
  t.true(
    bench.state.queue!.ring >= 10 * ring,
    'what OpenVPN is late by may wait once it can leave by a clock alone',
  );
});

test('one that fails twice for no reason that is known is done without', (t) => {
  const bench = new Bench();
  bench.world.way = { netdev: 'wan', index: 2, isEthernet: true };
  bench.on();
  const why = notice('process-exit-status', { status: '2' });
  const ends = { local: '10.213.0.2', remote: '192.0.2.1', remotePort: 1194 };
  bench.hear({ kind: 'openvpn', name: 'CONNECTED', ...ends });
  const failClock = (): void => {
    while (bench.work && bench.work.part !== 'clock') bench.end();
    bench.end({ kind: 'failed', part: 'clock', fault: why });
    bench.endAll();
  };
  failClock();
  t.deepEqual(bench.state.failure, why);
  bench.hear({ kind: 'welcome', welcome });
  bench.world.advance(4000);
  bench.hear(bench.world.report());
  failClock();
  t.is(bench.state.failure, null);
  t.is(bench.state.clockTrouble?.why.code, 'outer-clock-failed');
});

test('in a plain tunnel, and where slots leave in pieces, there is none', (t) => {
  for (const [rate, wholeBytes] of [
    [0, null],
    [40, 500],
  ] as const) {
    const bench = new Bench();
    bench.world.way = { netdev: 'wan', index: 2, isEthernet: true };
    bench.world.wholeBytes = wholeBytes;
    bench.hear({ kind: 'intent', intent: { kind: 'on', desired: desired(rate) } });
    bench.endAll();
    connectByPort(bench);
    t.is(bench.state.clock, null);
    t.true(bench.done.includes('streams'));
  }
});

test('what was lost while the tunnel was down is not laid to the line', (t) => {
  const bench = new Bench().shaping();
  const isLaid = (): boolean =>
    bench.state.delivery.warnings.some(({ code }) => code === 'download-short');
  bench.world.faults = { ...bench.world.faults, receiveShare: 0.7 };
  for (let second = 0; second < 90; second++) bench.second();
  t.true(isLaid(), 'a line that carries 70 of 100');
  bench.hear({ kind: 'openvpn', name: 'RECONNECTING', local: '', remote: '' });
  bench.endAll();
  bench.connect();
  for (let second = 0; second < 50; second++) {
    bench.second();
    t.false(isLaid(), `${second} s after the tunnel is back`);
  }
  for (let second = 0; second < 30; second++) bench.second();
  t.true(isLaid(), 'measured anew');
});

test('that devices are cut off is said once the first rules are in force, and no sooner', (t) => {
  const bench = new Bench();
  bench.hear({ kind: 'intent', intent: { kind: 'on', desired: desired(40) } });
  while (bench.work?.part !== 'rules') {
    t.is(bench.state.told.reason.code, 'service-starting');
    bench.end();
  }
  t.is(bench.state.told.reason.code, 'service-starting');
  bench.end();
  t.is(bench.state.told.reason.code, 'starting');
});
