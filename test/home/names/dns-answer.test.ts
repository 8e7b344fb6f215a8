// Queries for names of the house are answered packet for packet; all else goes its way, byte for byte untouched.

import test from 'ava';
import type { RecordType } from 'dns-packet';
import fc from 'fast-check';
import { isIpPacket, readIpHeader } from '../../../src/core/framing/ip-packet.ts';
import { answerFromHouse } from '../../../src/core/home/names/dns-answer.ts';
import type { HouseNames } from '../../../src/core/home/names/house-names.ts';
import { encodeQuestion } from '../../../src/research/lab/traffic/dns.ts';

const names: HouseNames = {
  domains: ['lan'],
  addresses: new Map([['homeassistant.lan', ['192.168.1.5', 'fd00::5', '192.168.1.6']]]),
  wholes: new Map(),
};
const RESOLVERS = ['10.214.0.1', 'fd12:3456:789a::1'];

/** A device's query to the resolver, as address translation leaves it. */
function query(
  dns: Uint8Array,
  { version = 4, port = 53, to = 1, protocol = 17 } = {},
): Uint8Array {
  const header = version === 4 ? 20 : 40;
  const packet = Buffer.alloc(header + 8 + dns.length);
  if (version === 4) {
    packet.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 63, protocol]);
    packet.writeUInt16BE(packet.length, 2);
    packet.set([10, 214, 2, 11, 10, 214, 0, to], 12);
  } else {
    packet.set([0x60, 0, 0, 0, 0, 0, protocol, 63]);
    packet.writeUInt16BE(packet.length - 40, 4);
    packet.set(Buffer.from('fd123456789a00020000000000000011', 'hex'), 8);
    packet.set(Buffer.from(`fd123456789a0000000000000000000${to}`, 'hex'), 24);
  }
  packet.writeUInt16BE(40_001, header);
  packet.writeUInt16BE(port, header + 2);
  packet.writeUInt16BE(8 + dns.length, header + 4);
  packet.set(dns, header + 8);
  return packet;
}

const ask = (name: string, type: RecordType = 'A') => encodeQuestion({ id: 0x1234, name, type });
const answer = (packet: Uint8Array) => answerFromHouse(packet, names, RESOLVERS);

/** Ones' complement sum over the pseudo header and UDP; all ones when the checksum holds. */
function udpSum(packet: Buffer, header: number): number {
  let sum = 17 + packet.length - header;
  for (let at = header === 20 ? 12 : 8; at < packet.length; at += 2)
    sum += at + 1 < packet.length ? packet.readUInt16BE(at) : packet[at]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

for (const version of [4, 6] as const) {
  test(`IPv${version}: a name of the house, with all its addresses of the kind asked for`, (t) => {
    const header = version === 4 ? 20 : 40;
    for (const [type, addresses] of [
      ['A', ['c0a80105', 'c0a80106']],
      ['AAAA', ['fd000000000000000000000000000005']],
    ] as const) {
      const asked = query(ask('homeassistant.lan', type), { version });
      const reply = Buffer.from(answer(asked)!);
      t.true(isIpPacket(reply));
      const { source, destination } = readIpHeader(asked)!;
      t.like(readIpHeader(reply), { source: destination, destination: source });
      t.is(reply.readUInt16BE(header), 53);
      t.is(reply.readUInt16BE(header + 2), 40_001);
      t.is(reply.readUInt16BE(header + 4), reply.length - header);
      t.is(udpSum(reply, header), 0xffff);
      const dns = reply.subarray(header + 8).toString('hex');
      const question = ask('homeassistant.lan', type).subarray(12).toString('hex');
      const count = addresses.length.toString().padStart(4, '0');
      t.true(dns.startsWith(`123485800001${count}00000000${question}`), dns);
      for (const address of addresses) t.true(dns.includes(address));
    }
  });
}

test('an unknown name of the house does not exist; a known one of another kind has nothing', (t) => {
  const flags = (packet: Uint8Array | null) => Buffer.from(packet!).readUInt16BE(30).toString(16);
  t.is(flags(answer(query(ask('nobody.lan')))), '8583');
  t.is(flags(answer(query(ask('homeassistant.lan', 'TXT')))), '8580');
  t.is(Buffer.from(answer(query(ask('homeassistant.lan', 'TXT')))!).readUInt16BE(34), 0);
});

test('letters are repeated as they were asked', (t) => {
  const reply = answer(query(ask('HomeAssistant.LAN')))!;
  t.true(Buffer.from(reply).includes('HomeAssistant'));
});

test('whatever else a device sends goes its way', (t) => {
  const known = ask('homeassistant.lan');
  const response = Buffer.from(known);
  response[2]! |= 0x80;
  const two = Buffer.from(known);
  two.writeUInt16BE(2, 4);
  const chaos = Buffer.from(known);
  chaos.writeUInt16BE(3, chaos.length - 2);
  const fragment = query(known);
  fragment[6] = 0x20;
  for (const [why, packet] of Object.entries({
    outside: query(ask('cloud.example')),
    'ends alike': query(ask('homeassistant.vlan')),
    'another port': query(known, { port: 5353 }),
    'another resolver': query(known, { to: 2 }),
    'another protocol': query(known, { protocol: 6 }),
    'an answer': query(response),
    'two questions': query(two),
    'another class': query(chaos),
    'a fragment': fragment,
    'cut off': query(known.subarray(0, 20)),
    empty: new Uint8Array(),
  })) {
    t.is(answer(packet), null, why);
  }
});

test('nothing that a device sends makes it fail', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(4, 6), (dns, version) => {
      const reply = answer(query(dns, { version }));
      t.true(reply === null || isIpPacket(reply));
    }),
  );
});
