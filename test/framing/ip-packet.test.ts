// Header fields, address text and the checks a packet must pass.

import test from 'ava';
import fc from 'fast-check';
import {
  ipDestination,
  ipSource,
  ipTotalBytes,
  isIpPacket,
  readIpHeader,
} from '../../src/core/framing/ip-packet.ts';
import { runs } from '../property-runs.ts';
import { buildIpv4, buildIpv6, ipPacket } from './ip-packets.ts';
import { cameraPacket, echoPacket, fromHex, plugPacket } from './wire-frames.ts';

test('reads an IPv4 header', (t) => {
  t.deepEqual(readIpHeader(fromHex(plugPacket)), {
    version: 4,
    totalBytes: 28,
    headerBytes: 20,
    source: '192.168.1.50',
    destination: '93.184.216.34',
  });
});

test('reads an IPv6 header, at an offset too', (t) => {
  const expected = {
    version: 6,
    totalBytes: 56,
    headerBytes: 40,
    source: 'fd00::a',
    destination: '2001:db8::1',
  } as const;
  t.deepEqual(readIpHeader(fromHex(echoPacket)), expected);
  t.deepEqual(readIpHeader(fromHex(`abcdef${echoPacket}`), 3), expected);
});

const unreadable = test.macro({
  exec(t, packet: string) {
    t.is(readIpHeader(fromHex(packet)), null);
    t.false(isIpPacket(fromHex(packet)));
  },
  title: (name) => `no IP packet: ${name}`,
});
test('nothing', unreadable, '');
test('pad', unreadable, '00'.repeat(64));
test('IP version 5', unreadable, `5${plugPacket.slice(1)}`);
test('IPv4 header length below 20', unreadable, `44${plugPacket.slice(2)}`);
test('IPv4 total length 0', unreadable, `45000000${plugPacket.slice(8)}`);
test('IPv4 total length below its header', unreadable, `4500000e${plugPacket.slice(8)}`);
test('IPv4 total length below its header with options', unreadable, `4f${plugPacket.slice(2)}`);
test('IPv4 header cut off', unreadable, plugPacket.slice(0, 38));
test('IPv6 header cut off', unreadable, echoPacket.slice(0, 78));

test('the total length is read as soon as its field is there', (t) => {
  for (const [packet, needs] of [[plugPacket, 4] as const, [echoPacket, 6] as const]) {
    const bytes = fromHex(packet);
    for (let end = 0; end <= bytes.length; end++) {
      const expected = end < needs ? null : bytes.length;
      t.is(ipTotalBytes(bytes.subarray(0, end)), expected);
      t.is(ipTotalBytes(bytes, 0, end), expected);
    }
  }
});

test('addresses without a header to hold them are empty', (t) => {
  for (const packet of ['', '00'.repeat(64), plugPacket.slice(0, 38), echoPacket.slice(0, 78)]) {
    t.is(ipSource(fromHex(packet)), '');
    t.is(ipDestination(fromHex(packet)), '');
  }
});

const byte = fc.integer({ min: 0, max: 255 });
const ipv6Address = fc.array(fc.oneof(fc.constant(0), byte), { minLength: 16, maxLength: 16 });

test('IPv6 addresses are written as URLs write them', (t) => {
  fc.assert(
    fc.property(ipv6Address, ipv6Address, (source, destination) => {
      const packet = buildIpv6(source, destination, new Uint8Array());
      const canonical = (address: number[]): string => {
        const groups = Buffer.from(address).toString('hex').match(/..../g)!.join(':');
        return new URL(`http://[${groups}]`).hostname.slice(1, -1);
      };
      t.is(ipSource(packet), canonical(source));
      t.is(ipDestination(packet), canonical(destination));
    }),
    { numRuns: runs(500) },
  );
});

test('valid packets are recognised, options and odd payloads included', (t) => {
  fc.assert(
    fc.property(ipPacket, (packet) => {
      t.true(isIpPacket(packet));
    }),
  );
});

test('an IPv4 header with any one byte changed is recognised as damaged', (t) => {
  const arbitrary = fc.tuple(byte, byte, fc.integer({ min: 5, max: 15 }), fc.nat(), byte);
  fc.assert(
    fc.property(arbitrary, ([a, b, words, at, change]) => {
      fc.pre(change !== 0);
      const packet = buildIpv4([10, 0, a, b], [b, a, 3, 4], new Uint8Array(30), words);
      packet[at % (words * 4)]! ^= change;
      t.false(isIpPacket(packet));
    }),
    { numRuns: runs(500) },
  );
});

test('a packet longer or shorter than its length field is refused', (t) => {
  for (const text of [plugPacket, echoPacket, cameraPacket]) {
    t.false(isIpPacket(fromHex(`${text}00`)));
    t.false(isIpPacket(fromHex(text.slice(0, -2))));
  }
});
