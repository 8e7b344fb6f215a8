// Home and endpoint over a network that loses, turns round and repeats, with somebody who records, forges and replays.
import test, { type ExecutionContext } from 'ava';
import { EndpointHandshake } from '../../src/core/control/endpoint-handshake.ts';
import { HomeHandshake, type HomeHeard } from '../../src/core/control/home-handshake.ts';
import {
  decodeControl,
  encodeControl,
  type Hello,
  NONCE_BYTES,
} from '../../src/core/control/message.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { drawIndex, type Random, seededRandom } from '../../src/core/random/random.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { runs } from '../property-runs.ts';
import { inner, inside, proofOf } from './proofs.ts';

const shape: Shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 };
const report = {
  ...{ queuePackets: 0, queueMs: 0, dropped: 0 },
  ...{ received: null, troubles: [], wholeBytes: null },
};

/** Numbers from a seed: never twice the same in a test. */
function nonces(random: Random): () => string {
  return () =>
    Array.from({ length: NONCE_BYTES }, () =>
      drawIndex(random, 256).toString(16).padStart(2, '0'),
    ).join('');
}

function newHome(drawNonce: () => string): HomeHandshake {
  return new HomeHandshake({ proof: proofOf(1), version: '0.1.0', inside, drawNonce });
}

function newEndpoint(drawNonce: () => string): EndpointHandshake {
  return new EndpointHandshake({ proof: proofOf(1), version: '0.1.0', drawNonce });
}

/** A home that wants something, an endpoint, and what passes between them by hand. */
function pair(seed = 1) {
  const drawNonce = nonces(seededRandom(seed));
  const [home, endpoint] = [newHome(drawNonce), newEndpoint(drawNonce)];
  home.want({ upload: shape, download: shape, maxDelayMs: 5000, standingSlots: null });
  /** Lets the endpoint answer a hello; null when it says nothing. */
  const answer = (datagram: Uint8Array, nowMs: number, to = endpoint): Uint8Array | null => {
    const heard = to.receive(datagram, null, nowMs);
    if (heard?.kind === 'challenge') return heard.datagram;
    return heard ? to.welcome(heard.hello, inner, report, 512) : null;
  };
  return { home, endpoint, drawNonce, answer };
}

/** Goes through the handshake; the datagrams in order. */
function shakeHands({ home, answer }: ReturnType<typeof pair>, nowMs = 0): Uint8Array[] {
  const hello = home.hello(0)!.datagram;
  const challenge = answer(hello, nowMs)!;
  home.receive(challenge, nowMs);
  const again = home.hello(0)!.datagram;
  const welcome = answer(again, nowMs)!;
  home.receive(welcome, nowMs);
  return [hello, challenge, again, welcome];
}

test('a first hello changes nothing; the second, with the nonce, is welcome', (t) => {
  const { home, endpoint, answer } = pair();
  const { datagram: hello, pauseMs } = home.hello(0)!;
  const challenge = endpoint.receive(hello, null, 0);
  if (challenge?.kind !== 'challenge') return t.fail();
  t.deepEqual(home.receive(challenge.datagram, 10), { kind: 'again' });
  t.false(home.answered);
  const again = home.hello(0)!;
  t.is(again.pauseMs, pauseMs, 'still urgent');
  const welcome = answer(again.datagram, 20)!;
  const heard = home.receive(welcome, 30);
  t.is(heard?.kind, 'welcome');
  t.deepEqual(heard?.kind === 'welcome' && heard.welcome.inner, inner);
  t.true(home.answered);
  t.is(home.silentMs(40), 10);
  t.true(home.hello(0)!.pauseMs > pauseMs, 'no longer urgent');
});

test('later hellos need no challenge', (t) => {
  const hands = pair();
  shakeHands(hands);
  for (let nowMs = 2000; nowMs < 10_000; nowMs += 2000) {
    const heard = hands.home.receive(hands.answer(hands.home.hello(0)!.datagram, nowMs)!, nowMs);
    t.is(heard?.kind, 'welcome');
  }
});

test('a challenge is no larger than the hello, and as large as the packets of a stream that stands', (t) => {
  const { home, endpoint } = pair();
  home.want({
    upload: { ...shape, packetBytes: 256 },
    download: { ...shape, packetBytes: 256 },
    maxDelayMs: 5000,
    standingSlots: null,
  });
  const small = endpoint.receive(home.hello(0)!.datagram, null, 0);
  t.is(small?.kind === 'challenge' && small.datagram.length, 228);
  const inStream = endpoint.receive(home.hello(0)!.datagram, 512, 1000);
  t.is(inStream?.kind === 'challenge' && inStream.datagram.length, 484);
});

test('a home that is refused hears why, asks at an easy pace, and is welcome once it asks for less', (t) => {
  const hands = pair();
  const { home, endpoint, answer } = hands;
  shakeHands(hands);
  const refusal = { code: 'down', asked: 400, allowed: 40 } as const;
  const wish = { upload: shape, download: shape, maxDelayMs: 5000, standingSlots: null };
  home.want({ ...wish, download: { ...shape, rateKBps: 400 } });
  const urgent = home.hello(1000)!;
  const heard = endpoint.receive(urgent.datagram, 512, 1000);
  if (heard?.kind !== 'hello') return t.fail();
  const refused = endpoint.refuse(heard.hello, refusal, 512);
  t.is(refused.length, 484, 'in a slot of the stream that goes on');
  t.is(endpoint.refuse(heard.hello, refusal, null).length, 228);
  t.deepEqual(home.receive(refused, 1010), { kind: 'refused', refusal });
  t.is(home.receive(refused, 1020), null, 'once');
  t.false(home.answered);
  t.true(home.hello(1030)!.pauseMs > urgent.pauseMs);
  // However long that lasts it says nothing of the sizes that pass.
  for (let nowMs = 2000; nowMs < 60_000; nowMs += 2000) {
    const { datagram } = home.hello(nowMs)!;
    t.is(datagram.length, 484);
    const again = endpoint.receive(datagram, null, nowMs);
    if (again?.kind !== 'hello') return t.fail();
    home.receive(endpoint.refuse(again.hello, refusal, null), nowMs);
  }
  t.is(home.smallerBytes, null);
  home.want(wish);
  t.is(home.receive(answer(home.hello(60_000)!.datagram, 60_000)!, 60_010)?.kind, 'welcome');
});

test('once the tunnel is back the endpoint is asked at once, and soon again until it answers', (t) => {
  const hands = pair();
  const { home } = hands;
  shakeHands(hands);
  const wish = { upload: shape, download: shape, maxDelayMs: 5000, standingSlots: null };
  t.true(home.want({ ...wish, tunnelSinceS: 70 }));
  t.false(home.want({ ...wish, tunnelSinceS: 70 }));
  const urgentMs = home.hello(1000)!.pauseMs;
  shakeHands(hands);
  t.true(home.hello(2000)!.pauseMs > urgentMs);
  t.true(home.want({ ...wish, tunnelSinceS: 90 }));
  t.is(home.hello(3000)!.pauseMs, urgentMs);
});

test('hellos that come faster than challenges may are not answered', (t) => {
  const { home, endpoint } = pair();
  let answers = 0;
  for (let nowMs = 0; nowMs < 1000; nowMs += 10) {
    if (endpoint.receive(home.hello(0)!.datagram, null, nowMs)) answers++;
  }
  t.is(answers, 5);
});

test('a challenge repeated is the same one, so that answers under way stay good', (t) => {
  const { home, endpoint, answer } = pair();
  const [first, second] = [home.hello(0)!.datagram, home.hello(0)!.datagram];
  const [one, two] = [answer(first, 0)!, answer(second, 300)!];
  t.deepEqual(home.receive(two, 310), { kind: 'again' });
  t.is(home.receive(one, 320), null, 'overtaken');
  t.is(endpoint.receive(home.hello(0)!.datagram, null, 330)?.kind, 'hello');
});

test('a challenge that was asked for twice is answered once', (t) => {
  const { home, answer } = pair();
  const [first, second] = [home.hello(0)!.datagram, home.hello(0)!.datagram];
  t.deepEqual(home.receive(answer(first, 0)!, 10), { kind: 'again' });
  t.is(home.receive(answer(second, 300)!, 310), null);
});

test('a challenge nobody answered in two minutes is void', (t) => {
  const { home, endpoint, answer } = pair();
  home.receive(answer(home.hello(0)!.datagram, 0)!, 0);
  const late = home.hello(0)!.datagram;
  t.is(endpoint.receive(late, null, 120_000)?.kind, 'challenge');
});

test('every recorded message is refused at both ends, while the run goes on and after it', (t) => {
  const hands = pair();
  const { home, endpoint, drawNonce } = hands;
  const recorded = shakeHands(hands);
  recorded.push(...shakeOn(hands, 2000));
  for (const datagram of recorded) {
    t.not(endpoint.receive(datagram, 512, 5000)?.kind, 'hello');
    t.is(home.receive(datagram, 5000), null);
  }
  t.true(home.answered, 'nothing of it disturbed the home');
  t.is(hands.home.receive(hands.answer(home.hello(0)!.datagram, 6000)!, 6000)?.kind, 'welcome');
  const [nextHome, nextEndpoint] = [newHome(drawNonce), newEndpoint(drawNonce)];
  nextHome.want({ upload: shape, download: shape, maxDelayMs: 5000, standingSlots: null });
  nextHome.hello(0);
  for (const [index, datagram] of recorded.entries()) {
    t.not(nextEndpoint.receive(datagram, 512, 10_000 + 1000 * index)?.kind, 'hello');
    t.is(nextHome.receive(datagram, 10_000), null);
  }
});

function shakeOn({ home, answer }: ReturnType<typeof pair>, nowMs: number): Uint8Array[] {
  const hello = home.hello(0)!.datagram;
  const welcome = answer(hello, nowMs)!;
  home.receive(welcome, nowMs);
  return [hello, welcome];
}

test('another run of the home takes over by its answer to a challenge only', (t) => {
  const hands = pair();
  shakeHands(hands);
  const next = newHome(hands.drawNonce);
  next.want({
    upload: shape,
    download: { ...shape, rateKBps: 5 },
    maxDelayMs: 5000,
    standingSlots: null,
  });
  const challenge = hands.answer(next.hello(0)!.datagram, 1000)!;
  // The old run is still the one that counts.
  t.is(
    hands.home.receive(hands.answer(hands.home.hello(0)!.datagram, 1100)!, 1100)?.kind,
    'welcome',
  );
  t.is(next.receive(challenge, 1200)?.kind, 'again');
  t.is(next.receive(hands.answer(next.hello(0)!.datagram, 1300)!, 1300)?.kind, 'welcome');
  const old = hands.endpoint.receive(hands.home.hello(0)!.datagram, 512, 1400);
  t.is(old?.kind, 'challenge', 'now the old run is the unknown one');
});

test('after the endpoint’s restart the home is asked again and says so at once', (t) => {
  const hands = pair();
  shakeHands(hands);
  const next = newEndpoint(hands.drawNonce);
  const challenge = hands.answer(hands.home.hello(0)!.datagram, 3000, next)!;
  t.deepEqual(hands.home.receive(challenge, 3010), { kind: 'again' });
  t.false(hands.home.answered);
  t.is(
    hands.home.receive(hands.answer(hands.home.hello(0)!.datagram, 3020, next)!, 3030)?.kind,
    'welcome',
  );
});

test('hellos that overtook each other count in their order only', (t) => {
  const hands = pair();
  shakeHands(hands);
  const [older, newer] = [hands.home.hello(0)!.datagram, hands.home.hello(0)!.datagram];
  t.is(hands.endpoint.receive(newer, 512, 3000)?.kind, 'hello');
  t.is(hands.endpoint.receive(older, 512, 3001), null);
  t.is(hands.endpoint.receive(newer, 512, 3002), null);
});

test('an old challenge does not bring an old nonce back', (t) => {
  const hands = pair();
  const { home, drawNonce, answer } = hands;
  const old = answer(home.hello(0)!.datagram, 0)!;
  home.receive(old, 0);
  const next = newEndpoint(drawNonce);
  t.is(home.receive(answer(home.hello(0)!.datagram, 1000, next)!, 1000)?.kind, 'again');
  t.is(home.receive(old, 1100), null);
  t.is(home.receive(answer(home.hello(0)!.datagram, 1200, next)!, 1200)?.kind, 'welcome');
});

test('another nonce than the one that counts is none, whoever names it', (t) => {
  const hands = pair();
  const { home, endpoint, answer } = hands;
  const [, , counted, welcomed] = shakeHands(hands);
  const endpointNonce = 'cd'.repeat(NONCE_BYTES);
  const changed = (datagram: Uint8Array, more: number): Uint8Array => {
    const message = decodeControl(datagram, proofOf(1))!;
    const sequence = message.sequence + more;
    return encodeControl({ ...message, endpointNonce, sequence }, 512, proofOf(1));
  };
  t.is(endpoint.receive(changed(counted!, 1), 512, 1000)?.kind, 'challenge');
  const hello = home.hello(0)!.datagram;
  t.is(home.receive(changed(welcomed!, 1), 2000), null);
  t.is(home.receive(answer(hello, 2000)!, 2000)?.kind, 'welcome');
});

test('what the endpoint may not assign is told once a minute, and leaves the home unanswered', (t) => {
  const hands = pair();
  const { home, endpoint } = hands;
  home.receive(hands.answer(home.hello(0)!.datagram, 0)!, 0);
  const foreign = { ...inner, prefix4: '192.168.1.0/24' };
  const heard: HomeHeard[] = [];
  for (let nowMs = 1000; nowMs < 120_000; nowMs += 1000) {
    const accepted = endpoint.receive(home.hello(0)!.datagram, 512, nowMs);
    if (accepted?.kind !== 'hello') return t.fail();
    heard.push(home.receive(endpoint.welcome(accepted.hello, foreign, report, 512), nowMs));
  }
  const faults = heard.filter((one) => one !== null);
  t.is(faults.length, 2);
  t.regex(faults[0]?.kind === 'fault' ? wordsOf(faults[0].fault) : '', /192\.168\.1\.0\/24/);
  t.false(home.answered);
  t.is(home.silentMs(120_000), Number.POSITIVE_INFINITY);
});

test('nothing is said before something is wanted', (t) => {
  t.is(newHome(nonces(seededRandom(3))).hello(0), null);
});

interface Datagram {
  atMs: number;
  to: 'home' | 'endpoint';
  bytes: Uint8Array;
}

/** One seeded life of both ends; {@link World.run} lets time pass. */
class World {
  readonly #t: ExecutionContext;
  readonly random: Random;
  readonly #drawNonce: () => string;
  readonly #own = new Set<string>();
  readonly #recorded: Uint8Array[] = [];
  #flying: Datagram[] = [];
  home: HomeHandshake;
  endpoint: EndpointHandshake;
  nowMs = 0;
  #helloAtMs = 0;
  #rateKBps = 1;
  /** What the endpoint was told last, and in which run of the home. */
  inForce: Hello | null = null;
  #runs = new Map<string, number>();
  #lastRun = -1;
  #lastSequence = 0;
  #welcomed = 0;
  readonly #acceptedEver = new Set<string>();
  accepted = 0;
  refused = 0;

  constructor(t: ExecutionContext, seed: number) {
    this.#t = t;
    this.random = seededRandom(seed);
    this.#drawNonce = nonces(seededRandom(seed, 1));
    this.home = newHome(this.#drawNonce);
    this.endpoint = newEndpoint(this.#drawNonce);
    this.want();
  }

  want(): void {
    const download = { ...shape, rateKBps: ++this.#rateKBps };
    if (this.home.want({ upload: shape, download, maxDelayMs: 5000, standingSlots: null }))
      this.#helloAtMs = this.nowMs;
  }

  restartHome(): void {
    this.home = newHome(this.#drawNonce);
    this.#welcomed = 0;
    this.want();
  }

  restartEndpoint(): void {
    this.endpoint = newEndpoint(this.#drawNonce);
    this.inForce = null;
  }

  /** Somebody sends a message of old, as it was or changed, or one of another home, either way. */
  attack(): void {
    const { random } = this;
    if (this.#recorded.length === 0) return;
    let bytes = this.#recorded[drawIndex(random, this.#recorded.length)]!;
    const choice = random();
    if (choice < 0.2) {
      bytes = bytes.slice();
      bytes[drawIndex(random, bytes.length)]! ^= 1 << drawIndex(random, 8);
    } else if (choice < 0.3) {
      const message = decodeControl(bytes, proofOf(1))!;
      bytes = encodeControl(message, 512, random() < 0.5 ? proofOf(2) : proofOf(1, '10.213.0.3'));
    }
    const to = random() < 0.5 ? 'home' : 'endpoint';
    this.#flying.push({ atMs: this.nowMs, to, bytes });
  }

  /** Lets time pass; each datagram is lost with this chance, or comes twice. */
  run(untilMs: number, loss: number, trouble: () => void): void {
    while (this.nowMs < untilMs) {
      this.nowMs += 10;
      trouble();
      if (this.nowMs >= this.#helloAtMs) this.#sayHello(loss);
      const due = this.#flying.filter(({ atMs }) => atMs <= this.nowMs);
      if (due.length === 0) continue;
      this.#flying = this.#flying.filter(({ atMs }) => atMs > this.nowMs);
      for (const { to, bytes } of due.sort((a, b) => a.atMs - b.atMs)) {
        if (to === 'home') this.#atHome(bytes, loss);
        else this.#atEndpoint(bytes, loss);
      }
    }
  }

  #send(to: Datagram['to'], bytes: Uint8Array, loss: number): void {
    this.#recorded.push(bytes);
    this.#own.add(Buffer.from(bytes).toString('base64'));
    for (let copies = this.random() < 0.1 ? 2 : 1; copies > 0; copies--) {
      if (this.random() < loss) continue;
      // Now and again one takes long enough for a dozen to overtake it.
      const delayMs = this.random() < 0.1 ? 10_000 * this.random() : 200 * this.random();
      this.#flying.push({ atMs: this.nowMs + delayMs, to, bytes });
    }
  }

  #sayHello(loss: number): void {
    const next = this.home.hello(0)!;
    const hello = decodeControl(next.datagram, proofOf(1))!;
    if (!this.#runs.has(hello.homeNonce)) this.#runs.set(hello.homeNonce, this.#runs.size);
    this.#helloAtMs = this.nowMs + next.pauseMs;
    this.#send('endpoint', next.datagram, loss);
  }

  #isOwn(bytes: Uint8Array): boolean {
    return this.#own.has(Buffer.from(bytes).toString('base64'));
  }

  #atEndpoint(bytes: Uint8Array, loss: number): void {
    const heard = this.endpoint.receive(bytes, null, this.nowMs);
    if (heard?.kind === 'challenge') this.#send('home', heard.datagram, loss);
    if (heard?.kind !== 'hello') {
      this.refused++;
      return;
    }
    const { hello } = heard;
    const run = this.#runs.get(hello.homeNonce) ?? -1;
    const name = `${run} ${hello.sequence}`;
    if (!this.#isOwn(bytes)) this.#t.fail(`forged: ${name}`);
    if (this.#acceptedEver.has(name)) this.#t.fail(`accepted twice: ${name}`);
    if (run < this.#lastRun || (run === this.#lastRun && hello.sequence <= this.#lastSequence)) {
      this.#t.fail(
        `an older hello after a newer one: ${name} after ${this.#lastRun} ${this.#lastSequence}`,
      );
    }
    this.#acceptedEver.add(name);
    [this.#lastRun, this.#lastSequence] = [run, hello.sequence];
    this.inForce = hello;
    this.accepted++;
    this.#send('home', this.endpoint.welcome(hello, inner, report, 512), loss);
  }

  #atHome(bytes: Uint8Array, _loss: number): void {
    const heard = this.home.receive(bytes, this.nowMs);
    if (heard?.kind === 'again') this.#helloAtMs = this.nowMs;
    if (heard?.kind !== 'welcome') return;
    if (!this.#isOwn(bytes)) this.#t.fail('a forged welcome');
    if (heard.welcome.sequence <= this.#welcomed) this.#t.fail('a welcome of old');
    this.#welcomed = heard.welcome.sequence;
  }

  get agrees(): boolean {
    return this.home.answered && this.inForce?.download.rateKBps === this.#rateKBps;
  }
}

test('whatever is lost, replayed, forged or restarted, only fresh hellos count, and both ends agree in the end', (t) => {
  let [accepted, refused] = [0, 0];
  const worlds = runs(60);
  for (let seed = 0; seed < worlds; seed++) {
    const world = new World(t, seed);
    const loss = 0.6 * world.random();
    world.run(120_000, loss, () => {
      const chance = world.random();
      if (chance < 0.001) world.restartHome();
      else if (chance < 0.002) world.restartEndpoint();
      else if (chance < 0.003) world.want();
      else if (chance < 0.05) world.attack();
    });
    // The attacker goes on, at fifteen datagrams a second.
    const calmMs = world.nowMs;
    world.run(calmMs + 15_000, 0, () => {
      if (world.random() < 0.15) world.attack();
    });
    t.true(world.agrees, `seed ${seed}, loss ${loss.toFixed(2)}`);
    accepted += world.accepted;
    refused += world.refused;
  }
  t.true(accepted > 15 * worlds, `${accepted} accepted`);
  t.true(refused > 15 * worlds, `${refused} refused`);
});

test('without attacks both ends agree within ten seconds, though datagrams overtake each other', (t) => {
  for (let seed = 0; seed < 20; seed++) {
    const world = new World(t, seed);
    const untilMs = 10_000;
    world.run(untilMs, 0, () => {});
    t.true(world.agrees);
    t.true(world.home.silentMs(world.nowMs) < untilMs);
  }
});
