// What the endpoint hears of its homes: each by its own key, and one of an older version is named once.
import test from 'ava';
import { HomeHandshake } from '../../src/core/control/home-handshake.ts';
import type { Hello } from '../../src/core/control/message.ts';
import { Proof } from '../../src/core/control/proof.ts';
import type { StoredHome } from '../../src/core/endpoint/identity.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { hmacSha256 } from '../../src/shell/control/hmac.ts';
import { Greetings } from '../../src/shell/endpoint/greetings.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { inner, inside, keyOf } from '../control/proofs.ts';

const shape: Shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 };
const report = {
  ...{ queuePackets: 0, queueMs: 0, dropped: 0 },
  ...{ received: null, troubles: [], wholeBytes: null },
};
const address = '10.213.0.2';

function stored(key: Uint8Array | null, name = 'cottage'): StoredHome {
  const controlKey = key === null ? '' : Buffer.from(key).toString('base64');
  return { name, host: 2, commonName: name, fingerprint: 'AA', controlKey };
}

function newHome(key: Uint8Array): HomeHandshake {
  let drawn = key[0]! * 1000;
  const home = new HomeHandshake({
    proof: new Proof(hmacSha256, key, address),
    version: '0.1.0',
    inside,
    drawNonce: () => (drawn++).toString(16).padStart(24, '0'),
  });
  home.want({ upload: shape, download: shape, maxDelayMs: 5000, standingSlots: null });
  return home;
}

/** Greetings whose doings are collected. */
function listen() {
  const sent: Uint8Array[] = [];
  const logged: string[] = [];
  const hellos: Hello[] = [];
  const greetings = new Greetings({
    system: nodeSystem,
    log: (level, text) => logged.push(`${level}: ${text}`),
    send: (datagram) => sent.push(datagram),
    onHello: (_host, hello) => hellos.push(hello),
  });
  const hear = (home: StoredHome, datagram: Uint8Array, nowMs: number): void =>
    greetings.receive(home, address, datagram, null, nowMs);
  return { greetings, sent, logged, hellos, hear };
}

test('a home is heard once it has answered the challenge, not before', (t) => {
  const { greetings, sent, hellos, hear } = listen();
  const [home, place] = [newHome(keyOf(1)), stored(keyOf(1))];
  hear(place, home.hello(0)!.datagram, 0);
  t.deepEqual(hellos, []);
  t.is(home.receive(sent[0]!, 0)?.kind, 'again');
  hear(place, home.hello(0)!.datagram, 0);
  const [hello] = hellos;
  t.is(hello?.download.rateKBps, 40);
  const welcome = greetings.welcome(place.host, hello!, inner, report, 512);
  t.is(home.receive(welcome!, 0)?.kind, 'welcome');
  t.is(sent.length, 1);
  t.is(greetings.welcome(3, hello!, inner, report, 512), null, 'that home was never heard');
});

test('each wish of a home is heard once', (t) => {
  const { sent, hellos, hear } = listen();
  const [home, place] = [newHome(keyOf(1)), stored(keyOf(1))];
  hear(place, home.hello(0)!.datagram, 0);
  home.receive(sent[0]!, 0);
  for (let rateKBps = 1; rateKBps <= 100; rateKBps++) {
    const download = { ...shape, rateKBps };
    home.want({ upload: shape, download, maxDelayMs: 5000, standingSlots: null });
    const { datagram } = home.hello(0)!;
    hear(place, datagram, 1000 * rateKBps);
    hear(place, datagram, 1000 * rateKBps);
  }
  t.deepEqual(
    hellos.map(({ download }) => download.rateKBps),
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
});

test('a home that was made again is another home: nothing of the old key counts', (t) => {
  const { sent, hellos, hear } = listen();
  const [old, oldPlace] = [newHome(keyOf(1)), stored(keyOf(1))];
  hear(oldPlace, old.hello(0)!.datagram, 0);
  old.receive(sent[0]!, 0);
  hear(oldPlace, old.hello(0)!.datagram, 0);
  t.is(hellos.length, 1);
  const place = stored(keyOf(2));
  hear(place, old.hello(0)!.datagram, 1000);
  t.is(sent.length, 1);
  const home = newHome(keyOf(2));
  hear(place, home.hello(0)!.datagram, 2000);
  t.is(home.receive(sent[1]!, 2000)?.kind, 'again');
  hear(place, home.hello(0)!.datagram, 2000);
  t.is(hellos.length, 2);
});

test('a home without a key is not served, and the log says once what to do', (t) => {
  const { sent, logged, hellos, hear } = listen();
  for (let nowMs = 0; nowMs < 10_000; nowMs += 1000) {
    hear(stored(null), newHome(keyOf(1)).hello(0)!.datagram, nowMs);
    hear(stored(null), newHome(new Uint8Array(32)).hello(0)!.datagram, nowMs);
  }
  t.deepEqual(logged, [
    'warning: home cottage can\'t be served: it was added by an older version and has no control key; run "iotshaper endpoint rotate cottage", then upload the new profile on its router',
  ]);
  t.deepEqual([sent, hellos], [[], []]);
});

test('a home that never stops talking is heard at a pace, another one as before', (t) => {
  const { greetings, hellos, sent, hear } = listen();
  const [home, place] = [newHome(keyOf(1)), stored(keyOf(1))];
  hear(place, home.hello(0)!.datagram, 0);
  home.receive(sent[0]!, 0);
  for (let nowMs = 1000; nowMs < 11_000; nowMs++) hear(place, home.hello(nowMs)!.datagram, nowMs);
  t.true(hellos.length > 60 && hellos.length <= 70, `${hellos.length} of 10000 in 10 s`);
  const other = newHome(keyOf(2));
  const heard = hellos.length;
  greetings.receive(
    { ...stored(keyOf(2)), host: 3 },
    address,
    other.hello(0)!.datagram,
    null,
    11_000,
  );
  t.is(other.receive(sent.at(-1)!, 11_000)?.kind, 'again');
  hear(place, home.hello(20_000)!.datagram, 20_000);
  t.is(hellos.length, heard + 1, 'it is not held against it later');
});
