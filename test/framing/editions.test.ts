// A frame that has room, the fuller edition that may overtake it at the sender, and what goes ahead of others behind that.
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { FIRST, FULLER } from '../../src/core/framing/frame.ts';
import { Packer } from '../../src/core/framing/packer.ts';
import { DeviceQueues } from '../../src/core/framing/queues.ts';
import { StandingFrames } from '../../src/core/framing/standing.ts';
import { Unpacker } from '../../src/core/framing/unpacker.ts';
import { runs } from '../property-runs.ts';
import { hex, keyedPacket } from './ip-packets.ts';
import { cameraPacket, echoPacket, fromHex, plugPacket } from './wire-frames.ts';

/** A plug's packet in a frame with room, the same with the camera's behind it, and the frames around these. */
const first = `0000000100010000${plugPacket}${'00'.repeat(50)}`;
const fuller = `0000000100020000${plugPacket}${cameraPacket}${'00'.repeat(10)}`;
const next = `0000000200010000${echoPacket}${'00'.repeat(22)}`;
const before = `0000000000010000${echoPacket}${'00'.repeat(22)}`;

test('a fuller edition has the number and the packets of the first one, and what came since', (t) => {
  const queues = new DeviceQueues();
  const packer = new Packer({ packetBytes: 114, queues, firstSequence: 1 });
  queues.enqueue('plug', fromHex(plugPacket), 0);
  const thin = packer.nextFrame(0, FIRST)!;
  t.is(hex(thin), first);
  t.is(packer.nextFrame(0, FULLER), null, 'nothing waits');
  queues.enqueue('camera', fromHex(cameraPacket), 1);
  t.is(hex(packer.nextFrame(1, FULLER)!), fuller);
  t.is(hex(thin), first, 'what was handed over stays as it was');
  queues.enqueue('echo', fromHex(echoPacket), 2);
  t.is(packer.nextFrame(2, FULLER), null, 'there is one of each');
  t.is(hex(packer.nextFrame(2, FIRST)!), next);
  const { frames, packets, dataBytes, padBytes } = packer.stats;
  t.deepEqual([frames, packets, dataBytes + padBytes], [2, 3, 2 * (114 - 36)]);
});

test('a full frame has no fuller edition, and none has one once frames are of another size', (t) => {
  const queues = new DeviceQueues();
  const packer = new Packer({ packetBytes: 36 + 28, queues });
  queues.enqueue('plug', fromHex(plugPacket), 0);
  t.is(hex(packer.nextFrame(0, FIRST)!), `0000000000010000${plugPacket}`);
  packer.setPacketBytes(114);
  queues.enqueue('plug', fromHex(plugPacket), 0);
  packer.nextFrame(0, FIRST);
  packer.setPacketBytes(128);
  queues.enqueue('plug', fromHex(plugPacket), 0);
  t.is(packer.nextFrame(0, FULLER), null);
  t.is(packer.nextFrame(0, FIRST)!.length, 128 - 28);
});

function receives(
  t: ExecutionContext,
  frames: string[],
  packets: string[],
  counted: Partial<Unpacker['stats']> = {},
): void {
  const unpacker = new Unpacker();
  const received = frames.flatMap((frame, at) => unpacker.push(fromHex(frame), at));
  received.push(...unpacker.flush(1000));
  t.deepEqual(received.map(hex), packets);
  const { duplicates, lost, late, resyncs, damaged, incomplete } = unpacker.stats;
  const zeros = { duplicates: 0, lost: 0, late: 0, resyncs: 0, damaged: 0, incomplete: 0 };
  t.deepEqual({ duplicates, lost, late, resyncs, damaged, incomplete }, { ...zeros, ...counted });
}

const [plug, camera, echo] = [plugPacket, cameraPacket, echoPacket];
test('the first one has left before', receives, [first, fuller, next], [plug, camera, echo]);
test('it was overtaken', receives, [fuller, first, next], [plug, camera, echo], { duplicates: 1 });
test('it leaves last', receives, [fuller, next, first], [plug, camera, echo], { duplicates: 1 });
test('it is lost', receives, [fuller, next], [plug, camera, echo]);
test('the fuller one is lost', receives, [first, next], [plug, echo]);
test('each comes twice', receives, [first, first, fuller, fuller, first], [plug, camera], {
  duplicates: 3,
});
test(
  'both wait for a frame before them',
  receives,
  [before, next, first, fuller],
  [...[echo, plug, echo]],
  { late: 1 },
);
test('both are waited with', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(fromHex(`ffffffff${before.slice(8)}`), 0);
  for (const frame of [first, fuller, first]) t.deepEqual(unpacker.push(fromHex(frame), 1), []);
  t.deepEqual(unpacker.push(fromHex(before), 2).map(hex), [echo, plug, camera]);
  t.is(unpacker.stats.duplicates, 1);
});
test('a sender that was started over begins with them', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(fromHex(`70000000${before.slice(8)}`), 0);
  for (const frame of [first, fuller]) unpacker.push(fromHex(frame), 1);
  t.deepEqual(unpacker.flush(1000).map(hex), [plug, camera]);
});
test('another sender’s fuller frame of the same number is no edition of it', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(fromHex(next), 0);
  unpacker.push(fromHex(`000000020002${next.slice(12)}`), 0);
  t.is(unpacker.stats.packets, 1);
});

test('what went ahead is waited for until one comes that leaves behind what it overtook', (t) => {
  const unpacker = new Unpacker();
  const frame = (number: number, edition: number) =>
    fromHex(`0000000${number}000${edition}0000${plugPacket}${'00'.repeat(50)}`);
  unpacker.push(frame(0, 1), 0);
  // Number 1 stands at the sender, and all of these overtook it.
  for (let number = 2; number < 9; number++) t.deepEqual(unpacker.push(frame(number, 2), 1), []);
  t.deepEqual(unpacker.flush(1000), []);
  t.is(unpacker.push(frame(1, 1), 1000).length, 8);
  for (let number = 2; number < 4; number++) unpacker.push(frame(number + 8, 2), 1001);
  t.deepEqual([unpacker.stats.packets, unpacker.stats.lost], [9, 0]);
});

test('one that was lost is given up soon once what leaves behind it has come', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(fromHex(`00000000${first.slice(8)}`), 0);
  const lost = (frame: string) => `00000002${frame.slice(8)}`;
  t.deepEqual(unpacker.push(fromHex(lost(fuller)), 10), []);
  t.deepEqual(unpacker.push(fromHex(lost(first)), 20), []);
  t.is(unpacker.nextDeadlineMs(), 20 + 100);
  t.deepEqual(unpacker.flush(120).map(hex), [plug, camera]);
  t.is(unpacker.stats.lost, 1);
});

test('where nothing comes behind it either, it is given up all the same', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(fromHex(`00000000${first.slice(8)}`), 0);
  unpacker.push(fromHex(`00000002${fuller.slice(8)}`), 10);
  t.is(unpacker.flush(unpacker.nextDeadlineMs()!).length, 2);
});

/** What happens at a sender: a packet comes, what waits is handed over, a slot comes, so many are taken to have left. */
const steps = fc.array(
  fc.oneof(
    keyedPacket.map((packet) => ({ kind: 'packet' as const, ...packet })),
    fc.constantFrom({ kind: 'hand' as const }, { kind: 'slot' as const }),
    fc.integer({ min: 0, max: 3 }).map((left) => ({ kind: 'count' as const, left })),
  ),
  { minLength: 1, maxLength: 100 },
);

test('whenever slots come and whatever the sender makes of that, each packet arrives once', (t) => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 256, max: 1400 }), (steps, packetBytes) => {
      const queues = new DeviceQueues();
      const packer = new Packer({ packetBytes, queues });
      const standing = new StandingFrames();
      const unpacker = new Unpacker();
      const bands: { ahead: Uint8Array[]; first: Uint8Array[] } = { ahead: [], first: [] };
      const sent: string[] = [];
      const received: string[] = [];
      const enqueue = (key: string, packet: Uint8Array): void => {
        queues.enqueue(key, packet, 0);
        sent.push(hex(packet));
      };
      const slot = (): void => {
        const frame = bands.ahead.shift() ?? bands.first.shift();
        if (frame) received.push(...unpacker.push(frame, 0).map(hex));
      };
      const hand = (): void => {
        const next = standing.next(packer.roomBytes, 1);
        const frame = packer.nextFrame(0, next);
        if (!frame) return;
        standing.made(next);
        bands[next === FIRST ? 'first' : 'ahead'].push(frame);
      };
      // With the first one the far end begins to count.
      enqueue('plug', fromHex(plugPacket));
      hand();
      slot();
      for (const step of steps) {
        if (step.kind === 'packet') enqueue(step.key, step.packet);
        else if (step.kind === 'hand') hand();
        else if (step.kind === 'slot') slot();
        else standing.left(step.left);
      }
      while (packer.hasData(0)) hand();
      while (bands.ahead.length + bands.first.length > 0) slot();
      t.deepEqual([...received].sort(), [...sent].sort());
      const { lost, damaged, incomplete, resyncs } = unpacker.stats;
      t.is(lost + damaged + incomplete + resyncs, 0);
    }),
    { numRuns: runs(1000) },
  );
});
