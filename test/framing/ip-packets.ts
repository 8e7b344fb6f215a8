// Builds valid IP packets for the framing tests.

import fc from 'fast-check';

/** A whole IPv4 packet with `headerWords` of header (options zero) and a checksum that holds. */
export function buildIpv4(
  source: number[],
  destination: number[],
  payload: Uint8Array,
  headerWords = 5,
): Uint8Array {
  const headerBytes = headerWords * 4;
  const packet = new Uint8Array(headerBytes + payload.length);
  packet.set([0x40 | headerWords, 0, packet.length >> 8, packet.length, 0, 0, 0x40, 0, 64, 17]);
  packet.set(source, 12);
  packet.set(destination, 16);
  packet.set(payload, headerBytes);
  writeIpv4Checksum(packet);
  return packet;
}

/** Writes the RFC 791 header checksum, summed in another way than the code under test does. */
export function writeIpv4Checksum(packet: Uint8Array): void {
  packet[10] = 0;
  packet[11] = 0;
  const view = new DataView(packet.buffer, packet.byteOffset);
  let sum = 0;
  for (let at = 0; at < (packet[0]! & 15) * 4; at += 2) sum = (sum + view.getUint16(at)) % 0xffff;
  view.setUint16(10, 0xffff - sum);
}

/** A whole IPv6 packet: UDP as next header, hop limit 64. */
export function buildIpv6(
  source: number[],
  destination: number[],
  payload: Uint8Array,
): Uint8Array {
  const packet = new Uint8Array(40 + payload.length);
  packet.set([0x60, 0, 0, 0, payload.length >> 8, payload.length, 17, 64]);
  packet.set(source, 8);
  packet.set(destination, 24);
  packet.set(payload, 40);
  return packet;
}

function bytes(length: number): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length });
}

/** Payload bytes that look like anything, IP headers included, at little cost per byte. */
function payload(maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: maxLength })),
      fc.uint8Array({ minLength: 1, maxLength: 48 }),
      fc.integer({ min: 0, max: 255 }),
    )
    .map(([length, pattern, step]) =>
      Uint8Array.from({ length }, (_, i) => pattern[i % pattern.length]! + step * i),
    );
}

/** Any valid IPv4 (with or without options) or IPv6 packet of at most 1500 bytes. */
export const ipPacket: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .tuple(bytes(4), bytes(4), payload(1440), fc.integer({ min: 5, max: 15 }))
    .map(([source, destination, body, words]) => buildIpv4(source, destination, body, words)),
  fc
    .tuple(bytes(16), bytes(16), payload(1460))
    .map(([source, destination, body]) => buildIpv6(source, destination, body)),
);

/** Any such packet with the key of the device it comes from. */
export const keyedPacket: fc.Arbitrary<{ key: string; packet: Uint8Array }> = fc.record({
  key: fc.constantFrom('camera', 'plug', 'echo', 'sense', 'switch'),
  packet: ipPacket,
});

export function hex(array: Uint8Array): string {
  return Buffer.from(array).toString('hex');
}
