// Packer to unpacker over a network that loses, repeats and reorders frames.

import test from 'ava';
import fc from 'fast-check';
import { Packer } from '../../src/framing/packer.ts';
import { DeviceQueues } from '../../src/framing/queues.ts';
import { Unpacker } from '../../src/framing/unpacker.ts';
import { hex, keyedPacket } from './ip-packets.ts';

type Keyed = { key: string; packet: Uint8Array };

const traffic = fc.array(keyedPacket, { minLength: 1, maxLength: 40 });
const packetSize = fc.integer({ min: 256, max: 1400 });
const firstSequence = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.integer({ min: 0xfffffff0, max: 0xffffffff }),
);

/** Packs everything; the packet size becomes the next of `sizes` with every third frame. */
function packAll(packets: Keyed[], sizes: number[], sequence: number): Uint8Array[] {
  const queues = new DeviceQueues();
  const packer = new Packer({ packetBytes: sizes[0]!, queues, firstSequence: sequence });
  for (const { key, packet } of packets) queues.enqueue(key, packet, 0);
  const frames: Uint8Array[] = [];
  for (let frame = packer.nextFrame(0); frame; frame = packer.nextFrame(0)) {
    frames.push(frame);
    packer.setPacketBytes(sizes[Math.floor(frames.length / 3) % sizes.length]!);
  }
  return frames;
}

function unpackAll(frames: Uint8Array[]): { packets: string[]; unpacker: Unpacker } {
  const unpacker = new Unpacker();
  const packets = frames.flatMap((frame, i) => unpacker.push(frame, i));
  packets.push(...unpacker.flush(1e9));
  return { packets: packets.map(hex), unpacker };
}

function byKey(packets: Keyed[]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const { key, packet } of packets) map.set(key, [...(map.get(key) ?? []), hex(packet)]);
  return map;
}

/** Whether `part` is `whole` with some entries left out. */
function isSubsequence(part: string[], whole: string[]): boolean {
  let at = 0;
  for (const entry of whole) if (entry === part[at]) at += 1;
  return at === part.length;
}

test('without loss every packet arrives, in order per device, whatever the frame sizes', (t) => {
  fc.assert(
    fc.property(
      traffic,
      fc.array(packetSize, { minLength: 1, maxLength: 4 }),
      firstSequence,
      (packets, sizes, sequence) => {
        const { packets: received, unpacker } = unpackAll(packAll(packets, sizes, sequence));
        t.deepEqual([...received].sort(), packets.map(({ packet }) => hex(packet)).sort());
        for (const sent of byKey(packets).values()) t.true(isSubsequence(sent, received));
        t.is(unpacker.stats.lost + unpacker.stats.damaged + unpacker.stats.incomplete, 0);
      },
    ),
    { numRuns: 150 },
  );
});
