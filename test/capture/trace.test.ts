// A device's trace out of a capture, and traces kept as CSV.
import test from 'ava';
import { decodePacket } from '../../src/core/capture/decode.ts';
import { FLOWS_REFUSED } from '../../src/core/capture/flows-refused.ts';
import type { CapturedPacket } from '../../src/core/capture/packet.ts';
import { type DeviceSelection, directionFor, staysInHome } from '../../src/core/capture/trace.ts';
import { LineError } from '../../src/core/text/line-error.ts';
import { openSamples, readSamples } from '../../src/shell/capture/csv.ts';
import { openCapture, readPackets } from '../../src/shell/capture/reader.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { encodeCapture } from './capture-writer.ts';
import { deviceMac, ethernetFrame, routerMac, udpPacket } from './packets.ts';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A device's packets to and from the Internet, and whether each stays in the home. */
async function* packetsOf(packets: AsyncIterable<CapturedPacket>, device: DeviceSelection) {
  for await (const packet of packets) {
    const decoded = decodePacket(packet);
    const direction = decoded && directionFor(decoded, device);
    if (!decoded || !direction) continue;
    yield { timeS: packet.timeS, bytes: decoded.ipBytes, direction, local: staysInHome(decoded) };
  }
}

const up = ethernetFrame(udpPacket());
const down = ethernetFrame(udpPacket({ source: '198.51.100.7', destination: '192.168.8.11' }), {
  source: routerMac,
  destination: deviceMac,
});
const toRouter = ethernetFrame(udpPacket({ destination: '192.168.8.1' }));
const neighbour = ethernetFrame(udpPacket({ source: '192.168.8.12' }), {
  source: '02:00:00:00:00:12',
});
const arp = ethernetFrame(new Uint8Array(28), { type: [8, 6] });

function capture() {
  const packets = [up, arp, down, neighbour, toRouter].map((data, timeS) => ({ timeS, data }));
  async function* source() {
    yield encodeCapture(1, packets);
  }
  return readPackets(source(), 'x');
}

const ofTheDevice = [
  { timeS: 0, bytes: 28, direction: 'up', local: false },
  { timeS: 2, bytes: 28, direction: 'down', local: false },
  { timeS: 4, bytes: 28, direction: 'up', local: true },
];

test('a device’s packets by its MAC address', async (t) => {
  t.deepEqual(await collect(packetsOf(capture(), { mac: deviceMac })), ofTheDevice);
});

test('a device’s packets by its IP address', async (t) => {
  t.deepEqual(await collect(packetsOf(capture(), { ip: '192.168.8.11' })), ofTheDevice);
});

test('what a real plug sent to the Internet has the bytes another decoder counts', async (t) => {
  const path = 'test/fixtures/capture/tp-link-plug-setup.pcap';
  const all = await collect(packetsOf(openCapture(nodeSystem, path), { mac: '50:c7:bf:00:c7:03' }));
  const samples = all.filter(({ local }) => !local);
  const bytes = (direction: string) =>
    samples.filter((one) => one.direction === direction).reduce((sum, one) => sum + one.bytes, 0);
  t.deepEqual([samples.length, bytes('up'), bytes('down')], [34, 4075, 5252]);
});

const accepted: Record<string, string[]> = {
  'titles and an index': [',time,size,direction', '0,0.5,176.0,1.0', '1,0.75,1500.0,-1.0'],
  'titles in another order': ['direction,bytes,time', 'up,176,0.5', 'down,1500,0.75'],
  'no titles': ['0.5,176,1', '0.75,1500,-1'],
  'quotes, comments, empty lines': ['# a trace', '', '"0.5","176","out"', '0.75,1500,in'],
  'a byte-order mark': ['\uFEFFtime,size,direction', '0.5,176,1', '0.75,1500,0'],
};

for (const [name, lines] of Object.entries(accepted)) {
  test(`reads CSV with ${name}`, async (t) => {
    t.deepEqual(await collect(readSamples(lines, 'x.csv')), [
      { timeS: 0.5, bytes: 176, direction: 'up' },
      { timeS: 0.75, bytes: 1500, direction: 'down' },
    ]);
  });
}

const refused: Record<string, [lines: string[], message: string]> = {
  'an empty file': [[], 'x.csv: line 1: the file is empty'],
  'a missing column': [
    ['time,size,colour', '1,2,3'],
    'x.csv: line 1: has no column direction; expected time, size, direction',
  ],
  'a table of flows': [
    ['ts,te,td,sa,da,ipkt,ibyt', '1,2,1,a,b,3,400'],
    `x.csv: line 1: ${FLOWS_REFUSED}`,
  ],
  'no number': [
    ['time,size,direction', '1,2,1', '1,two,1'],
    'x.csv: line 3: size is "two", expected a number',
  ],
  'a negative size': [['1,-2,1'], 'x.csv: line 1: size is "-2", expected a number'],
  'a direction that is none': [
    ['1,2,1', '2,2,3'],
    'x.csv: line 2: direction is "3", expected 1 (from the device) or -1 (to it)',
  ],
  'a short line': [
    ['1,2,1', '2,2'],
    'x.csv: line 2: direction is "", expected 1 (from the device) or -1 (to it)',
  ],
};

for (const [name, [lines, message]] of Object.entries(refused)) {
  test(`refuses CSV with ${name}`, async (t) => {
    const error = await t.throwsAsync(collect(readSamples(lines, 'x.csv')), {
      instanceOf: LineError,
    });
    t.is(error.message, message);
  });
}

test('opens a CSV trace', async (t) => {
  const samples = await collect(openSamples(nodeSystem, 'test/fixtures/identify/blink-hub.csv'));
  t.is(samples.length, 937);
  await t.throwsAsync(collect(openSamples(nodeSystem, 'test/no-such.csv')), {
    instanceOf: LineError,
    message: 'test/no-such.csv: cannot be read: no such file',
  });
  await t.throwsAsync(collect(openSamples(nodeSystem, 'test')), {
    instanceOf: LineError,
    message: 'test: cannot be read: is a directory',
  });
});
