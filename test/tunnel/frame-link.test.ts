// Frames over real sockets on loopback addresses: packets come out as they went in, no more than two wait in the kernel.
import { createSocket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import { EDITION_AT, FIRST, FRAME_HEADER_BYTES, FULLER } from '../../src/core/framing/frame.ts';
import { FRAME_PORT } from '../../src/core/plan/names.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { FrameLink, type FrameLinkOptions } from '../../src/shell/tunnel/frame-link.ts';
import { buildIpv4, buildIpv6 } from '../framing/ip-packets.ts';
import { ownAddress, ownEnds } from '../stand-ins/loopback.ts';

const shape: Shape = { rateKBps: 400, packetBytes: 512, mode: 'constant', sdPercent: 0 };

/** A link whose packets are collected; `until` resolves when so many are there. */
async function openLink(
  t: ExecutionContext,
  options: Pick<FrameLinkOptions, 'local' | 'peer'> & Partial<FrameLinkOptions>,
) {
  const packets: Buffer[] = [];
  let wake = (): void => {};
  const link = new FrameLink({
    system: nodeSystem,
    shape,
    maxDelayMs: 10_000,
    departures: () => 'shared',
    onPacket: (packet) => {
      packets.push(Buffer.from(packet));
      wake();
    },
    ...options,
  });
  await link.start();
  t.teardown(() => link.close());
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        if (packets.length >= count) resolve();
      };
      wake();
    });
  return { link, packets, until };
}

const ipv4 = (payload: Uint8Array) => buildIpv4([10, 0, 0, 1], [192, 0, 2, 1], payload);
const small = (n: number) => ipv4(Buffer.alloc(20 + n, n));

test('packets of any size come out whole and in order, both ways at once', async (t) => {
  const [ours, theirs] = ownEnds();
  const one = await openLink(t, { local: ours, peer: theirs });
  const two = await openLink(t, { local: theirs, peer: ours });
  const there = [small(1), ipv4(Buffer.alloc(1400, 7)), small(2), small(3)];
  const back = [buildIpv6(Array(16).fill(1), Array(16).fill(2), Buffer.alloc(1300, 9)), small(4)];
  one.link.setOpen(true);
  two.link.setOpen(true);
  for (const packet of there) one.link.enqueue('a', packet);
  for (const packet of back) two.link.enqueue('a', packet);
  await Promise.all([two.until(there.length), one.until(back.length)]);
  t.deepEqual(
    two.packets,
    there.map((packet) => Buffer.from(packet)),
  );
  t.deepEqual(
    one.packets,
    back.map((packet) => Buffer.from(packet)),
  );
  // Small packets share a frame.
  t.true(one.link.framesSent <= 4);
});

test('nothing leaves before it may, and what waited leaves then', async (t) => {
  const [ours, theirs] = ownEnds();
  const one = await openLink(t, { local: ours, peer: theirs });
  const two = await openLink(t, { local: theirs, peer: ours });
  for (let i = 0; i < 5; i++) one.link.enqueue('a', small(i));
  await new Promise((resolve) => setTimeout(resolve, 50)); // what must not happen has no event
  t.is(one.link.framesSent, 0);
  t.is(two.packets.length, 0);
  one.link.setOpen(true);
  await two.until(5);
  one.link.setOpen(false);
  one.link.enqueue('a', small(9));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.is(two.packets.length, 5);
});

/** Two ends, of which the first is told what has left its netdev. */
async function openCounted(t: ExecutionContext, rateKBps: number) {
  const [ours, theirs] = ownEnds();
  let departures = 1000;
  const one = await openLink(t, {
    local: ours,
    peer: theirs,
    shape: { ...shape, rateKBps },
    departures: () => departures,
  });
  const two = await openLink(t, { local: theirs, peer: ours });
  return {
    one,
    two,
    leave: (packets: number) => {
      departures += packets;
    },
  };
}

test('two frames wait in the kernel until departures are counted', async (t) => {
  const { one, two, leave } = await openCounted(t, 40);
  one.link.setOpen(true);
  // Each fills a frame of its own and a bit.
  for (let i = 0; i < 6; i++) one.link.enqueue('a', ipv4(Buffer.alloc(480, i)));
  await two.until(1);
  await new Promise((resolve) => setTimeout(resolve, 80));
  t.is(one.link.framesSent, 2);
  leave(1);
  await two.until(2);
  await new Promise((resolve) => setTimeout(resolve, 80));
  t.is(one.link.framesSent, 3);
  leave(100);
  await two.until(4);
  t.true(one.link.framesSent <= 5);
});

test('behind a frame in the kernel packets wait for one another, and for no longer than a part of a slot', async (t) => {
  const { one, two, leave } = await openCounted(t, 1); // 512 ms a slot
  one.link.setOpen(true);
  one.link.enqueue('a', small(1));
  await two.until(1); // the first one goes at once
  one.link.enqueue('a', small(2));
  await new Promise((resolve) => setTimeout(resolve, 20)); // another turn of the event loop
  one.link.enqueue('b', small(3));
  await two.until(3); // though nothing has left
  t.is(one.link.framesSent, 2);
  leave(2);
  one.link.enqueue('a', small(4));
  await two.until(4);
  t.is(one.link.framesSent, 3);
});

test('what comes while a burst’s first frame stands alone in the kernel overtakes it, and so do a few behind that', async (t) => {
  const [ours, theirs] = ownEnds();
  let departures = 1000;
  const frames: [number, number][] = [];
  const one = await openLink(t, {
    local: ours,
    peer: theirs,
    shape: { ...shape, rateKBps: 17 }, // 30 ms a slot
    departures: () => departures,
  });
  const receiver = createSocket('udp4');
  const heard: (() => void)[] = [];
  receiver.on('message', (frame) => {
    frames.push([frame.readUInt32BE(0), frame[EDITION_AT]!]);
    heard.shift()?.();
  });
  await new Promise<void>((resolve) => receiver.bind(FRAME_PORT, theirs, resolve));
  t.teardown(() => receiver.close());
  one.link.setOpen(true);
  const handsOver = async (left: number): Promise<[number, number]> => {
    departures += left;
    const got = new Promise<void>((resolve) => heard.push(resolve));
    one.link.enqueue('a', small(frames.length));
    await got;
    const [number, edition] = frames.at(-1)!;
    return [number - frames[0]![0], edition];
  };
  // The far end has not said that it reads others.
  for (const number of [0, 1, 2, 3]) t.deepEqual(await handsOver(1), [number, FIRST]);
  t.deepEqual(await handsOver(0), [4, FIRST]);
  const reply = Buffer.alloc(512 - 28);
  reply[EDITION_AT] = FIRST;
  reply.set(small(1), FRAME_HEADER_BYTES);
  await new Promise<void>((resolve) => receiver.send(reply, FRAME_PORT, ours, () => resolve()));
  await one.until(1);
  // The one before has left, and the last stands alone.
  t.deepEqual(await handsOver(1), [4, FULLER]);
  t.deepEqual(await handsOver(0), [5, FULLER + 1]);
  t.deepEqual(await handsOver(1), [6, FULLER + 2]);
  t.deepEqual(await handsOver(1), [7, FULLER + 3]);
  t.deepEqual(await handsOver(1), [8, FULLER + 4]);
  // What was overtaken is behind all of these, and ahead of what comes now.
  t.deepEqual(await handsOver(1), [9, FIRST]);
  t.deepEqual(await handsOver(2), [9, FULLER]);
  // All is gone.
  t.deepEqual(await handsOver(9), [10, FIRST]);
});

test('a new packet size holds from the next frame on', async (t) => {
  const [ours, theirs] = ownEnds();
  const sizes: number[] = [];
  const receiver = createSocket('udp4');
  const heard: (() => void)[] = [];
  receiver.on('message', (frame) => {
    sizes.push(frame.length);
    heard.shift()?.();
  });
  const next = () => new Promise<void>((resolve) => heard.push(resolve));
  await new Promise<void>((resolve) => receiver.bind(FRAME_PORT, theirs, resolve));
  t.teardown(() => receiver.close());
  const { link } = await openLink(t, { local: ours, peer: theirs });
  link.setOpen(true);
  let got = next();
  link.enqueue('a', small(1));
  await got;
  link.update({ ...shape, packetBytes: 1400 }, 10_000);
  got = next();
  link.enqueue('a', small(1));
  await got;
  t.deepEqual(sizes, [512 - 28, 1400 - 28]);
});

test('only the peer is heard', async (t) => {
  const [ours, theirs] = ownEnds();
  const two = await openLink(t, { local: theirs, peer: ours });
  const one = await openLink(t, { local: ours, peer: theirs });
  const stranger = await openLink(t, { local: ownAddress(), peer: theirs });
  stranger.link.setOpen(true);
  stranger.link.enqueue('a', small(66));
  await new Promise((resolve) => setTimeout(resolve, 30));
  one.link.setOpen(true);
  one.link.enqueue('a', small(1));
  await two.until(1);
  t.deepEqual(two.packets, [Buffer.from(small(1))]);
});

test('garbage from the peer gives no packet and no fault', async (t) => {
  const [ours, theirs] = ownEnds();
  const two = await openLink(t, { local: theirs, peer: ours });
  const peer = createSocket('udp4');
  await new Promise<void>((resolve) => peer.bind(FRAME_PORT, ours, resolve));
  t.teardown(() => peer.close());
  for (let i = 0; i < 50; i++) peer.send(Buffer.alloc(i * 9, i), FRAME_PORT, theirs);
  await new Promise<void>((resolve) => peer.send('last', FRAME_PORT, theirs, () => resolve()));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.deepEqual(two.packets, []);
});
