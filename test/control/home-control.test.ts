// The home's control socket against a stand-in endpoint on loopback addresses.
import { createSocket, type Socket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import { HomeControl } from '../../src/control/home-control.ts';
import {
  decodeControl,
  encodeControl,
  type Hello,
  type Welcome,
} from '../../src/control/message.ts';
import { CONTROL_PORT } from '../../src/plan/names.ts';

const shape = { rateKBps: 40, packetBytes: 512, sdPercent: 30 };

function welcome(sequence: number): Welcome {
  return {
    kind: 'welcome',
    sequence,
    version: '0.1.0',
    inner: { prefix4: '10.214.2.0/24', prefix6: null, resolver4: '10.214.0.1', resolver6: null },
    queuePackets: 0,
    queueMs: 0,
    dropped: 0,
  };
}

/** An endpoint that collects hellos; `next` is the next one. */
async function standIn(t: ExecutionContext, address: string) {
  const hellos: { hello: Hello; bytes: number; port: number; from: string }[] = [];
  const waiting: (() => void)[] = [];
  const socket: Socket = createSocket('udp4');
  socket.on('message', (datagram, { address: from, port }) => {
    const hello = decodeControl(datagram);
    if (hello?.kind === 'hello') hellos.push({ hello, bytes: datagram.length, port, from });
    waiting.shift()?.();
  });
  await new Promise<void>((resolve) => socket.bind(CONTROL_PORT, address, resolve));
  t.teardown(() => socket.close());
  const next = async () => {
    if (hellos.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    return hellos.shift()!;
  };
  const answer = (message: Welcome, to: string): void => {
    socket.send(encodeControl(message, 512), CONTROL_PORT, to);
  };
  return { next, answer };
}

async function openControl(t: ExecutionContext, local: string, peer: string) {
  let heard = (_: Welcome): void => {};
  const control = new HomeControl({
    local,
    peer,
    version: '0.1.0',
    onWelcome: (message) => heard(message),
  });
  await control.start();
  t.teardown(() => control.close());
  const answered = () =>
    new Promise<Welcome>((resolve) => {
      heard = resolve;
    });
  return { control, answered };
}

test('what is wanted is said at once in one slot’s size, and again until it is answered', async (t) => {
  const [local, peer] = ['127.0.8.1', '127.0.8.2'];
  const endpoint = await standIn(t, peer);
  const { control, answered } = await openControl(t, local, peer);
  t.is(control.silentMs(performance.now()), Number.POSITIVE_INFINITY);
  control.want(shape, { ...shape, rateKBps: 80 }, 5000);
  const first = await endpoint.next();
  t.like(first, { bytes: 484, port: CONTROL_PORT, from: local });
  t.deepEqual(first.hello.download, { ...shape, rateKBps: 80 });
  t.is(first.hello.maxDelayMs, 5000);
  t.false(control.answered);
  const second = await endpoint.next();
  t.is(second.hello.sequence, first.hello.sequence + 1);
  const heard = answered();
  endpoint.answer(welcome(second.hello.sequence), local);
  t.is((await heard).inner.prefix4, '10.214.2.0/24');
  t.true(control.answered);
  t.true(control.silentMs(performance.now()) < 5000);
});

test('an answer to an older wish, or to none, is no answer', async (t) => {
  const [local, peer] = ['127.0.9.1', '127.0.9.2'];
  const endpoint = await standIn(t, peer);
  const { control, answered } = await openControl(t, local, peer);
  control.want(shape, shape, 5000);
  const old = await endpoint.next();
  control.want(shape, { ...shape, rateKBps: 5 }, 5000);
  const current = await endpoint.next();
  t.true(current.hello.sequence > old.hello.sequence);
  const heard = answered();
  endpoint.answer(welcome(old.hello.sequence), local);
  endpoint.answer(welcome(current.hello.sequence + 5), local);
  endpoint.answer(welcome(current.hello.sequence), local);
  t.is((await heard).sequence, current.hello.sequence);
});

test('the same wish again says nothing new', async (t) => {
  const [local, peer] = ['127.0.10.1', '127.0.10.2'];
  const endpoint = await standIn(t, peer);
  const { control, answered } = await openControl(t, local, peer);
  control.want(shape, shape, 5000);
  const { hello } = await endpoint.next();
  const heard = answered();
  endpoint.answer(welcome(hello.sequence), local);
  await heard;
  control.want({ ...shape }, { ...shape }, 5000);
  t.true(control.answered);
});
