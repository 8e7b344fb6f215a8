// Cover with nothing to hold it back: it must stop itself.
import { createSocket } from 'node:dgram';
import test from 'ava';
import { wordsOf } from '../../src/core/notices/words.ts';
import { COVER_PORT } from '../../src/core/plan/names.ts';
import { openNetdevCounter } from '../../src/shell/network/netdev.ts';
import { chargedBytes } from '../../src/shell/shaper/buffered-sockets.ts';
import { Cover } from '../../src/shell/shaper/cover.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import type { System } from '../../src/shell/system/system.ts';
import { notRun } from '../not-run.ts';
import { VirtualTime } from '../stand-ins/fake-system/virtual-time.ts';
import { ownEnds } from '../stand-ins/loopback.ts';

test('what a queued datagram is charged', (t) => {
  t.is(chargedBytes(512), 1280);
  t.is(chargedBytes(256), 1280);
  t.is(chargedBytes(1400), 2304);
});

test('without a queue that holds it back, cover stops itself and says so', async (t) => {
  const [local, peer] = ownEnds();
  const sink = createSocket('udp4');
  const bound = await new Promise<boolean>((resolve) => {
    sink.once('error', () => resolve(false));
    sink.bind(COVER_PORT, peer, () => resolve(true));
  });
  if (!bound) {
    notRun(t, 'port 9 needs root');
    return;
  }
  t.teardown(() => sink.close());
  const sizes = new Set<number>();
  sink.on('message', (datagram) => sizes.add(datagram.length));
  const faults: string[] = [];
  const packetsPerS = 78.125;
  const sent = openNetdevCounter(nodeSystem, 'lo', 'tx_bytes');
  t.teardown(() => sent.close());
  const cover = await new Promise<Cover>((resolve, reject) => {
    const one: Cover = new Cover({
      system: nodeSystem,
      local,
      peer,
      packetBytes: 512,
      packetsPerS,
      beatMs: 0,
      kernel: () => ({
        atMs: performance.now(),
        sentBytes: sent.read(),
        bytesPerS: 512 * packetsPerS,
      }),
      onFault: (fault) => {
        faults.push(wordsOf(fault));
        resolve(one);
      },
    });
    t.teardown(() => one.close());
    one.open().catch(reject);
  });
  t.deepEqual(faults, ['cover leaves faster than the rate: nothing holds it back']);
  t.true(cover.sent > 16, 'less may leave ahead of the rate by chance');
  const sentBefore = cover.sent;
  await new Promise((resolve) => setTimeout(resolve, 100)); // what must not happen has no event
  t.is(cover.sent, sentBefore);
  t.true(sentBefore < 3 * packetsPerS, `${sentBefore} sent before it noticed`);
  t.deepEqual([...sizes], [484]);
});

test('a peer that refuses is told as a fault, again and again, until closed', async (t) => {
  let faults = 0;
  const [local, peer] = ownEnds();
  await new Promise<void>((resolve, reject) => {
    const cover = new Cover({
      system: nodeSystem,
      local,
      peer,
      packetBytes: 256,
      packetsPerS: 10,
      beatMs: 0,
      kernel: () => ({ atMs: performance.now(), sentBytes: 0, bytesPerS: 2560 }),
      onFault: (fault) => {
        const text = wordsOf(fault);
        if (!/^empty packets can't be sent|^the tunnel’s network device is gone/.test(text))
          reject(new Error(text));
        if (++faults < 2) return;
        cover.close();
        resolve();
      },
    });
    cover.open().catch(reject);
  });
  t.is(faults, 2);
});

/** Cover on a machine that takes everything at once, whose kernel has sent what the test says. */
async function coverOn(sentBytes: (atMs: number) => number | null, beatMs = 0) {
  const time = new VirtualTime();
  const faults: string[] = [];
  let taken = 0;
  let room = 0;
  const waiting: (() => void)[] = [];
  const take = (): void => {
    for (; room > 0 && waiting.length > 0; room--) time.timers.soon(waiting.shift()!);
  };
  const system = {
    ...nodeSystem,
    ...{ clock: time.clock, timers: time.timers },
    sockets: {
      openUdp: async () => ({
        send: (_: Uint8Array, done: (error: null) => void) => {
          waiting.push(() => {
            taken++;
            done(null);
          });
          take();
        },
        setSendBuffer: () => {},
        sendBufferBytes: () => 1280 * 200,
        close: () => {},
      }),
    },
  } as unknown as System;
  const cover = new Cover({
    ...{ system, local: '10.213.0.2', peer: '10.213.0.1', packetBytes: 512, packetsPerS: 78.125 },
    beatMs,
    kernel: () => ({ atMs: time.nowMs, sentBytes: sentBytes(time.nowMs), bytesPerS: 40_000 }),
    onFault: (fault) => faults.push(wordsOf(fault)),
  });
  await cover.open();
  /** The queue has room for so many more. */
  const makeRoom = async (packets: number): Promise<void> => {
    room += packets;
    take();
    await time.advance(10);
  };
  return { time, faults, cover, makeRoom, taken: () => taken };
}

test('a queue that is emptied, again and again, is no stream that runs', async (t) => {
  const { time, faults, makeRoom, taken } = await coverOn((atMs) => atMs * 40);
  await makeRoom(200);
  for (let count = 0; count < 5; count++) {
    await makeRoom(200);
    await time.advance(1000);
    await makeRoom(78);
  }
  t.deepEqual(faults, []);
  // What was lost is made up for slowly, lest it leave at once.
  t.true(taken() > 650, `${taken()} of 1590`);
});

test('nor is one whose netdev is away, whatever is taken', async (t) => {
  const { time, faults, makeRoom } = await coverOn(() => null);
  await makeRoom(2000);
  await time.advance(1000);
  t.deepEqual(faults, []);
});

test('what the kernel itself has sent too fast is', async (t) => {
  let sent = 0;
  const { time, faults, makeRoom, taken } = await coverOn(() => sent);
  await makeRoom(200);
  sent = 5000 * 512;
  await makeRoom(5000);
  await time.advance(1000);
  t.deepEqual(faults, ['cover leaves faster than the rate: nothing holds it back']);
  t.true(taken() < 300, `${taken()} taken before it noticed`);
});

test('after a pause no more than two are handed over before it is seen whether they leave', async (t) => {
  const { time, cover, makeRoom, taken } = await coverOn((atMs) => atMs * 40, 16);
  await makeRoom(200);
  await makeRoom(1000);
  // Paused for so long that more would be due.
  await time.advance(1000);
  const before = taken();
  cover.beat();
  cover.beat();
  await time.advance(1);
  t.is(taken() - before, 2);
  // What was due comes with the next draws.
  for (let beats = 0; beats < 3; beats++) {
    await time.advance(10);
    cover.beat();
  }
  await time.advance(1);
  t.true(taken() - before > 4, `${taken() - before}`);
});
