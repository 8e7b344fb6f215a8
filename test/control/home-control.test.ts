// The home's control socket against a stand-in endpoint on loopback addresses.
import { createSocket, type Socket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import {
  type ControlMessage,
  decodeControl,
  encodeControl,
  type Hello,
  NO_NONCE,
  type Welcome,
} from '../../src/core/control/message.ts';
import { Proof } from '../../src/core/control/proof.ts';
import type { Refusal } from '../../src/core/control/refusal.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { CONTROL_PORT } from '../../src/core/plan/names.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { hmacSha256 } from '../../src/shell/control/hmac.ts';
import { HomeControl } from '../../src/shell/control/home-control.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { ownAddress, ownEnds } from '../stand-ins/loopback.ts';
import { inner, inside, keyOf } from './proofs.ts';

const shape: Shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 };
const NONCE = '0123456789ab'.repeat(2);

function welcome({ homeNonce, endpointNonce, sequence }: Hello): Welcome {
  return {
    kind: 'welcome',
    homeNonce,
    endpointNonce,
    sequence,
    version: '0.1.0',
    inner,
    queuePackets: 0,
    queueMs: 0,
    dropped: 0,
    ...{ received: null, troubles: [], wholeBytes: null },
  };
}

/** An endpoint that collects hellos; `next` is the next one. */
async function standIn(t: ExecutionContext, address: string, home: string) {
  const proof = new Proof(hmacSha256, keyOf(1), home);
  const hellos: { hello: Hello; bytes: number; port: number; from: string }[] = [];
  const waiting: (() => void)[] = [];
  const socket: Socket = createSocket('udp4');
  socket.on('message', (datagram, { address: from, port }) => {
    const hello = decodeControl(datagram, proof);
    if (hello?.kind === 'hello') hellos.push({ hello, bytes: datagram.length, port, from });
    waiting.shift()?.();
  });
  await new Promise<void>((resolve) => socket.bind(CONTROL_PORT, address, resolve));
  t.teardown(() => socket.close());
  const next = async () => {
    if (hellos.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    return hellos.shift()!;
  };
  const answer = (message: ControlMessage, by = proof): void => {
    socket.send(encodeControl(message, 512, by), CONTROL_PORT, home);
  };
  return { next, answer };
}

async function openControl(t: ExecutionContext, local: string, peer: string) {
  let heard = (_: Welcome): void => {};
  let failed = (_: string): void => {};
  let refused = (_: Refusal): void => {};
  const control = new HomeControl({
    system: nodeSystem,
    local,
    peer,
    version: '0.1.0',
    key: keyOf(1),
    inside,
    onWelcome: (message) => heard(message),
    onUnsent: () => {},
    onRefused: (refusal) => refused(refusal),
    onFault: (fault) => failed(wordsOf(fault)),
  });
  await control.start();
  t.teardown(() => control.close());
  const answered = () =>
    new Promise<Welcome>((resolve) => {
      heard = resolve;
    });
  const fault = () =>
    new Promise<string>((resolve) => {
      failed = resolve;
    });
  const refusal = () =>
    new Promise<Refusal>((resolve) => {
      refused = resolve;
    });
  return { control, answered, refusal, fault };
}

test('what is wanted is said at once in one slot’s size, and again until it is answered', async (t) => {
  const [local, peer] = ownEnds();
  const endpoint = await standIn(t, peer, local);
  const { control, answered } = await openControl(t, local, peer);
  t.is(control.silentMs(performance.now()), Number.POSITIVE_INFINITY);
  control.want({
    upload: shape,
    download: { ...shape, rateKBps: 80 },
    maxDelayMs: 5000,
    standingSlots: null,
  });
  const first = await endpoint.next();
  t.like(first, { bytes: 484, port: CONTROL_PORT, from: local });
  t.deepEqual(first.hello.download, { ...shape, rateKBps: 80 });
  t.is(first.hello.maxDelayMs, 5000);
  t.false(control.answered);
  const second = await endpoint.next();
  t.is(second.hello.sequence, first.hello.sequence + 1);
  const heard = answered();
  endpoint.answer(welcome(second.hello));
  t.is((await heard).inner.prefix4, '10.214.2.0/24');
  t.true(control.answered);
  t.true(control.silentMs(performance.now()) < 5000);
});

test('a challenge is answered at once, with its nonce', async (t) => {
  const [local, peer] = ownEnds();
  const endpoint = await standIn(t, peer, local);
  const { control } = await openControl(t, local, peer);
  control.want({ upload: shape, download: shape, maxDelayMs: 5000, standingSlots: null });
  const { hello } = await endpoint.next();
  t.is(hello.endpointNonce, NO_NONCE);
  const { homeNonce, sequence } = hello;
  const beganMs = performance.now();
  endpoint.answer({ kind: 'challenge', homeNonce, sequence, endpointNonce: NONCE });
  const again = await endpoint.next();
  t.true(performance.now() - beganMs < 500, 'well before the next hello was due');
  t.like(again.hello, { endpointNonce: NONCE, homeNonce, sequence: sequence + 1 });
  t.false(control.answered);
});

test('an answer to an older wish, or to none, is no answer', async (t) => {
  const [local, peer] = ownEnds();
  const endpoint = await standIn(t, peer, local);
  const { control, answered } = await openControl(t, local, peer);
  control.want({ upload: shape, download: shape, maxDelayMs: 5000, standingSlots: null });
  const old = await endpoint.next();
  control.want({
    upload: shape,
    download: { ...shape, rateKBps: 5 },
    maxDelayMs: 5000,
    standingSlots: null,
  });
  const current = await endpoint.next();
  t.true(current.hello.sequence > old.hello.sequence);
  const heard = answered();
  endpoint.answer(welcome(old.hello));
  endpoint.answer({ ...welcome(current.hello), sequence: current.hello.sequence + 5 });
  endpoint.answer(welcome(current.hello));
  t.is((await heard).sequence, current.hello.sequence);
});

test('the same wish again says nothing new', async (t) => {
  const [local, peer] = ownEnds();
  const endpoint = await standIn(t, peer, local);
  const { control, answered } = await openControl(t, local, peer);
  control.want({ upload: shape, download: shape, maxDelayMs: 5000, standingSlots: null });
  const { hello } = await endpoint.next();
  const heard = answered();
  endpoint.answer(welcome(hello));
  await heard;
  control.want({
    upload: { ...shape },
    download: { ...shape },
    maxDelayMs: 5000,
    standingSlots: null,
  });
  t.true(control.answered);
});

test('who speaks from the endpoint’s address without its key changes nothing', async (t) => {
  const [local, peer] = ownEnds();
  const endpoint = await standIn(t, peer, local);
  const { control, answered } = await openControl(t, local, peer);
  control.want({ upload: shape, download: shape, maxDelayMs: 5000, standingSlots: null });
  const { hello } = await endpoint.next();
  const heard = answered();
  const evil = { ...inner, prefix4: '10.214.66.0/24', resolver4: '10.214.66.66' };
  const stranger = new Proof(hmacSha256, keyOf(2), local);
  const neighbour = new Proof(hmacSha256, keyOf(1), ownAddress());
  for (const by of [stranger, neighbour]) {
    endpoint.answer({ ...welcome(hello), inner: evil }, by);
    endpoint.answer({ ...welcome(hello), kind: 'challenge', endpointNonce: NONCE }, by);
  }
  endpoint.answer(hello); // its own words come back
  endpoint.answer({ ...welcome(hello), homeNonce: NONCE, inner: evil }); // recorded before the home's restart
  endpoint.answer(welcome(hello));
  // Datagrams between two sockets of one machine keep their order: all others have been read.
  t.deepEqual((await heard).inner, inner);
});

test('an answer that names a foreign network is a fault, and no answer', async (t) => {
  const [local, peer] = ownEnds();
  const endpoint = await standIn(t, peer, local);
  const { control, fault } = await openControl(t, local, peer);
  control.want({ upload: shape, download: shape, maxDelayMs: 5000, standingSlots: null });
  const { hello } = await endpoint.next();
  const text = fault();
  endpoint.answer({ ...welcome(hello), inner: { ...inner, resolver4: '192.0.2.53' } });
  t.regex(await text, /names 192\.0\.2\.53, but the profile allows 10\.214\.0\.0\/16 and/);
  t.false(control.answered);
  t.is(control.silentMs(performance.now()), Number.POSITIVE_INFINITY);
});
