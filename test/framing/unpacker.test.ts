// The unpacker against single frames: order, time limits, restarts, damage.

import test from 'ava';
import { Unpacker } from '../../src/core/framing/unpacker.ts';
import { buildIpv4, hex } from './ip-packets.ts';
import { cameraPacket, echoPacket, fromHex, plugPacket, wireCases } from './wire-frames.ts';

/** The two halves of the camera's packet. */
const head = cameraPacket.slice(0, 40);
const tail = cameraPacket.slice(40);

/** A frame of one whole packet whose last payload byte is `mark`. */
function markedFrame(sequence: number, mark = sequence): Uint8Array {
  const packet = buildIpv4([10, 0, 0, 1], [10, 0, 0, 2], Uint8Array.of(mark));
  return fromHex(`${(sequence >>> 0).toString(16).padStart(8, '0')}00000000${hex(packet)}`);
}

function marks(packets: Uint8Array[]): number[] {
  return packets.map((packet) => packet.at(-1)!);
}

for (const { title, packets, frames } of wireCases) {
  test(`decodes: ${title}`, (t) => {
    const unpacker = new Unpacker();
    const received = frames.flatMap((frame) => unpacker.push(fromHex(frame), 0));
    t.deepEqual(received.map(hex), packets);
    t.is(unpacker.nextDeadlineMs(), null);
    t.deepEqual(unpacker.stats, {
      frames: frames.length,
      lost: 0,
      reordered: 0,
      late: 0,
      duplicates: 0,
      resyncs: 0,
      damaged: 0,
      incomplete: 0,
      packets: packets.length,
      bytes: packets.join('').length / 2,
    });
  });

  test(`each frame cut at every byte gives out nothing else: ${title}`, (t) => {
    for (const [cut, text] of frames.entries()) {
      const whole = fromHex(text);
      for (let end = 0; end < whole.length; end++) {
        const unpacker = new Unpacker();
        const received = frames.flatMap((frame, i) =>
          unpacker.push(i === cut ? whole.subarray(0, end) : fromHex(frame), 0),
        );
        received.push(...unpacker.flush(1000));
        for (const packet of received) t.true(packets.includes(hex(packet)));
      }
    }
  });
}

test('packets stay what they were when the datagram buffer is used again', (t) => {
  const unpacker = new Unpacker();
  const buffer = Buffer.alloc(128);
  const received: Uint8Array[] = [];
  for (const sequence of [1, 3, 2, 4]) {
    const frame = markedFrame(sequence);
    buffer.set(frame);
    received.push(...unpacker.push(buffer.subarray(0, frame.length), 0));
  }
  buffer.fill(0xff);
  t.deepEqual(marks(received), [1, 2, 3, 4]);
});

test('emit takes the packets instead of the returned arrays', (t) => {
  const received: Uint8Array[] = [];
  const unpacker = new Unpacker({ emit: (packet) => received.push(packet) });
  t.deepEqual(unpacker.push(markedFrame(1), 0), []);
  t.deepEqual(unpacker.push(markedFrame(3), 0), []);
  t.deepEqual(unpacker.flush(100), []);
  t.deepEqual(marks(received), [1, 3]);
});

test('a missing frame is waited for until reorderMs after the frame behind it', (t) => {
  const unpacker = new Unpacker({ reorderMs: 100 });
  t.deepEqual(marks(unpacker.push(markedFrame(1), 0)), [1]);
  t.is(unpacker.nextDeadlineMs(), null);
  t.deepEqual(unpacker.push(markedFrame(3), 10), []);
  t.deepEqual(unpacker.push(markedFrame(5), 50), []);
  t.is(unpacker.nextDeadlineMs(), 110);
  t.deepEqual(unpacker.flush(109), []);
  t.deepEqual(marks(unpacker.flush(110)), [3]);
  t.is(unpacker.nextDeadlineMs(), 150);
  t.deepEqual(marks(unpacker.push(markedFrame(4), 149)), [4, 5]);
  t.is(unpacker.nextDeadlineMs(), null);
  const { lost, reordered, late } = unpacker.stats;
  t.deepEqual({ lost, reordered, late }, { lost: 1, reordered: 1, late: 0 });
});

test('a missing frame is given up when more than reorderFrames later ones could have passed it', (t) => {
  const unpacker = new Unpacker({ reorderFrames: 4 });
  unpacker.push(markedFrame(1), 0);
  for (const sequence of [3, 4, 5, 6]) t.deepEqual(unpacker.push(markedFrame(sequence), 0), []);
  t.deepEqual(marks(unpacker.push(markedFrame(7), 0)), [3, 4, 5, 6, 7]);
  t.deepEqual(unpacker.push(markedFrame(2), 0), []);
  const { lost, late, reordered } = unpacker.stats;
  t.deepEqual({ lost, late, reordered }, { lost: 1, late: 1, reordered: 1 });
});

test('without a reorder window nothing is waited for', (t) => {
  const unpacker = new Unpacker({ reorderFrames: 0 });
  t.deepEqual(marks(unpacker.push(markedFrame(1), 0)), [1]);
  t.deepEqual(marks(unpacker.push(markedFrame(3), 0)), [3]);
  t.deepEqual(marks(unpacker.push(markedFrame(2), 0)), []);
  t.deepEqual(marks(unpacker.push(markedFrame(4), 0)), [4]);
});

test('duplicates are given out once, held or not', (t) => {
  const unpacker = new Unpacker();
  const order = [1, 1, 2, 4, 4, 2, 1, 3, 4, 3];
  t.deepEqual(marks(order.flatMap((s) => unpacker.push(markedFrame(s), 0))), [1, 2, 3, 4]);
  t.is(unpacker.stats.duplicates, 6);
  t.is(unpacker.nextDeadlineMs(), null);
});

test('the number wraps, with reordering across the wrap', (t) => {
  const unpacker = new Unpacker();
  const order = [-3, -2, 0, -1, 1, 3, 2].map((s) => markedFrame(s, s + 10));
  t.deepEqual(marks(order.flatMap((frame) => unpacker.push(frame, 0))), [7, 8, 9, 10, 11, 12, 13]);
  t.is(unpacker.stats.lost, 0);
});

const restart = test.macro({
  exec(t, jump: number, expected: number[]) {
    const unpacker = new Unpacker();
    for (let i = 0; i < 40; i++) unpacker.push(markedFrame(1000 + i, 100 + i), i);
    const first = 1040 + jump;
    const received = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((i) =>
      unpacker.push(markedFrame(first + i, i), 50 + i),
    );
    received.push(...unpacker.flush(1000));
    t.deepEqual(marks(received), expected);
  },
  title: (name) => `a restarted sender is followed at once: ${name}`,
});
test('far ahead', restart, 0x30000000, [0, 1, 2, 3, 4, 5, 6, 7]);
test('far behind', restart, -0x30000000, [0, 1, 2, 3, 4, 5, 6, 7]);
test('half the numbers away', restart, 0x80000000, [0, 1, 2, 3, 4, 5, 6, 7]);
test('just beyond what counts as loss', restart, 65, [0, 1, 2, 3, 4, 5, 6, 7]);
test('a little ahead', restart, 3, [0, 1, 2, 3, 4, 5, 6, 7]);
test('where it was', restart, 0, [0, 1, 2, 3, 4, 5, 6, 7]);
test('among numbers already used', restart, -20, [0, 1, 2, 3, 4, 5, 6, 7]);
test('two numbers back', restart, -2, [0, 1, 2, 3, 4, 5, 6, 7]);
test('one number back: one frame is the price', restart, -1, [1, 2, 3, 4, 5, 6, 7]);
test('just before all that was used', restart, -43, [3, 4, 5, 6, 7]);

test('the first frame after a restart is given out after reorderMs when it stays alone', (t) => {
  const unpacker = new Unpacker({ reorderMs: 100 });
  unpacker.push(markedFrame(1), 0);
  t.deepEqual(unpacker.push(markedFrame(0x70000000, 9), 10), []);
  t.is(unpacker.nextDeadlineMs(), 110);
  t.deepEqual(marks(unpacker.flush(110)), [9]);
  t.deepEqual(marks(unpacker.push(markedFrame(0x70000001, 10), 111)), [10]);
  t.is(unpacker.stats.resyncs, 1);
});

test('what was held is given out before a restarted sender is followed', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(markedFrame(1), 0);
  unpacker.push(markedFrame(3), 0);
  unpacker.push(markedFrame(0x70000001, 11), 1);
  t.deepEqual(marks(unpacker.push(markedFrame(0x70000000, 10), 2)), [3, 10, 11]);
});

test('strays held are few: of nine unrelated ones the first is forgotten', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(markedFrame(1), 0);
  for (let i = 1; i <= 9; i++) unpacker.push(markedFrame(i << 28, i), 0);
  t.deepEqual(unpacker.push(markedFrame((1 << 28) + 1, 99), 0), []);
  t.deepEqual(marks(unpacker.push(markedFrame((9 << 28) + 1, 10), 0)), [9, 10]);
});

test('a late frame numbered 0 is late, not a restart', (t) => {
  const unpacker = new Unpacker({ reorderFrames: 0 });
  for (const sequence of [-2, -1, 1]) unpacker.push(markedFrame(sequence, sequence + 5), 0);
  unpacker.push(markedFrame(0, 5), 0);
  t.is(unpacker.stats.late, 1);
  t.is(unpacker.nextDeadlineMs(), null);
});

test('a stray frame within a living stream is thrown away', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(markedFrame(1), 0);
  t.deepEqual(unpacker.push(markedFrame(0x70000000, 9), 10), []);
  t.deepEqual(marks(unpacker.push(markedFrame(2), 20)), [2]);
  t.deepEqual(unpacker.flush(1000), []);
  t.is(unpacker.nextDeadlineMs(), null);
  t.deepEqual(marks(unpacker.push(markedFrame(3), 1001)), [3]);
  t.is(unpacker.stats.resyncs, 0);
});

test('an outage is counted as loss, and the stream goes on with its next two frames', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(markedFrame(0), 0);
  t.deepEqual(unpacker.push(markedFrame(5001, 1), 10), []);
  t.deepEqual(marks(unpacker.push(markedFrame(5002, 2), 20)), [1, 2]);
  const { lost, resyncs } = unpacker.stats;
  t.deepEqual({ lost, resyncs }, { lost: 5000, resyncs: 0 });
});

test('a restart never joins the head of an old packet to the tail of a new one', (t) => {
  const packet = (mark: number): string =>
    hex(buildIpv4([10, 0, 0, 1], [10, 0, 0, 2], new Uint8Array(60).fill(mark)));
  const frames = (mark: number): Uint8Array[] => [
    fromHex(`0000000000000000${packet(mark).slice(0, 100)}`),
    fromHex(`000000010000001e${packet(mark).slice(100)}`),
  ];
  const unpacker = new Unpacker();
  t.deepEqual(unpacker.push(frames(1)[0]!, 0), []);
  const received = frames(2).flatMap((frame) => unpacker.push(frame, 1));
  received.push(...unpacker.flush(1000));
  t.deepEqual(received, []);
});

test('a head is not completed by a tail of the same length that another stream begins with', (t) => {
  const unpacker = new Unpacker();
  unpacker.push(fromHex(`0000000100000000${head}`), 0);
  unpacker.push(fromHex(`7000000000000014${tail}`), 1);
  t.deepEqual(marks(unpacker.push(markedFrame(0x70000001, 9), 2)), [9]);
  t.is(unpacker.stats.incomplete, 1);
});

const split = wireCases[1]!;

test('a lost frame costs the packets with bytes in it, no more', (t) => {
  const survivors = [
    [cameraPacket],
    [plugPacket, cameraPacket],
    [plugPacket],
    [plugPacket, echoPacket],
  ];
  for (const [missing, expected] of survivors.entries()) {
    const unpacker = new Unpacker();
    const frames = split.frames.filter((_, i) => i !== missing).map(fromHex);
    const received = frames.flatMap((frame) => unpacker.push(frame, 0));
    received.push(...unpacker.flush(1000));
    t.deepEqual(received.map(hex), expected, `without frame ${missing}`);
    t.is(unpacker.stats.damaged, 0);
  }
});

test('an all-pad frame may stand between the fragments of a packet', (t) => {
  const unpacker = new Unpacker();
  const received = [
    '0000000100000000 4500002800004000401166dac0a801330a090807',
    '0000000200000000 0000000000000000000000000000000000000000',
    '0000000300000014 c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3',
  ].flatMap((frame) => unpacker.push(fromHex(frame), 0));
  t.deepEqual(received.map(hex), [cameraPacket]);
});

const damage = test.macro({
  exec(t, frames: string[], expected: string[], damaged: number) {
    const unpacker = new Unpacker();
    const received = frames.flatMap((frame) => unpacker.push(fromHex(frame), 0));
    received.push(...unpacker.flush(1000));
    t.deepEqual(received.map(hex), expected);
    t.is(unpacker.stats.damaged, damaged);
  },
  title: (name) => `damage: ${name}`,
});
const good = (sequence: string): string => `${sequence}00000000${plugPacket}`;
test(
  'datagrams too short',
  damage,
  ['', '00000001', '0000000100000000', good('00000001')],
  [plugPacket],
  3,
);
test(
  'another sub-type',
  damage,
  [`0000000101000000${plugPacket}`, good('00000002')],
  [plugPacket],
  1,
);
test('the reserved byte is ignored', damage, [`0000000100ff0000${plugPacket}`], [plugPacket], 0);
test(
  'BlockOffset short of the rest',
  damage,
  [`0000000100000000${head}`, `0000000200000013${tail}${plugPacket}`],
  [],
  2,
);
test(
  'BlockOffset beyond the rest',
  damage,
  [`0000000100000000${head}`, `0000000200000015${tail}00${plugPacket}`],
  [plugPacket],
  1,
);
test(
  'BlockOffset 0 where a rest is owed',
  damage,
  [`0000000100000000${head}`, good('00000002')],
  [plugPacket],
  1,
);
test('a rest nobody began', damage, [`0000000100000014${tail}${plugPacket}`], [plugPacket], 0);
test(
  'BlockOffset past the end, nothing begun',
  damage,
  [`000000010000ffff${plugPacket}`, good('00000002')],
  [plugPacket],
  0,
);
test(
  'BlockOffset past the largest packet',
  damage,
  [`0000000100000000${head}`, `000000020000ffff${tail}`, good('00000003')],
  [plugPacket],
  1,
);
test(
  'a length field that came later and disagrees',
  damage,
  ['000000010000000045', `0000000200000026${cameraPacket.slice(2)}`, good('00000003')],
  [plugPacket],
  2,
);
test(
  'an IPv4 header checksum',
  damage,
  [`0000000100000000${head.replace('66da', '66db')}${tail}${plugPacket}`, good('00000002')],
  [plugPacket],
  1,
);
test(
  'an IPv4 header checksum of a split packet',
  damage,
  [`0000000100000000${head.replace('66da', '66db')}`, `0000000200000014${tail}${plugPacket}`],
  [plugPacket],
  1,
);
test(
  'BlockOffset wrong in the middle, right at the end',
  damage,
  [
    `0000000100000000${head}`,
    `0000000200000015${tail.slice(0, 20)}`,
    `000000030000000a${tail.slice(20)}`,
    good('00000004'),
  ],
  [plugPacket],
  1,
);
test(
  'BlockOffset wrong where the length field ends, right at the end',
  damage,
  [
    '000000010000000045',
    `0000000200000028${cameraPacket.slice(2, 42)}`,
    `0000000300000013${cameraPacket.slice(42)}`,
    good('00000004'),
  ],
  [plugPacket],
  1,
);
test(
  'a datagram larger than any packet, where a rest of unknown length is owed',
  damage,
  ['000000010000000045', `000000020000ffff${'45'.repeat(3000)}`, good('00000003')],
  [plugPacket],
  1,
);
test(
  'IP version 7',
  damage,
  [`000000010000000070${plugPacket}`, good('00000002')],
  [plugPacket],
  1,
);
test(
  'an IPv4 total length of 0',
  damage,
  [`000000010000000045000000${plugPacket}`, good('00000002')],
  [plugPacket],
  1,
);
test(
  'larger than maxPacketBytes',
  damage,
  [`0000000100000000450005dd${head.slice(8)}`, `00000002000005c9${tail}`, good('00000003')],
  [plugPacket],
  1,
);

test('a packet of exactly maxPacketBytes passes, one byte more does not', (t) => {
  const packet = buildIpv4([10, 0, 0, 1], [10, 0, 0, 2], new Uint8Array(80));
  const frame = fromHex(`0000000100000000${hex(packet)}`);
  t.is(new Unpacker({ maxPacketBytes: 100 }).push(frame, 0).length, 1);
  t.is(new Unpacker({ maxPacketBytes: 99 }).push(frame, 0).length, 0);
});
