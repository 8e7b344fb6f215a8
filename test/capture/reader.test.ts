// Reading captures: every format, every split, every kind of damage.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { FLOWS_REFUSED } from '../../src/core/capture/flows-refused.ts';
import {
  type CapturedPacket,
  CaptureError,
  openCapture,
  readPackets,
} from '../../src/shell/capture/reader.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { runs } from '../property-runs.ts';
import { encodeCapture, encodePcapHeader, encodePcapRecord } from './capture-writer.ts';
import {
  Bytes,
  block,
  concat,
  enhancedBlock,
  ethernetFrame,
  interfaceBlock,
  pcap,
  sectionBlock,
  udpPacket,
} from './packets.ts';

const frame = ethernetFrame(udpPacket({ payload: Uint8Array.of(1, 2, 3) }));
const other = ethernetFrame(udpPacket({ payload: Uint8Array.of(4) }));

async function* inChunks(
  bytes: Uint8Array,
  chunkBytes = bytes.length || 1,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

/** What a reader hands over, and what it throws after that. */
async function drain(bytes: Uint8Array, chunkBytes?: number) {
  const packets: CapturedPacket[] = [];
  let error: unknown = null;
  try {
    for await (const packet of readPackets(inChunks(bytes, chunkBytes), 'x.pcap'))
      packets.push(packet);
  } catch (thrown) {
    error = thrown;
  }
  return { packets, error };
}

const twoPackets = {
  'pcap, little-endian, µs': pcap([
    { seconds: 10, fraction: 500_000, data: frame },
    { seconds: 11, fraction: 1, data: other, original: 900 },
  ]),
  'pcap, big-endian, µs': pcap(
    [
      { seconds: 10, fraction: 500_000, data: frame },
      { seconds: 11, fraction: 1, data: other, original: 900 },
    ],
    { little: false },
  ),
  'pcap, little-endian, ns': pcap(
    [
      { seconds: 10, fraction: 500_000_000, data: frame },
      { seconds: 11, fraction: 1000, data: other, original: 900 },
    ],
    { nanoseconds: true },
  ),
  'pcap, big-endian, ns': pcap(
    [
      { seconds: 10, fraction: 500_000_000, data: frame },
      { seconds: 11, fraction: 1000, data: other, original: 900 },
    ],
    { little: false, nanoseconds: true },
  ),
  'pcapng, little-endian, µs by default': concat(
    sectionBlock(true),
    interfaceBlock(true),
    enhancedBlock(true, 10_500_000, frame),
    enhancedBlock(true, 11_000_001, other, { original: 900 }),
  ),
  'pcapng, big-endian, ns': concat(
    sectionBlock(false),
    interfaceBlock(false, { resolution: 9 }),
    enhancedBlock(false, 10_500_000_000, frame),
    enhancedBlock(false, 11_000_001_000, other, { original: 900 }),
  ),
  'pcapng, ticks of 2^-20 s, offset, foreign blocks between': concat(
    sectionBlock(true),
    interfaceBlock(true, { resolution: 0x80 | 20, offsetS: 9 }),
    block(true, 0x0bad, new Uint8Array(100_000)),
    enhancedBlock(true, 1.5 * 2 ** 20, frame),
    block(true, 5, new Uint8Array(0)),
    enhancedBlock(true, 2 * 2 ** 20 + 1, other, { original: 900 }),
  ),
  'pcapng, a second section in the other byte order': concat(
    sectionBlock(true),
    interfaceBlock(true),
    enhancedBlock(true, 10_500_000, frame),
    sectionBlock(false),
    interfaceBlock(false),
    enhancedBlock(false, 11_000_001, other, { original: 900 }),
  ),
  'pcapng, the old packet block': concat(
    sectionBlock(true),
    interfaceBlock(true),
    block(
      true,
      2,
      new Bytes(true)
        .u16(0, 0)
        .u32(0, 10_500_000, frame.length, frame.length)
        .raw(frame)
        .pad()
        .done(),
    ),
    block(
      true,
      2,
      new Bytes(true).u16(0, 7).u32(0, 11_000_001, other.length, 900).raw(other).pad().done(),
    ),
  ),
};

for (const [name, bytes] of Object.entries(twoPackets)) {
  test(`reads ${name}`, async (t) => {
    const { packets, error } = await drain(bytes);
    t.is(error, null);
    t.deepEqual(
      packets.map(({ index, linkType, originalBytes }) => [index, linkType, originalBytes]),
      [
        [0, 1, frame.length],
        [1, 1, 900],
      ],
    );
    t.deepEqual(
      packets.map(({ data }) => Buffer.from(data)),
      [Buffer.from(frame), Buffer.from(other)],
    );
    t.is(packets[0]!.timeS, 10.5);
    t.true(Math.abs(packets[1]!.timeS - 11.000001) < 1e-7);
  });

  test(`reads the same however it is split: ${name}`, async (t) => {
    const whole = (await drain(bytes)).packets.map((packet) => ({
      ...packet,
      data: [...packet.data],
    }));
    for (const chunkBytes of [1, 2, 3, 7, 16, 61]) {
      const { packets, error } = await drain(bytes, chunkBytes);
      t.is(error, null);
      t.deepEqual(
        packets.map((packet) => ({ ...packet, data: [...packet.data] })),
        whole,
      );
    }
  });

  test(`keeps what was good before a cut: ${name}`, async (t) => {
    const small = bytes.length > 5000 ? 3000 : bytes.length;
    for (let length = 0; length < small; length++) {
      const { packets, error } = await drain(bytes.subarray(0, length));
      t.true(packets.length <= 2);
      packets.forEach((packet, i) => {
        t.deepEqual([...packet.data], [...(i === 0 ? frame : other)]);
      });
      if (error === null) continue;
      t.true(error instanceof CaptureError, String(error));
      const { packetIndex, offset, message } = error as CaptureError;
      t.is(packetIndex, packets.length);
      t.true(offset <= length);
      t.true(
        message.startsWith(
          `x.pcap: packet ${packetIndex + 1} (index ${packetIndex}) at byte ${offset}: `,
        ),
      );
    }
  });
}

test('a pcapng simple packet has the time of the one before it', async (t) => {
  const simple = block(true, 3, new Bytes(true).u32(frame.length).raw(frame).pad().done());
  const { packets, error } = await drain(
    concat(sectionBlock(true), interfaceBlock(true), enhancedBlock(true, 7_000_000, other), simple),
  );
  t.is(error, null);
  t.deepEqual([...packets[1]!.data], [...frame]);
  t.is(packets[1]!.timeS, 7);
});

test('a capture without packets is no error', async (t) => {
  t.deepEqual(await drain(pcap([])), { packets: [], error: null });
  t.deepEqual(await drain(sectionBlock(false)), { packets: [], error: null });
});

const good = { seconds: 1, fraction: 2, data: frame };
const goodEnd = 24 + 16 + frame.length;
const ng = concat(sectionBlock(true), interfaceBlock(true));
const record = (...words: number[]) => new Bytes(true).u32(...words).done();

const broken: Record<
  string,
  readonly [bytes: Uint8Array, good: number, offset: number, problem: string]
> = {
  'empty file': [new Uint8Array(0), 0, 0, 'the file is empty'],
  'three bytes': [
    Uint8Array.of(0xd4, 0xc3, 0xb2),
    0,
    0,
    'cut off: only 3 bytes, no capture header',
  ],
  'something else': [
    Buffer.from('<html>'),
    0,
    0,
    'is neither pcap nor pcapng (it begins with 3c68746d)',
  ],
  ...Object.fromEntries(
    Object.entries({
      'a file of nfcapd': [0x0c, 0xa5, 2, 0],
      'NetFlow 5': [0, 5, 0, 30],
      'NetFlow 9': [0, 9, 0, 4],
      IPFIX: [0, 10, 1, 0],
      'a log of Zeek': [...Buffer.from('#separator')],
      'a log of Zeek as JSON': [...Buffer.from('{"ts":1591367999.3')],
    }).map(([what, begin]) => [what, [Uint8Array.from(begin), 0, 0, FLOWS_REFUSED] as const]),
  ),
  compressed: [
    Uint8Array.of(0x1f, 0x8b, 8, 0),
    0,
    0,
    'is compressed with gzip: unpack it first (gunzip)',
  ],
  'a file header cut off': [
    pcap([]).subarray(0, 20),
    0,
    0,
    'cut off in the file header: 20 of 24 bytes',
  ],
  'pcap of version 9': [
    new Bytes(true).u32(0xa1b2c3d4).u16(9, 1).u32(0, 0, 0, 1).done(),
    0,
    0,
    'pcap version 9.1 is unknown, 2.4 is usual',
  ],
  'a packet cut off': [
    pcap([good, good]).subarray(0, -1),
    1,
    goodEnd,
    `cut off: ${frame.length - 1} of ${frame.length} bytes`,
  ],
  'a packet header cut off': [
    concat(pcap([good]), new Uint8Array(5)),
    1,
    goodEnd,
    'cut off in its header: 5 of 16 bytes',
  ],
  'a length of four gigabytes': [
    concat(pcap([good]), record(1, 0, 0xffffffff, 0xffffffff), frame),
    1,
    goodEnd,
    'says 4294967295 bytes were captured, more than the 262144 any can be',
  ],
  'more captured than there was': [
    concat(pcap([good]), record(1, 0, 40, 39), frame),
    1,
    goodEnd,
    'says 40 bytes were captured of a packet of 39',
  ],
  'a fraction of more than a second': [
    concat(pcap([good]), record(1, 1_000_000, 4, 4), frame),
    1,
    goodEnd,
    "its time's fraction 1000000 is not below 1000000",
  ],
  'a byte-order mark that is none': [
    new Bytes(true).u32(0x0a0d0d0a, 28, 0x12345678).done(),
    0,
    0,
    "the section header's byte-order mark is 78563412, not 1a2b3c4d",
  ],
  'a block shorter than a block': [
    concat(ng, enhancedBlock(true, 1, frame), record(6, 8)),
    1,
    ng.length + enhancedBlock(true, 1, frame).length,
    'block of type 6 says it is 8 bytes long, which no block can be',
  ],
  'a packet block of two gigabytes': [
    concat(ng, record(6, 0x7ffffff0)),
    0,
    ng.length,
    'block of type 6 says it is 2147483632 bytes long: too long to be true',
  ],
  'a foreign block of two gigabytes': [
    concat(ng, record(99, 0x7ffffff0), new Uint8Array(64)),
    0,
    ng.length,
    'cut off: 64 of 2147483620 bytes',
  ],
  'two lengths of a block that differ': [
    concat(ng, record(99, 16, 0, 20)),
    0,
    ng.length,
    'block of type 99 begins with length 16 and ends with 20',
  ],
  'a packet of no interface': [
    concat(sectionBlock(true), enhancedBlock(true, 1, frame, { id: 3 })),
    0,
    sectionBlock(true).length,
    'belongs to interface 3, but 0 are described',
  ],
  'more captured than its block holds': [
    concat(ng, enhancedBlock(true, 1, frame, { captured: 5000, original: 5000 })),
    0,
    ng.length,
    `says 5000 bytes were captured, its block has room for ${Math.ceil(frame.length / 4) * 4}`,
  ],
};

for (const [name, [bytes, kept, offset, problem]] of Object.entries(broken)) {
  test(`refuses ${name}`, async (t) => {
    const { packets, error } = await drain(bytes);
    t.is(packets.length, kept);
    t.is(
      (error as Error).message,
      `x.pcap: packet ${kept + 1} (index ${kept}) at byte ${offset}: ${problem}`,
    );
  });
}

test('no damage makes it throw anything but CaptureError, nor hand over a packet longer than the file', async (t) => {
  const originals = Object.values(twoPackets).filter((bytes) => bytes.length < 5000);
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 64 }),
        async (original, changes, chunkBytes) => {
          const bytes = original.slice();
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          const { packets, error } = await drain(bytes, chunkBytes);
          if (error !== null && !(error instanceof CaptureError)) throw error;
          return packets.every(({ data }) => data.length <= bytes.length);
        },
      ),
      { numRuns: runs(500) },
    ),
  );
});

test('what the writer writes the reader reads', async (t) => {
  const arbitrary = fc.array(
    fc.record({
      timeS: fc.double({ min: 0, max: 2 ** 31, noNaN: true }),
      data: fc.uint8Array({ maxLength: 80 }),
      snipped: fc.nat(1400),
    }),
    { maxLength: 20 },
  );
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(arbitrary, async (wanted) => {
        const written = wanted.map(({ timeS, data, snipped }) => ({
          timeS,
          data,
          originalBytes: data.length + snipped,
        }));
        const { packets, error } = await drain(encodeCapture(101, written));
        return (
          error === null &&
          packets.length === written.length &&
          packets.every(
            (packet, i) =>
              packet.linkType === 101 &&
              Math.abs(packet.timeS - written[i]!.timeS) < 1e-6 &&
              Buffer.compare(packet.data, written[i]!.data) === 0 &&
              packet.originalBytes === written[i]!.originalBytes,
          )
        );
      }),
      { numRuns: 100 },
    ),
  );
});

test.serial('memory does not grow with the file', async (t) => {
  const record = encodePcapRecord({ timeS: 1e9, data: new Uint8Array(1400) });
  const chunk = Buffer.concat(Array.from({ length: 40 }, () => record));
  async function* endless(chunks: number): AsyncGenerator<Uint8Array> {
    yield encodePcapHeader(1);
    // Copies, so that a reader which kept them would show.
    for (let i = 0; i < chunks; i++) yield Buffer.from(chunk);
  }
  const before = process.memoryUsage.rss();
  let bytes = 0;
  for await (const { data } of readPackets(endless(5000), 'endless')) bytes += data.length;
  const grownMB = (process.memoryUsage.rss() - before) / 1e6;
  t.is(bytes, 5000 * 40 * 1400);
  t.true(grownMB < 140, `${grownMB.toFixed(0)} MB more after ${(bytes / 1e6).toFixed(0)} MB`);
});

test('stops reading its source when no one wants more', async (t) => {
  let closed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield pcap([good, good]);
      yield pcap([good]);
    } finally {
      closed = true;
    }
  }
  for await (const packet of readPackets(source(), 'x')) {
    t.is(packet.index, 0);
    break;
  }
  t.true(closed);
});

test('opens real captures', async (t) => {
  const read = async (path: string) => {
    const packets: CapturedPacket[] = [];
    for await (const packet of openCapture(nodeSystem, path)) packets.push(packet);
    return packets;
  };
  const plug = await read('test/fixtures/capture/tp-link-plug-setup.pcap');
  t.is(plug.length, 52);
  const hub = await read('test/fixtures/capture/blink-hub.pcapng');
  t.is(hub.length, 12);
  t.true(Math.abs(hub[0]!.timeS - 1556229621.473187) < 1e-6);
  t.deepEqual(
    hub.map(({ originalBytes }) => originalBytes),
    [135, 66, 135, 66, 135, 66, 60, 42, 135, 66, 135, 66],
  );
});

test('a capture packed with gzip is told by its content, cut off or not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'iotshaper-gzip-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const packed = gzipSync(await readFile('test/fixtures/capture/tp-link-plug-setup.pcap'));
  const read = async (name: string, bytes: Uint8Array) => {
    const path = join(folder, name);
    await writeFile(path, bytes);
    let packets = 0;
    let problem = '';
    try {
      for await (const _ of openCapture(nodeSystem, path)) packets++;
    } catch (error) {
      t.true(error instanceof CaptureError);
      problem = (error as Error).message;
    }
    return { packets, problem };
  };
  t.deepEqual(await read('capture.pcap', packed), { packets: 52, problem: '' });
  const cut = await read('cut.pcap.gz', packed.subarray(0, packed.length - 400));
  t.regex(cut.problem, /cannot be read: .*(unexpected end|cut off)/);
  const damaged = Uint8Array.from(packed);
  damaged.fill(255, 20, 60);
  t.regex((await read('damaged.gz', damaged)).problem, /cannot be read: /);
});

test('what cannot be read of a capture is named and counted, what is of another time set aside', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'iotshaper-notes-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'odd.pcap');
  const packet = (timeS: number) =>
    encodePcapRecord({ timeS, data: Uint8Array.of(1, 2, 3), originalBytes: 3 });
  const times = [...Array.from({ length: 20 }, (_, i) => 1_700_000_000 + i), 5];
  await writeFile(path, Buffer.concat([encodePcapHeader(147), ...times.map(packet)]));
  const notes: string[] = [];
  let packets = 0;
  for await (const _ of openCapture(nodeSystem, path, { warn: (note) => notes.push(note) }))
    packets++;
  t.is(packets, 20);
  t.deepEqual(notes.sort(), [
    `${path}: 21 of 21 packets are of link type 147 (USER0), which cannot be read, and left out`,
    `${path}: one packet is dated 1970-01-01 00:00, far from all others, and left out`,
  ]);
});

test('says which file cannot be opened, and why', async (t) => {
  const open = async (path: string) => {
    for await (const _ of openCapture(nodeSystem, path)) t.fail();
  };
  const missing = await t.throwsAsync(open('test/no-such.pcap'), { instanceOf: CaptureError });
  t.is(missing.message, 'test/no-such.pcap: cannot be read: no such file');
  const directory = await t.throwsAsync(open('test'), { instanceOf: CaptureError });
  t.is(directory.message, 'test: cannot be read: is a directory');
});
