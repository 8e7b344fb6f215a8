// Packer to unpacker over a network that loses, repeats and reorders frames.

import test from 'ava';
import fc from 'fast-check';
import { isIpPacket } from '../../src/core/framing/ip-packet.ts';
import { Packer } from '../../src/core/framing/packer.ts';
import { DeviceQueues } from '../../src/core/framing/queues.ts';
import { Unpacker } from '../../src/core/framing/unpacker.ts';
import { runs } from '../property-runs.ts';
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

/** Sends frames through a network that loses, repeats and delays them. */
interface Fate {
  lost: boolean;
  copies: number;
  delay: number;
}

function fates(delay: fc.Arbitrary<number>, lossPercent: number): fc.Arbitrary<Fate[]> {
  const lost = fc.integer({ min: 0, max: 99 }).map((drawn) => drawn < lossPercent);
  const copies = fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.constant(2));
  return fc.array(fc.record({ lost, copies, delay }), { minLength: 1, maxLength: 60 });
}

/** Frame i goes behind the frames up to i + delay; fates repeat. */
function transmit(frames: Uint8Array[], fate: Fate[]): Uint8Array[] {
  return frames
    .flatMap((frame, i) => {
      const { lost, copies, delay } = fate[i % fate.length]!;
      if (lost) return [];
      // The second copy comes later than the first.
      return Array.from({ length: copies }, (_, copy) => ({ frame, at: i + delay + 3 * copy }));
    })
    .sort((a, b) => a.at - b.at)
    .map(({ frame }) => frame);
}

/** How often each packet is in the list. */
function tally(packets: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const packet of packets) counts.set(packet, (counts.get(packet) ?? 0) + 1);
  return counts;
}

const aFewSizes = fc.array(packetSize, { minLength: 1, maxLength: 3 });

test('reordering within the window and duplicates change nothing', (t) => {
  const fate = fates(fc.integer({ min: 0, max: 4 }), 0);
  fc.assert(
    fc.property(traffic, aFewSizes, firstSequence, fate, (packets, sizes, sequence, fate) => {
      const frames = packAll(packets, sizes, sequence);
      const inOrder = unpackAll(frames).packets;
      // What overtakes a stream's very first frame makes it late: see Sequencer.
      const [first, ...rest] = frames;
      t.deepEqual(unpackAll([first!, ...transmit(rest, fate)]).packets, inOrder);
    }),
    { numRuns: 150 },
  );
});

test('with loss every packet given out went in, once, and in order', (t) => {
  const fate = fates(fc.integer({ min: 0, max: 4 }), 20);
  fc.assert(
    fc.property(traffic, aFewSizes, firstSequence, fate, (packets, sizes, sequence, fate) => {
      const frames = packAll(packets, sizes, sequence);
      const { packets: received, unpacker } = unpackAll(transmit(frames, fate));
      const { packets: whole } = unpackAll(frames);
      t.true(isSubsequence(received, whole));
      t.is(unpacker.stats.damaged, 0);
    }),
    { numRuns: 150 },
  );
});

test('whatever the loss and order, every packet given out went in', (t) => {
  const fate = fates(fc.oneof(fc.nat(10), fc.nat(100_000)), 30);
  fc.assert(
    fc.property(traffic, aFewSizes, firstSequence, fate, (packets, sizes, sequence, fate) => {
      const sent = tally(packets.map(({ packet }) => hex(packet)));
      for (const packet of unpackAll(transmit(packAll(packets, sizes, sequence), fate)).packets) {
        t.true(sent.has(packet));
      }
    }),
    { numRuns: 150 },
  );
});

/** One device's packets, packed; for each the frames its first and last byte are in. */
function packOne(packets: Keyed[], packetBytes: number, sequence: number) {
  const one = packets.map(({ packet }) => ({ key: 'one', packet }));
  const frames = packAll(one, [packetBytes], sequence);
  const room = packetBytes - 36;
  let at = 0;
  const spans = one.map(({ packet }) => {
    const first = Math.floor(at / room);
    at += packet.length;
    return { text: hex(packet), first, last: Math.floor((at - 1) / room) };
  });
  return { frames, spans };
}

test('a lost frame costs exactly the packets with bytes in it', (t) => {
  fc.assert(
    fc.property(traffic, packetSize, firstSequence, fc.nat(), (packets, size, sequence, pick) => {
      const { frames, spans } = packOne(packets, size, sequence);
      const lost = pick % frames.length;
      const { packets: received } = unpackAll(frames.filter((_, i) => i !== lost));
      const kept = spans.filter(({ first, last }) => last < lost || first > lost);
      t.deepEqual(
        received,
        kept.map(({ text }) => text),
      );
    }),
    { numRuns: 150 },
  );
});

test('a restart to any number loses nothing the new sender begins after its fifth frame', (t) => {
  const jump = fc.oneof(
    fc.integer({ min: -70, max: 70 }),
    fc.integer({ min: -1100, max: 1100 }),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
  );
  fc.assert(
    fc.property(traffic, traffic, packetSize, fc.nat(), jump, (before, after, size, cut, jump) => {
      const old = packOne(before, size, 1_000_000);
      // The old sender dies in the middle: what it had begun is never finished.
      const died = 1 + (cut % old.frames.length);
      const fresh = packOne(after, size, (1_000_000 + died + jump) >>> 0);
      const { packets: received } = unpackAll([...old.frames.slice(0, died), ...fresh.frames]);
      const finished = old.spans.filter(({ last }) => last < died).map(({ text }) => text);
      const sent = tally([...finished, ...fresh.spans.map(({ text }) => text)]);
      for (const [packet, times] of tally(received)) t.true(times <= (sent.get(packet) ?? 0));
      t.deepEqual(received.slice(0, finished.length), finished);
      const owed = fresh.spans.filter(({ first }) => first >= 5).map(({ text }) => text);
      t.deepEqual(received.slice(received.length - owed.length), owed);
    }),
    { numRuns: runs(300) },
  );
});

test('a frame changed anywhere but in its number costs nothing that begins behind it', (t) => {
  const change = fc.record({
    frame: fc.nat(),
    at: fc.nat(),
    xor: fc.integer({ min: 1, max: 255 }),
  });
  fc.assert(
    fc.property(traffic, packetSize, change, (packets, size, { frame, at, xor }) => {
      const { frames, spans } = packOne(packets, size, 0);
      const changed = frame % frames.length;
      frames[changed]![4 + (at % (size - 32))]! ^= xor;
      const { packets: received } = unpackAll(frames);
      const before = spans.filter(({ last }) => last < changed).map(({ text }) => text);
      const behind = spans.filter(({ first }) => first > changed).map(({ text }) => text);
      t.deepEqual(received.slice(0, before.length), before);
      t.deepEqual(received.slice(received.length - behind.length), behind);
    }),
    { numRuns: runs(300) },
  );
});

/** Bytes that no shrinking or bias makes friendlier: fast-check's own favour zeros. */
function noise(seed: number, length: number): Uint8Array {
  let state = seed | 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 11;
  });
}

test('random datagrams give out nothing and hold little', (t) => {
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.nat(1472), { maxLength: 200 }), (seed, lengths) => {
      const datagrams = lengths.map((length, i) => noise(seed + 7919 * i, length));
      t.deepEqual(unpackAll(datagrams).packets, []);
    }),
    { numRuns: 100 },
  );
});

test('random datagrams among good frames change nothing', (t) => {
  const garbage = fc.array(fc.tuple(fc.nat(), fc.integer(), fc.nat(1472)), { maxLength: 40 });
  fc.assert(
    fc.property(traffic, packetSize, garbage, (packets, size, garbage) => {
      const frames = packOne(packets, size, 77).frames;
      const expected = unpackAll(frames).packets;
      const mixed: Uint8Array[] = [...frames];
      // Behind the first frame, which starts the stream, and with a good frame to follow.
      for (const [pick, seed, length] of garbage) {
        mixed.splice(1 + (pick % mixed.length), 0, noise(seed, length));
      }
      t.deepEqual(unpackAll([...mixed]).packets, expected);
    }),
    { numRuns: 100 },
  );
});

test('frames of any content: only well-formed packets come out, no more bytes than went in', (t) => {
  const datagram = fc
    .tuple(
      fc.integer({ min: 0, max: 12 }),
      fc.oneof(fc.constant(0), fc.nat(80), fc.nat(0xffff)),
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc
          .array(keyedPacket, { maxLength: 2 })
          .map((list) =>
            Uint8Array.from(list.flatMap(({ packet }) => [...packet])).subarray(0, 500),
          ),
      ),
    )
    .map(([sequence, offset, blocks]) =>
      Uint8Array.of(0, 0, 0, sequence, 0, 0, offset >> 8, offset, ...blocks),
    );
  fc.assert(
    fc.property(fc.array(datagram, { maxLength: 60 }), (datagrams) => {
      const unpacker = new Unpacker();
      let bytesIn = 0;
      let bytesOut = 0;
      datagrams.forEach((frame, i) => {
        bytesIn += frame.length;
        for (const packet of unpacker.push(frame, i * 10)) {
          bytesOut += packet.length;
          t.true(isIpPacket(packet) && packet.length <= 1500);
        }
      });
      for (const packet of unpacker.flush(1e9)) bytesOut += packet.length;
      t.true(bytesOut <= bytesIn);
      t.is(unpacker.nextDeadlineMs(), null);
    }),
    { numRuns: runs(300) },
  );
});
