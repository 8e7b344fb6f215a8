// Reading traces: whose packet, which way, in what order.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { isLocalAddress } from '../../src/core/capture/addresses.ts';
import { decodePacket } from '../../src/core/capture/decode.ts';
import { linkTypes } from '../../src/core/capture/link-layer.ts';
import { ownerOf } from '../../src/shell/simulation/packet-owner.ts';
import { type DeviceSample, openTrace, pushSegments } from '../../src/shell/simulation/trace.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { encodeCapture } from '../capture/capture-writer.ts';

const device = [0x18, 0xb4, 0x30, 0, 0, 1];
const router = [2, 0, 0, 0, 0, 9];
const home = [192, 168, 1, 50];
const cloud = [52, 1, 2, 3];

function ipv4(source: number[], destination: number[], bytes: number, macs = [router, device]) {
  const data = new Uint8Array(14 + bytes);
  data.set([...macs[0]!, ...macs[1]!, 8, 0, 0x45, 0, bytes >> 8, bytes & 255, 0, 0, 0, 0, 64, 17]);
  data.set([...source, ...destination], 26);
  return data;
}

const packet = (data: Uint8Array, linkType: number = linkTypes.ethernet) => ({
  index: 0,
  timeS: 1,
  linkType,
  data,
  originalBytes: data.length,
});

test('the local end of a packet is the device, named by its MAC address', (t) => {
  const mac = '18:b4:30:00:00:01';
  t.deepEqual(ownerOf(packet(ipv4(home, cloud, 60))), { bytes: 60, direction: 'up', device: mac });
  const down = ipv4(cloud, home, 900, [device, router]);
  t.deepEqual(ownerOf(packet(down)), { bytes: 900, direction: 'down', device: mac });
});

test('what stays in the home or only passes by is nobody’s', (t) => {
  t.is(ownerOf(packet(ipv4(home, [192, 168, 1, 2], 60))), null);
  t.is(ownerOf(packet(ipv4(home, [239, 255, 255, 250], 60))), null);
  t.is(ownerOf(packet(ipv4(cloud, [8, 8, 8, 8], 60))), null);
  t.is(ownerOf(packet(new Uint8Array(10))), null);
});

test('a chosen device may talk within the home too', (t) => {
  const local = packet(ipv4(home, [192, 168, 1, 2], 60));
  const chosen = { ip: '192.168.1.50' };
  t.is(ownerOf(local, { device: chosen }), null);
  t.deepEqual(ownerOf(local, { device: chosen, lan: true }), {
    bytes: 60,
    direction: 'up',
    device: '192.168.1.50',
  });
  t.is(ownerOf(local, { device: { mac: '00:00:00:00:00:01' }, lan: true }), null);
});

test('without Ethernet a device is its address', (t) => {
  const raw = ipv4(home, cloud, 60).subarray(14);
  t.deepEqual(ownerOf(packet(raw, linkTypes.raw)), {
    bytes: 60,
    direction: 'up',
    device: '192.168.1.50',
  });
});

test('the quick way of reading headers agrees with the decoder', (t) => {
  const byte = fc.integer({ min: 0, max: 255 });
  const address = fc.oneof(
    fc.constantFrom<number[]>(
      [10, 0, 0, 1],
      [172, 16, 0, 1],
      [172, 32, 0, 1],
      [169, 254, 1, 1],
      [8, 8, 8, 8],
    ),
    fc.array(byte, { minLength: 4, maxLength: 4 }),
  );
  const mac = fc.array(byte, { minLength: 6, maxLength: 6 });
  const bytes = fc.integer({ min: 20, max: 1500 });
  fc.assert(
    fc.property(address, address, bytes, mac, mac, (from, to, ipBytes, etherTo, etherFrom) => {
      const captured = packet(ipv4(from, to, ipBytes, [etherTo, etherFrom]));
      const decoded = decodePacket(captured)!;
      const up = isLocalAddress(decoded.source);
      const expected =
        up === isLocalAddress(decoded.destination)
          ? null
          : {
              bytes: ipBytes,
              direction: up ? 'up' : 'down',
              device: up ? decoded.etherSource : decoded.etherDestination,
            };
      t.deepEqual(ownerOf(captured), expected as ReturnType<typeof ownerOf>);
    }),
  );
});

test('super-packets are cut as the kernel would', (t) => {
  const chunk: DeviceSample[] = [];
  for (const bytes of [1500, 1501, 4000]) {
    pushSegments(chunk, { timeS: 0, bytes, direction: 'up', device: 'a' });
  }
  t.deepEqual(
    chunk.map(({ bytes }) => bytes),
    [1500, 1500, 41, 1500, 1500, 1080],
  );
});

async function withFiles(
  files: Record<string, string | Uint8Array>,
  run: (paths: string[]) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'iotshaper-trace-'));
  try {
    const paths = Object.keys(files).map((name) => join(folder, name));
    for (const [i, content] of Object.values(files).entries()) await writeFile(paths[i]!, content);
    await run(paths);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function read(trace: AsyncIterable<readonly DeviceSample[]>): Promise<DeviceSample[]> {
  const samples: DeviceSample[] = [];
  for await (const chunk of trace) samples.push(...chunk);
  return samples;
}

const csv = (times: number[]): string => times.map((timeS) => `${timeS},100,1\n`).join('');

test('files are merged in the order of time, whatever their chunks', async (t) => {
  const many = Array.from({ length: 3000 }, (_, i) => i);
  const files = { 'a.csv': csv(many), 'b.csv': csv([0.5, 2000.5]), 'c.csv': csv([5000]) };
  await withFiles(files, async (paths) => {
    const merged = await read(openTrace(nodeSystem, paths));
    t.is(merged.length, 3003);
    t.true(merged.every(({ timeS }, i) => i === 0 || timeS >= merged[i - 1]!.timeS));
    t.is(merged[1]!.device, 'b.csv');
    t.is(merged.at(-1)!.device, 'c.csv');
  });
});

test('shifted files all begin at 0', async (t) => {
  await withFiles({ 'a.csv': csv([10, 11]), 'b.csv': csv([1e9, 1e9 + 2]) }, async (paths) => {
    const merged = await read(openTrace(nodeSystem, paths, { shift: true }));
    t.deepEqual(
      merged.map(({ timeS }) => timeS),
      [0, 0, 1, 2],
    );
  });
});

test('a file is repeated, a second apart, until the hours are full', async (t) => {
  await withFiles({ 'a.csv': csv([50, 51]) }, async (paths) => {
    const repeated = await read(openTrace(nodeSystem, paths, { hours: 5 / 3600 }));
    t.deepEqual(
      repeated.map(({ timeS }) => timeS),
      [0, 1, 2, 3, 4, 5],
    );
  });
});

test('captures and CSV may be mixed; a broken file is named', async (t) => {
  const capture = encodeCapture(linkTypes.ethernet, [
    { timeS: 0.5, data: ipv4(home, cloud, 60) },
    { timeS: 2, data: ipv4(home, cloud, 70) },
  ]);
  await withFiles({ 'a.csv': csv([0, 1]), 'b.pcap': capture }, async (paths) => {
    const merged = await read(openTrace(nodeSystem, paths));
    t.deepEqual(
      merged.map(({ bytes }) => bytes),
      [100, 60, 100, 70],
    );
  });
  await withFiles({ 'bad.csv': 'time,size,direction\n1,x,1\n' }, async (paths) => {
    const error = await t.throwsAsync(read(openTrace(nodeSystem, paths)));
    t.regex(error!.message, /bad\.csv: line 2: size is "x"/);
  });
});
