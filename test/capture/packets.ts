// Builds frames and captures for tests, byte by byte.

export const deviceMac = '18:b4:30:00:00:01';
export const routerMac = '02:00:00:00:00:fe';

export interface UdpSpec {
  source?: string;
  destination?: string;
  sourcePort?: number;
  destinationPort?: number;
  payload?: Uint8Array;
}

export function ipv4Bytes(address: string): number[] {
  return address.split('.').map(Number);
}

export function macBytes(mac: string): number[] {
  return mac.split(':').map((part) => Number.parseInt(part, 16));
}

export function uint16(value: number): number[] {
  return [(value >> 8) & 255, value & 255];
}

/** An IPv4 packet around a transport segment; `fragment` is the flags-and-offset word. */
export function ipv4Packet(
  protocol: number,
  segment: ArrayLike<number>,
  {
    source = '192.168.8.11',
    destination = '198.51.100.7',
    fragment = 0,
    length = 20 + segment.length,
  } = {},
): Uint8Array {
  return Uint8Array.from([
    ...[0x45, 0, ...uint16(length), 0, 1, ...uint16(fragment), 64, protocol, 0, 0],
    ...ipv4Bytes(source),
    ...ipv4Bytes(destination),
    ...Array.from(segment),
  ]);
}

export function udpSegment({
  sourcePort = 40000,
  destinationPort = 443,
  payload = new Uint8Array(0),
}: UdpSpec) {
  return [
    ...uint16(sourcePort),
    ...uint16(destinationPort),
    ...uint16(8 + payload.length),
    0,
    0,
    ...payload,
  ];
}

export function udpPacket(spec: UdpSpec = {}): Uint8Array {
  const { source = '192.168.8.11', destination = '198.51.100.7' } = spec;
  return ipv4Packet(17, udpSegment(spec), { source, destination });
}

/** An IPv6 packet from 2001:db8::1 to 2001:db8::2; `next` is its first header's protocol. */
export function ipv6Packet(next: number, body: ArrayLike<number>): Uint8Array {
  const address = (last: number) => [0x20, 0x01, 0x0d, 0xb8, ...new Array(11).fill(0), last];
  return Uint8Array.from([
    ...[0x60, 0, 0, 0, ...uint16(body.length), next, 64, ...address(1), ...address(2)],
    ...Array.from(body),
  ]);
}

export function ethernetFrame(
  packet: ArrayLike<number>,
  { source = deviceMac, destination = routerMac, type = [0x08, 0x00] } = {},
): Uint8Array {
  return Uint8Array.from([
    ...macBytes(destination),
    ...macBytes(source),
    ...type,
    ...Array.from(packet),
  ]);
}

/** A DNS question, or an answer with these records: name, type, data. */
export function dnsMessage(
  name: string,
  answers: [owner: string, type: number, data: number[]][] = [],
): Uint8Array {
  const encode = (text: string) => [
    ...text.split('.').flatMap((part) => [part.length, ...Buffer.from(part, 'latin1')]),
    0,
  ];
  return Uint8Array.from([
    ...[0, 7, answers.length > 0 ? 0x81 : 1, 0, 0, 1, ...uint16(answers.length), 0, 0, 0, 0],
    ...encode(name),
    ...[0, 1, 0, 1],
    ...answers.flatMap(([owner, type, data]) => [
      ...(owner === name ? [0xc0, 12] : encode(owner)),
      ...[...uint16(type), 0, 1, 0, 0, 0, 60, ...uint16(data.length), ...data],
    ]),
  ]);
}

export function encodeName(text: string): number[] {
  return [...text.split('.').flatMap((part) => [part.length, ...Buffer.from(part, 'latin1')]), 0];
}

/** Writes numbers of either byte order. */
export class Bytes {
  readonly #parts: number[] = [];
  readonly #little: boolean;

  constructor(littleEndian: boolean) {
    this.#little = littleEndian;
  }

  u16(...values: number[]): this {
    return this.#put(values, 2);
  }

  u32(...values: number[]): this {
    return this.#put(values, 4);
  }

  raw(bytes: ArrayLike<number>): this {
    this.#parts.push(...Array.from(bytes));
    return this;
  }

  pad(): this {
    while (this.#parts.length % 4) this.#parts.push(0);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }

  #put(values: number[], size: number): this {
    for (const value of values) {
      const bytes = Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256);
      this.#parts.push(...(this.#little ? bytes : bytes.reverse()));
    }
    return this;
  }
}

export function pcap(
  packets: { seconds: number; fraction: number; data: ArrayLike<number>; original?: number }[],
  { little = true, nanoseconds = false, linkType = 1 } = {},
): Uint8Array {
  const bytes = new Bytes(little);
  bytes
    .u32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4)
    .u16(2, 4)
    .u32(0, 0, 65535, linkType);
  for (const { seconds, fraction, data, original } of packets) {
    bytes.u32(seconds, fraction, data.length, original ?? data.length).raw(data);
  }
  return bytes.done();
}

/** A pcapng block of either byte order around its body. */
export function block(little: boolean, type: number, body: Uint8Array): Uint8Array {
  const padded = new Bytes(little).raw(body).pad().done();
  return new Bytes(little)
    .u32(type, 12 + padded.length)
    .raw(padded)
    .u32(12 + padded.length)
    .done();
}

export function sectionBlock(little: boolean): Uint8Array {
  const body = new Bytes(little).u32(0x1a2b3c4d).u16(1, 0).u32(0xffffffff, 0xffffffff).done();
  return block(little, 0x0a0d0d0a, body);
}

export function interfaceBlock(
  little: boolean,
  { linkType = 1, resolution = -1, offsetS = 0, snapBytes = 0 } = {},
): Uint8Array {
  const body = new Bytes(little).u16(linkType, 0).u32(snapBytes);
  if (resolution >= 0) body.u16(9, 1).raw([resolution, 0, 0, 0]);
  if (offsetS) body.u16(14, 8).u32(...(little ? [offsetS, 0] : [0, offsetS]));
  return block(little, 1, body.u16(0, 0).done());
}

export function enhancedBlock(
  little: boolean,
  ticks: number,
  data: ArrayLike<number>,
  { id = 0, captured = data.length, original = data.length } = {},
): Uint8Array {
  const body = new Bytes(little)
    .u32(id, Math.floor(ticks / 2 ** 32), ticks % 2 ** 32, captured, original)
    .raw(data)
    .pad();
  return block(little, 6, body.done());
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
