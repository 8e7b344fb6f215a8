// An endpoint that is drained: who is sent on and when, who comes back and stays, and that the others are served meanwhile.
import test, { type ExecutionContext } from 'ava';
import { NO_LIMITS } from '../../src/core/endpoint/admission/limits.ts';
import type { HomeConnection } from '../../src/core/endpoint/fleet/drain.ts';
import { homeConnections, renderSendOn } from '../../src/core/endpoint/fleet/drain.ts';
import { drainOf } from '../../src/core/endpoint/machine/admission/draining.ts';
import { toldOf } from '../../src/core/endpoint/machine/telling.ts';
import { servedAfterMs, startAll } from './endpoint-life.ts';
import { EndpointMachine } from './endpoint-machine.ts';
import { FREE, Play, shape, stored } from './play.ts';

const from = (host: number, connection: number, family: 4 | 6 = 4): HomeConnection => ({
  ...{ host, connection, family },
});

/** Has the endpoint drained, with these connected. */
function drain(play: Play, connections: HomeConnection[], since = '2026-11-30T00:00:00.000Z') {
  Object.assign(play, { drained: since, connections });
  play.tell({ kind: 'store-changed' });
  play.settle();
}

function second(play: Play, count = 1): string[] {
  for (let k = 0; k < count; k++) {
    play.second();
    play.settle();
  }
  return play.take();
}

const drainNow = (play: Play) => drainOf(play.state, play.nowMs);

test('homes are sent on two seconds apart, and served until they go', (t) => {
  const play = Play.serving(t, [2, 3, 4]);
  drain(play, [from(2, 20), from(3, 30), from(4, 40)]);
  t.deepEqual(second(play), ['send-on 20', 'home-sent-on']);
  t.deepEqual([...play.gates], [2, 3, 4]);
  t.deepEqual(drainNow(play)?.leaving, ['home2', 'home3', 'home4']);
  t.is(toldOf(play.state).reason.code, 'endpoint-drained');
  play.connections = [from(3, 30), from(4, 40)];
  t.deepEqual(second(play), ['close 2', 'home-disconnected']);
  t.deepEqual([...play.gates], [3, 4]);
  t.deepEqual(second(play), ['send-on 30', 'home-sent-on']);
  t.deepEqual(second(play, 2), ['send-on 40', 'home-sent-on']);
  // OpenVPN lists those for a few seconds that were told.
  play.connections = [];
  t.deepEqual(
    second(play).filter((word) => word.startsWith('close')),
    ['close 3', 'close 4'],
  );
  t.deepEqual(drainNow(play)?.leaving, ['home2', 'home3', 'home4'], 'they may yet be back');
  t.deepEqual(second(play, 16), []);
  t.deepEqual(drainNow(play), {
    ...{ since: '2026-11-30T00:00:00.000Z', leaving: [], staying: [] },
  });
});

test('nothing is sent on where OpenVPN does not say who is there', (t) => {
  const play = Play.serving(t, [2]);
  Object.assign(play, { drained: 'now', connections: null });
  play.tell({ kind: 'store-changed' });
  play.settle();
  t.deepEqual(second(play, 3), []);
  t.deepEqual([...play.gates], [2]);
});

test('one that comes is sent on at once, without a stream', (t) => {
  const play = Play.serving(t, [2, 3]);
  drain(play, [from(2, 20)]);
  second(play);
  play.homes = [...play.homes, stored(5)];
  play.connections = [from(2, 20), from(5, 50)];
  play.tell({ kind: 'store-changed' });
  play.settle();
  play.take();
  play.hello(5);
  play.settle();
  t.deepEqual(play.take(), ['send-on 50', 'home-sent-on']);
  // It says so again before it has heard.
  play.hello(5);
  play.settle();
  t.deepEqual(play.take(), []);
  t.false(play.gates.has(5));
});

test('one that comes back is served on, and named, until the endpoint is drained anew', (t) => {
  const play = Play.serving(t, [2, 3]);
  drain(play, [from(2, 20), from(3, 30)]);
  second(play);
  // By another connection, at once: nobody else has answered.
  play.connections = [from(2, 21), from(3, 30)];
  t.deepEqual(second(play), ['home-stays']);
  t.deepEqual([...play.gates], [2, 3], 'its stream stands as it stood');
  t.deepEqual(second(play), ['send-on 30', 'home-sent-on']);
  play.connections = [from(2, 21)];
  second(play, 20);
  t.deepEqual(drainNow(play), { since: drainNow(play)!.since, leaving: [], staying: ['home2'] });
  t.deepEqual(
    toldOf(play.state).troubles.map(({ code }) => code),
    ['home-stays'],
  );
  play.hello(2);
  play.settle();
  t.deepEqual(play.take(), ['welcome 2']);
  drain(play, [from(2, 21)], 'later');
  t.deepEqual(second(play), ['send-on 21', 'home-sent-on']);
});

test('one that comes back after its session was over is let in, too', (t) => {
  const play = Play.serving(t, [2]);
  drain(play, [from(2, 20)]);
  second(play);
  play.connections = [];
  t.deepEqual(second(play), ['close 2', 'home-disconnected']);
  second(play, 30);
  play.connections = [from(2, 21)];
  play.hello(2);
  play.settle();
  t.deepEqual(play.take(), ['home-stays']);
  play.hello(2);
  play.settle();
  second(play, 5);
  t.deepEqual([...play.gates], [2]);
  // One that was away for longer has been served by others: it is sent on as any other.
  const other = Play.serving(t, [2]);
  drain(other, [from(2, 20)]);
  second(other);
  other.connections = [];
  second(other, 100);
  other.connections = [from(2, 21)];
  other.hello(2);
  other.settle();
  t.deepEqual(other.take(), ['send-on 21', 'home-sent-on']);
});

test('a name with addresses of both families is two ways here: each is sent on from', (t) => {
  const play = Play.serving(t, [2]);
  drain(play, [from(2, 20, 6)]);
  second(play);
  play.connections = [from(2, 21, 4)];
  t.deepEqual(second(play), ['send-on 21', 'home-sent-on']);
  play.connections = [from(2, 22, 6)];
  t.deepEqual(second(play), ['home-stays']);
});

/** Homes 2 and 3 take all there is; 4 is connected, and finds no room. */
function playFull(t: ExecutionContext): Play {
  const play = Play.serving(t, [2, 3], {
    homes: [2, 3, 4].map((host) => stored(host)),
    limits: { ...NO_LIMITS, machine: { slots: 200 } },
  });
  play.connections = [from(2, 20), from(3, 30), from(4, 40)];
  return play;
}

/** Has all ask once a second, for so many; what comes of it beside answers. */
function asking(play: Play, count: number): string[] {
  const words: string[] = [];
  for (let k = 0; k < count; k++) {
    for (const host of [2, 3, 4]) play.hello(host);
    play.settle();
    words.push(...second(play));
  }
  return words.filter((word) => !/^(refuse 4|welcome [23])$/.test(word));
}

test('who finds no room is told so, then sent on, and tried again once a minute', (t) => {
  const play = playFull(t);
  t.deepEqual(asking(play, 1), ['home-over-limit']);
  t.deepEqual(asking(play, 3), ['send-on 40', 'home-sent-on']);
  // Nobody else had room.
  play.connections = [from(2, 20), from(3, 30), from(4, 41)];
  t.deepEqual(asking(play, 55), []);
  t.deepEqual(asking(play, 10), ['send-on 41'], 'without filling the log');
  t.deepEqual([...play.gates], [2, 3], 'nobody else is touched');
  // There is room now.
  play.connections = [from(2, 20), from(3, 30), from(4, 42)];
  play.limits = NO_LIMITS;
  play.tell({ kind: 'store-changed' });
  play.settle();
  play.hello(4);
  play.settle();
  t.deepEqual(play.take(), ['home-connected', 'welcome 4']);
  t.deepEqual(
    second(play, 70).filter((word) => word.startsWith('send-on')),
    [],
  );
});

test('who finds no room stays where it may have gone already, is served already, or there is no other endpoint', (t) => {
  const gone = playFull(t);
  asking(gone, 1);
  gone.connections = [from(2, 20), from(3, 30)];
  t.deepEqual(second(gone, 10), []);
  const served = playFull(t);
  for (let k = 0; k < 10; k++) {
    served.hello(2, { ...shape, rateKBps: 50 });
    served.settle();
    second(served).forEach((word) => void t.notRegex(word, /send-on/));
  }
  const alone = playFull(t);
  alone.state = { ...alone.state, place: { ...alone.state.place, isOfFleet: false } };
  t.deepEqual(asking(alone, 10), ['home-over-limit']);
});

test('one that is drained stays so when it is started over, and serves again once it is not', (t) => {
  const play = new Play(t);
  play.homes = [stored(2)];
  play.tell({ kind: 'start', ...FREE, homes: play.homes, drained: 'before' });
  play.settle();
  play.tell({ kind: 'openvpn', name: 'CONNECTED' });
  play.settle();
  play.take();
  play.connections = [from(2, 20)];
  play.hello(2);
  play.settle();
  t.deepEqual(play.take(), ['send-on 20', 'home-sent-on']);
  play.drained = null;
  play.tell({ kind: 'store-changed' });
  play.settle();
  t.is(drainNow(play), null);
  play.hello(2);
  play.settle();
  t.deepEqual(play.take(), ['home-connected', 'welcome 2']);
});

test('connections are told apart by the number OpenVPN gives each', (t) => {
  const lines = [
    'TITLE\tOpenVPN 2.6.14',
    'CLIENT_LIST\thome2.ab\t198.51.100.7:40123\t10.213.0.2\t\t1\t2\tnow\t1\tUNDEF\t7\t0\tAES-256-GCM',
    'CLIENT_LIST\thome3.ab\t2001:db8::7\t10.213.0.3\t\t1\t2\tnow\t1\tUNDEF\t12\t1\tAES-256-GCM',
    'CLIENT_LIST\tUNDEF\t198.51.100.7:40124\t\t\t1\t2\tnow\t1\tUNDEF\t13\t2\t',
  ];
  t.deepEqual(homeConnections(lines), [from(2, 7), from(3, 12, 6)]);
  t.is(homeConnections(null), null);
  t.is(renderSendOn(7), 'client-kill 7 RESTART,[N]');
});

test('a service is drained by a file, whenever that comes, and hears of it when it begins', async (t) => {
  const endpoint = new EndpointMachine([2, 3]);
  const { files, world } = endpoint.machine;
  world.sentOn = [];
  world.clients = [2, 3].map(
    (host) =>
      `CLIENT_LIST\thome${host}\t2001:db8::${host}\t10.213.0.${host}\t\t1\t2\tnow\t1\tUNDEF\t${host}0\t0\tAES`,
  );
  await startAll(endpoint);
  t.not(await servedAfterMs(endpoint, [2, 3], 30_000), null);
  t.is((endpoint.service.status() as { drained: unknown }).drained, null);
  files.plant('/etc/iotshaper/endpoint/drained', '2026-11-30T00:00:00.000Z\n', 0o600);
  await endpoint.advance(6000);
  const sentOn = ['client-kill 20 RESTART,[N]', 'client-kill 30 RESTART,[N]'];
  t.deepEqual(world.sentOn.splice(0), sentOn);
  const drained = { since: '2026-11-30T00:00:00.000Z', leaving: ['home2', 'home3'], staying: [] };
  t.like(endpoint.service.status(), { drained });
  await endpoint.machine.finish(endpoint.service.stop());
  endpoint.renew();
  await endpoint.start();
  await endpoint.advance(6000);
  t.deepEqual(world.sentOn.sort(), sentOn);
  t.deepEqual(endpoint.violations, []);
  await endpoint.machine.finish(endpoint.service.stop());
});
