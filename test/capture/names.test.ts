// Names that go in the clear beside DNS: TLS, QUIC, DHCP, mDNS, SSDP.
import { createCipheriv } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { linkTypes } from '../../src/core/capture/link-layer.ts';
import { FlowTable } from '../../src/research/analysis/identify/flows.ts';
import { identifyDevices } from '../../src/research/analysis/identify/identify.ts';
import { defaultLabels } from '../../src/research/analysis/labels.ts';
import { readMdns, readSsdp } from '../../src/research/capture/names/announcements.ts';
import { readDhcp } from '../../src/research/capture/names/dhcp.ts';
import { openInitial } from '../../src/research/capture/names/quic-initial.ts';
import { openRecords, readHello } from '../../src/research/capture/names/tls-hello.ts';
import { openCapture } from '../../src/shell/capture/reader.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { runs } from '../property-runs.ts';
import { deviceMac, encodeName, ethernetFrame, ipv4Packet, udpPacket, uint16 } from './packets.ts';

/** The CRYPTO frame of RFC 9001's appendix A.2: a ClientHello that asks for example.com. */
const frame = Buffer.from(
  '060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868' +
    '04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578' +
    '616d706c652e636f6dff01000100000a00080006001d00170018001000070005' +
    '04616c706e000500050100000000003300260024001d00209370b2c9caa47fba' +
    'baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400' +
    '0d0010000e0403050306030203080408050806002d00020101001c0002400100' +
    '3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000' +
    '75300901100f088394c8f03e51570806048000ffff',
  'hex',
);
const hello = frame.subarray(4);

/** Seals frames as the appendix does, with its keys, its header and its packet number 2. */
function sealInitial(frames: Uint8Array): Buffer {
  const header = Buffer.from('c300000001088394c8f03e5157080000449e00000002', 'hex');
  const key = Buffer.from('1f369613dd76d5467730efcbe3b1a22d', 'hex');
  const nonce = Buffer.from('fa044b2f42a3fd3b46fb255c', 'hex');
  nonce[11]! ^= 2;
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  cipher.setAAD(header);
  const plain = Buffer.concat([frames, Buffer.alloc(1162 - frames.length)]);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  const hp = createCipheriv(
    'aes-128-ecb',
    Buffer.from('9f50449e04a0e810283a1e9933adedd2', 'hex'),
    null,
  );
  const mask = hp.update(sealed.subarray(0, 16));
  header[0]! ^= mask[0]! & 0x0f;
  for (let i = 0; i < 4; i++) header[18 + i]! ^= mask[1 + i]!;
  return Buffer.concat([header, sealed]);
}

const remote = '198.51.100.7';

function tcpSegment(payload: Uint8Array): number[] {
  return [
    ...uint16(40_000),
    ...uint16(443),
    ...new Array(8).fill(0),
    0x50,
    0x18,
    ...new Array(6).fill(0),
    ...payload,
  ];
}

function observe(...packets: Uint8Array[]): FlowTable {
  const table = new FlowTable(1);
  packets.forEach((data, index) => {
    const frameBytes = ethernetFrame(data);
    const { length } = frameBytes;
    table.add({
      index,
      timeS: 1000 + index,
      linkType: linkTypes.ethernet,
      data: frameBytes,
      originalBytes: length,
    });
  });
  return table;
}

test("RFC 9001's first packet is opened with keys made of it alone", (t) => {
  const datagram = sealInitial(frame);
  t.is(datagram.length, 1200);
  // What the appendix prints: the header as it goes out, and the last bytes.
  t.is(datagram.subarray(0, 22).toString('hex'), 'c000000001088394c8f03e5157080000449e7b9aec34');
  t.is(datagram.subarray(-16).toString('hex'), 'e221af44860018ab0856972e194cd934');
  const parts = openInitial(datagram)!;
  t.deepEqual(
    parts.map(({ offset, data }) => [offset, data.length]),
    [[0, 241]],
  );
  t.is(readHello(parts[0]!.data)!.serverName, 'example.com');
  datagram[700]! ^= 1;
  t.is(openInitial(datagram), null);
});

test('a name that comes in pieces out of order, or in two datagrams, is heard', (t) => {
  const piece = (from: number, to: number) =>
    Buffer.concat([Buffer.from([6, 0x40, from, 0x40, to - from]), hello.subarray(from, to)]);
  const whole = observe(
    udpPacket({
      payload: sealInitial(Buffer.concat([piece(60, 241), Buffer.from([1]), piece(0, 60)])),
    }),
  );
  t.deepEqual([...whole.book.namesOf(remote)], ['example.com']);
  const halves = observe(
    udpPacket({ payload: sealInitial(piece(0, 60)) }),
    udpPacket({ payload: sealInitial(piece(60, 241)) }),
  );
  t.deepEqual([...halves.book.askedBy(deviceMac)], ['example.com']);
});

test('TLS names its server, in one segment or two', (t) => {
  const record = Buffer.concat([Buffer.from([22, 3, 1, 0, hello.length]), hello]);
  t.is(readHello(openRecords(record)!)!.serverName, 'example.com');
  const one = observe(ipv4Packet(6, tcpSegment(record)));
  const two = observe(
    ipv4Packet(6, tcpSegment(record.subarray(0, 50))),
    ipv4Packet(6, tcpSegment(record.subarray(50))),
  );
  for (const table of [one, two]) {
    t.deepEqual([...table.book.askedBy(deviceMac)], ['example.com']);
    t.deepEqual(
      table.streams('wan').map(({ key, names }) => [key, names]),
      [[remote, ['example.com']]],
    );
  }
});

test('a hello of which only a part was captured names nothing', (t) => {
  for (let length = 0; length < hello.length; length++) {
    const read = readHello(hello.subarray(0, length))!;
    t.true(read.serverName === null ? read.isCut : read.serverName === 'example.com', `${length}`);
  }
});

test('a real plug says its model when it asks for an address', async (t) => {
  const table = new FlowTable(1);
  for await (const packet of openCapture(
    nodeSystem,
    'test/fixtures/capture/tp-link-plug-setup.pcap',
  ))
    table.add(packet);
  t.deepEqual(table.book.announcedBy('50:c7:bf:00:c7:03'), [
    { name: 'HS110(EU)', by: 'DHCP' },
    { name: 'udhcp 0.9.9-pre', by: 'DHCP vendor' },
  ]);
});

/** An mDNS answer: a service's name, and the host behind it. */
function mdnsAnswer(): Uint8Array {
  const service = encodeName('_hap._tcp.local');
  const instance = [22, ...Buffer.from('Hue Bridge - 0A1B2C Kü').subarray(0, 22), ...service];
  const host = encodeName('Philips-hue.local');
  const record = (name: number[], type: number, data: number[]) => [
    ...name,
    ...uint16(type),
    ...[0x80, 1, 0, 0, 0, 120],
    ...uint16(data.length),
    ...data,
  ];
  return Uint8Array.from([
    ...[0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 0],
    ...record(service, 12, instance),
    ...record(host, 1, [192, 168, 8, 11]),
  ]);
}

test('a hub that only mDNS names is called so', (t) => {
  const table = observe(
    udpPacket({
      sourcePort: 5353,
      destinationPort: 5353,
      destination: '224.0.0.251',
      payload: mdnsAnswer(),
    }),
    udpPacket({ payload: Uint8Array.from([1, 2, 3]) }),
  );
  const capture = { file: 'a', fromS: 1000, toS: 1001, streams: table.streams('lan') };
  const [device] = identifyDevices([capture], defaultLabels(), null);
  t.is(device!.basis, 'announcement');
  t.regex(device!.label, /^Hue Bridge - 0A1B2C/);
  t.deepEqual(
    device!.announced.map(({ by }) => by),
    ['mDNS', 'mDNS'],
  );
  t.is(device!.announced[1]!.name, 'Philips-hue');
});

test('SSDP names the product, questions name nothing', (t) => {
  const text = (line: string) =>
    Buffer.from(
      `${line}\r\nHOST: 239.255.255.250:1900\r\nSERVER: Linux/3.14.0 UPnP/1.0 IpBridge/1.26.0\r\n\r\n`,
    );
  t.is(readSsdp(text('NOTIFY * HTTP/1.1')), 'IpBridge/1.26.0');
  t.is(readSsdp(text('HTTP/1.1 200 OK')), 'IpBridge/1.26.0');
  t.is(readSsdp(text('M-SEARCH * HTTP/1.1')), null);
});

test('no bytes make any of them throw', (t) => {
  const seeds = [hello, sealInitial(frame), Buffer.from(mdnsAnswer())];
  const change = fc.record({
    seed: fc.nat(2),
    at: fc.nat(1200),
    byte: fc.nat(255),
    length: fc.nat(1200),
  });
  const property = fc.property(change, ({ seed, at, byte, length }) => {
    const bytes = Uint8Array.from(seeds[seed]!.subarray(0, length));
    if (at < bytes.length) bytes[at] = byte;
    readHello(bytes);
    openRecords(bytes);
    openInitial(bytes);
    readDhcp(bytes);
    readMdns(bytes);
    readSsdp(bytes);
  });
  t.notThrows(() => fc.assert(property, { numRuns: runs(300) }));
});
