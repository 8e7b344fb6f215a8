// Builds whole IP packets of either family, for what the service says in a device's or a server's place.
import { ipBytes } from '../ip/address.ts';
import { onesComplementSum } from './internet-checksum.ts';

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const UDP_HEADER_BYTES = 8;
const HOPS = 64;
const DO_NOT_FRAGMENT = 0x4000;

/** Where a packet goes from and to, both of one family. */
export interface Ends {
  source: string;
  destination: string;
}

export interface Ports {
  sourcePort: number;
  destinationPort: number;
}

/** A packet with this body behind the shortest header. @param flags of IPv4's fragmentation field */
export function ipPacket(
  protocol: number,
  { source, destination }: Ends,
  body: Uint8Array,
  flags = 0,
): Uint8Array {
  const [from, to] = [ipBytes(source), ipBytes(destination)];
  const isFour = from.length === 4;
  const headerBytes = isFour ? 20 : 40;
  const packet = new Uint8Array(headerBytes + body.length);
  const view = new DataView(packet.buffer);
  packet.set(body, headerBytes);
  packet.set([...from, ...to], isFour ? 12 : 8);
  if (isFour) {
    packet.set([
      0x45,
      0,
      packet.length >> 8,
      packet.length,
      0,
      0,
      flags >> 8,
      flags,
      HOPS,
      protocol,
    ]);
    view.setUint16(10, ~onesComplementSum(packet, 0, headerBytes) & 0xffff);
  } else {
    packet.set([0x60, 0, 0, 0, body.length >> 8, body.length, protocol, HOPS]);
  }
  return packet;
}

/** The checksum of UDP and TCP, over addresses, protocol and length too (RFC 768, RFC 8200). */
export function checksumWithin(protocol: number, ends: Ends, body: Uint8Array): number {
  const addresses = [...ipBytes(ends.source), ...ipBytes(ends.destination)];
  const begin = onesComplementSum(Uint8Array.from(addresses)) + protocol + body.length;
  return ~onesComplementSum(body, 0, body.length, begin) & 0xffff;
}

/** A UDP datagram in a packet. @param isWhole it may not be cut on its way */
export function udpPacket(
  ends: Ends,
  { sourcePort, destinationPort }: Ports,
  payload: Uint8Array,
  isWhole = false,
): Uint8Array {
  const body = new Uint8Array(UDP_HEADER_BYTES + payload.length);
  const view = new DataView(body.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, body.length);
  body.set(payload, UDP_HEADER_BYTES);
  // None at all is written as 0 (RFC 768).
  view.setUint16(6, checksumWithin(UDP, ends, body) || 0xffff);
  return ipPacket(UDP, ends, body, isWhole ? DO_NOT_FRAGMENT : 0);
}
