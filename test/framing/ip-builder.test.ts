// Packets made whole: the header another builder writes, and a checksum that is summed in another way.
import test from 'ava';
import { udpPacket } from '../../src/core/framing/ip-builder.ts';
import { isIpPacket, readIpHeader } from '../../src/core/framing/ip-packet.ts';
import { buildIpv4, buildIpv6 } from './ip-packets.ts';

const ports = { sourcePort: 40_000, destinationPort: 53 };

/** Sum of 16-bit words, the last byte with a zero behind it, in ones' complement. */
function sum(bytes: readonly number[]): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2)
    total = (total + bytes[at]! * 256 + (bytes[at + 1] ?? 0)) % 0xffff;
  return total;
}

for (const [name, source, destination, build] of [
  ['IPv4', '10.214.2.11', '198.41.0.4', buildIpv4],
  ['IPv6', 'fd12:3456:789a:2::11', '2001:500:2::c', buildIpv6],
] as const) {
  for (const length of [0, 1, 2, 17, 1000]) {
    test(`${name}: a datagram of ${length} bytes`, (t) => {
      const payload = Uint8Array.from({ length }, (_, at) => (7 * at + 255) & 255);
      const packet = udpPacket({ source, destination }, ports, payload, true);
      t.true(isIpPacket(packet));
      const header = readIpHeader(packet)!;
      t.like(header, { source, destination });
      const body = packet.subarray(header.headerBytes);
      const [addressBytes, at] = name === 'IPv4' ? [4, 12] : [16, 8];
      const ends = [at, at + addressBytes].map((from) => [
        ...packet.subarray(from, from + addressBytes),
      ]);
      t.deepEqual(packet, build(ends[0]!, ends[1]!, body));
      t.deepEqual(body.subarray(8), payload);
      const pseudo = [...ends.flat(), 0, 17, body.length >> 8, body.length & 255];
      t.is(sum([...pseudo, ...body]), 0);
      t.deepEqual([...body.subarray(0, 4)], [156, 64, 0, 53]);
    });
  }
}
