// A frame that stands open at the sender, and the fuller edition that may overtake it there.
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { Packer } from '../../src/core/framing/packer.ts';
import { DeviceQueues } from '../../src/core/framing/queues.ts';
import { Unpacker } from '../../src/core/framing/unpacker.ts';
import { hex, keyedPacket } from './ip-packets.ts';
import { cameraPacket, echoPacket, fromHex, plugPacket } from './wire-frames.ts';

/** A plug's packet in an open frame, the same with the camera's behind it, and the frame after these. */
const open = `0000000100010000${plugPacket}${'00'.repeat(50)}`;
const fuller = `0000000100020000${plugPacket}${cameraPacket}${'00'.repeat(10)}`;
const next = `0000000200000000${echoPacket}${'00'.repeat(22)}`;
const before = `0000000000000000${echoPacket}${'00'.repeat(22)}`;

test('a fuller edition has the number and the packets of the open one, and what came since', (t) => {
  const queues = new DeviceQueues();
  const packer = new Packer({ packetBytes: 114, queues, firstSequence: 1 });
  queues.enqueue('plug', fromHex(plugPacket), 0);
  const first = packer.nextFrame(0, true)!;
  t.is(hex(first), open);
  t.is(packer.fullerFrame(0), null, 'nothing waits');
  queues.enqueue('camera', fromHex(cameraPacket), 1);
  t.is(hex(packer.fullerFrame(1)!), fuller);
  t.is(hex(first), open, 'what was handed over stays as it was');
  queues.enqueue('echo', fromHex(echoPacket), 2);
  t.is(packer.fullerFrame(2), null, 'there is one of each');
  t.is(hex(packer.nextFrame(2, false)!), next);
  const { frames, packets, dataBytes, padBytes } = packer.stats;
  t.deepEqual([frames, packets, dataBytes + padBytes], [2, 3, 2 * (114 - 36)]);
});

test('a full frame is never open, and none stands open once frames have another size', (t) => {
  const queues = new DeviceQueues();
  const packer = new Packer({ packetBytes: 36 + 28, queues });
  queues.enqueue('plug', fromHex(plugPacket), 0);
  t.is(hex(packer.nextFrame(0, true)!), `0000000000000000${plugPacket}`);
  packer.setPacketBytes(114);
  queues.enqueue('plug', fromHex(plugPacket), 0);
  packer.nextFrame(0, true);
  packer.setPacketBytes(128);
  queues.enqueue('plug', fromHex(plugPacket), 0);
  t.is(packer.fullerFrame(0), null);
  t.is(packer.nextFrame(0)!.length, 128 - 28);
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
test('the open one has left before', receives, [open, fuller, next], [plug, camera, echo]);
test('it was overtaken', receives, [fuller, open, next], [plug, camera, echo], { duplicates: 1 });
test('it leaves last', receives, [fuller, next, open], [plug, camera, echo], { duplicates: 1 });
test('it is lost', receives, [fuller, next], [plug, camera, echo]);
test('the fuller one is lost', receives, [open, next], [plug, echo]);
test('each comes twice', receives, [open, open, fuller, fuller, open], [plug, camera], {
  duplicates: 3,
});
test(
  'both wait for a frame before them',
  receives,
  [before, next, open, fuller],
  [...[echo, plug, echo]],
  { late: 1 },
);
test('both are waited with', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(fromHex(`ffffffff${before.slice(8)}`), 0);
  for (const frame of [open, fuller, open]) t.deepEqual(unpacker.push(fromHex(frame), 1), []);
  t.deepEqual(unpacker.push(fromHex(before), 2).map(hex), [echo, plug, camera]);
  t.is(unpacker.stats.duplicates, 1);
});
test('a sender that was started over begins with them', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(fromHex(`70000000${before.slice(8)}`), 0);
  for (const frame of [open, fuller]) unpacker.push(fromHex(frame), 1);
  t.deepEqual(unpacker.flush(1000).map(hex), [plug, camera]);
});
test('another sender’s fuller frame of the same number is no edition of it', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(fromHex(next), 0);
  unpacker.push(fromHex(`000000020002${next.slice(12)}`), 0);
  t.is(unpacker.stats.packets, 1);
});

/** What happens at a sender: a packet comes, what waits is handed over, a slot comes, the sender counts what has left. */
const steps = fc.array(
  fc.oneof(
    keyedPacket.map((packet) => ({ kind: 'packet' as const, ...packet })),
    fc.constantFrom(...(['hand', 'slot', 'count'] as const).map((kind) => ({ kind }))),
  ),
  { minLength: 1, maxLength: 80 },
);

test('whenever slots come and whatever the sender knows of them, each packet arrives once, in order', (t) => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 256, max: 1400 }), (steps, packetBytes) => {
      const queues = new DeviceQueues();
      const packer = new Packer({ packetBytes, queues });
      const unpacker = new Unpacker();
      const high: Uint8Array[] = [];
      const low: Uint8Array[] = [];
      let [isOpen, isFree] = [false, true];
      const sent: string[] = [];
      const received: string[] = [];
      const slot = (): void => {
        const frame = high.shift() ?? low.shift();
        if (frame) received.push(...unpacker.push(frame, 0).map(hex));
      };
      const hand = (): void => {
        const frame = isOpen ? packer.fullerFrame(0) : packer.nextFrame(0, isFree);
        if (!frame) return;
        const opens = frame[5] === 1;
        (opens ? low : high).push(frame);
        [isOpen, isFree] = [opens, isFree && !opens];
      };
      for (const step of steps) {
        if (step.kind === 'packet') {
          queues.enqueue(step.key, step.packet, 0);
          sent.push(hex(step.packet));
        } else if (step.kind === 'hand') hand();
        else if (step.kind === 'slot') slot();
        else if (low.length === 0) [isOpen, isFree] = [false, true];
      }
      while (packer.hasData(0)) hand();
      while (high.length + low.length > 0) slot();
      t.deepEqual([...received].sort(), [...sent].sort());
      const { lost, damaged, incomplete, resyncs } = unpacker.stats;
      t.is(lost + damaged + incomplete + resyncs, 0);
    }),
    { numRuns: 300 },
  );
});
