// Records of flows: NetFlow, IPFIX, nfcapd's files, as two programs made them of the same capture.
import { readFile } from 'node:fs/promises';
import test from 'ava';
import fc from 'fast-check';
import { CaptureError } from '../../src/core/capture/error.ts';
import { linkTypes } from '../../src/core/capture/link-layer.ts';
import {
  ExportDecoder,
  isExport,
  messageLength,
} from '../../src/research/capture/flows/export-decoder.ts';
import { fromUptime } from '../../src/research/capture/flows/export-fields.ts';
import type { FlowRecord } from '../../src/research/capture/flows/flow-record.ts';
import { unpackLz4 } from '../../src/research/capture/flows/lz4-block.ts';
import { openSource, type Source } from '../../src/research/capture/source.ts';
import type { System } from '../../src/shell/system/system.ts';
import { runs } from '../property-runs.ts';
import { encodeCapture } from './capture-writer.ts';
import { ethernetFrame, udpPacket, uint16 } from './packets.ts';

const folder = 'test/fixtures/flows';
const fixtures = ['netflow-v5.bin', 'netflow-v9.bin', 'ipfix.bin', 'nfcapd-plain', 'nfcapd-lz4'];

function systemOf(bytes: Uint8Array): Pick<System, 'files'> {
  const readPieces = async function* () {
    for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
  };
  return { files: { readPieces } } as unknown as Pick<System, 'files'>;
}

async function open(bytes: Uint8Array, warnings: string[] = []): Promise<Source> {
  return openSource(systemOf(bytes), 'file', {
    notes: { warn: (message) => warnings.push(message) },
    onName: () => {},
    onHost: () => {},
  });
}

async function flowsOf(bytes: Uint8Array, warnings: string[] = []): Promise<FlowRecord[]> {
  const source = await open(bytes, warnings);
  if (source.kind !== 'flows') throw new Error(`read as ${source.kind}`);
  const flows: FlowRecord[] = [];
  for await (const flow of source.flows) flows.push(flow);
  return flows;
}

for (const fixture of fixtures) {
  test(`${fixture} is told by its content and holds what was in the capture`, async (t) => {
    const flows = await flowsOf(await readFile(`${folder}/${fixture}`));
    t.is(flows.length, 11);
    t.is(
      flows.reduce((sum, { packets }) => sum + packets, 0),
      45,
    );
    t.is(
      flows.reduce((sum, { bytes }) => sum + bytes, 0),
      12_815,
    );
    const up = flows.find(({ destination }) => destination === '52.49.65.150')!;
    t.deepEqual(
      [up.source, up.protocol, up.sourcePort, up.destinationPort, up.packets, up.bytes],
      ['10.10.10.20', 6, 34_988, 50_443, 18, 3999],
    );
    t.true(Math.abs(up.durationS - 33.6) < 0.05, `${up.durationS}`);
    const first = Math.min(...flows.map(({ timeS }) => timeS));
    t.true(Math.abs(up.timeS - first - 2.62) < 0.01, `${up.timeS - first}`);
    t.is(new Date(1000 * first).getUTCFullYear(), 2026);
  });
}

test('exports in a capture are read, several exporters apart, templates remembered', async (t) => {
  const v9 = await readFile(`${folder}/netflow-v9.bin`);
  const packets = [1, 2, 3].map((second) => ({
    timeS: 1_800_000_000 + second,
    data: ethernetFrame(udpPacket({ destinationPort: 2055, payload: v9 })),
  }));
  const flows = await flowsOf(encodeCapture(linkTypes.ethernet, packets));
  t.is(flows.length, 33);
});

test('records before their template are counted and told', async (t) => {
  const v9 = await readFile(`${folder}/netflow-v9.bin`);
  // The first template set is made a set of options that nothing follows.
  const decoder = new ExportDecoder();
  const message = Uint8Array.from(v9);
  for (let at = 20; at + 4 <= message.length; ) {
    if (message[at] === 0 && message[at + 1] === 0) message.set(uint16(200), at);
    at += message[at + 2]! * 256 + message[at + 3]!;
  }
  t.deepEqual(decoder.decode(message), []);
  t.true(decoder.faults.withoutTemplate > 0);
});

test('a message of v9 ends where the next one begins', async (t) => {
  const v9 = await readFile(`${folder}/netflow-v9.bin`);
  const ipfix = await readFile(`${folder}/ipfix.bin`);
  t.is(messageLength(Buffer.concat([v9, ipfix]), 0, true), v9.length);
  const flows = await flowsOf(Buffer.concat([v9, ipfix, v9]));
  t.is(flows.length, 33);
});

test('uptimes that turned over since the flow began count from the turn before', (t) => {
  const exportS = 1_800_000_000;
  // Booted 50 days ago: 32 bits of milliseconds last 49.7.
  const bootS = exportS - 50 * 86_400;
  const uptimeMs = (50 * 86_400_000 - 5000) % 2 ** 32;
  t.true(
    Math.abs(fromUptime(uptimeMs, { bootS: bootS + 2 ** 32 / 1000, exportS }) - exportS + 5) < 0.01,
  );
  t.true(
    Math.abs(fromUptime(2 ** 32 - 1000, { bootS: exportS - 10, exportS }) - exportS + 11) < 0.01,
  );
});

test('a file that is cut off gives what was before, and says where', async (t) => {
  const v5 = await readFile(`${folder}/netflow-v5.bin`);
  const source = await open(Buffer.concat([v5, v5.subarray(0, 100)]));
  const flows: unknown[] = [];
  const error = await t.throwsAsync(
    async () => {
      if (source.kind === 'flows') for await (const flow of source.flows) flows.push(flow);
    },
    { instanceOf: CaptureError },
  );
  t.is(flows.length, 11);
  t.regex(error!.message, /^file: packet 2 .* at byte 552: cut off: 100 of 552 bytes/);
});

test('files of nfdump that cannot be read say how to make them readable', async (t) => {
  const good = await readFile(`${folder}/nfcapd-plain`);
  const changed = (at: number, value: number) => {
    const bytes = Uint8Array.from(good);
    bytes[at] = value;
    return bytes;
  };
  await t.throwsAsync(flowsOf(changed(2, 1)), { message: /nfdump 1\.6.*nfdump -r FILE -w NEW/ });
  await t.throwsAsync(flowsOf(changed(16, 1)), { message: /packed with LZO.*nfdump -J 0/ });
  await t.throwsAsync(flowsOf(changed(17, 1)), { message: /encrypted/ });
});

test('what is none of all these says so', async (t) => {
  const error = await t.throwsAsync(open(Uint8Array.from([1, 2, 3, 4, 0, 0, 0, 0])));
  t.regex(error!.message, /none of pcap, pcapng, NetFlow.*begins with 01020304/);
});

test('LZ4 blocks repeat what they overlap, and damaged ones are refused', (t) => {
  // "ab", then ten bytes from two back, then the last literals.
  const block = Uint8Array.from([0x26, 97, 98, 2, 0, 0x10, 99]);
  t.is(Buffer.from(unpackLz4(block, 100)).toString(), 'ababababababc');
  t.throws(() => unpackLz4(block, 5), { instanceOf: RangeError });
  t.throws(() => unpackLz4(Uint8Array.from([0x26, 97, 98, 9, 0]), 100), { instanceOf: RangeError });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        return unpackLz4(bytes, 1000).length <= 1000;
      } catch (error) {
        return error instanceof RangeError;
      }
    }),
    { numRuns: runs(200) },
  );
});

test('no bytes make an export throw, and what says to be one is no longer than it is', async (t) => {
  const examples = await Promise.all(
    fixtures.slice(0, 3).map((name) => readFile(`${folder}/${name}`)),
  );
  t.true(examples.every(isExport));
  const place = fc.record({
    example: fc.constantFrom(...examples),
    at: fc.nat(840),
    byte: fc.nat(255),
    length: fc.nat(840),
  });
  fc.assert(
    fc.property(place, ({ example, at, byte, length }) => {
      const bytes = Uint8Array.from(example.subarray(0, length));
      if (at < bytes.length) bytes[at] = byte;
      const flows = new ExportDecoder().decode(bytes);
      return flows.every(({ bytes: count, durationS }) => count >= 0 && durationS >= 0);
    }),
    { numRuns: runs(500) },
  );
});
