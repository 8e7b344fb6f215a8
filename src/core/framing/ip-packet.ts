// Reads the few fields of IPv4 and IPv6 headers that framing, queues and counters need.
import { formatIpv6 } from '../ip/address.ts';
import { onesComplementSum } from './internet-checksum.ts';

const IPV4_MIN_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;

/** What {@link readIpHeader} returns: lengths in bytes, addresses in canonical text. */
export interface IpHeader {
  version: 4 | 6;
  /** Length of the whole packet by its own length field. */
  totalBytes: number;
  /** IPv4 header with options; the fixed 40 bytes for IPv6. */
  headerBytes: number;
  source: string;
  destination: string;
}

/**
 * Bytes of header needed before {@link ipTotalBytes} can answer: 4 for IPv4, 6 for IPv6, null when
 * the version nibble is neither.
 */
export function ipLengthFieldBytes(firstByte: number): 4 | 6 | null {
  const version = firstByte >> 4;
  return version === 4 || version === 6 ? version : null;
}

/**
 * Total length in bytes of the IP packet that begins at `offset`, from its length field (RFC 791
 * total length, RFC 8200 payload length + 40). Null when the length field is not yet in `bytes`
 * before `end`, or when the packet is not IP or claims less than its own header. An IPv6
 * jumbogram (payload length 0 with a hop-by-hop option) reads as a bare header.
 */
export function ipTotalBytes(bytes: Uint8Array, offset = 0, end = bytes.length): number | null {
  const first = bytes[offset] ?? 0;
  const version = first >> 4;
  if (version === 4) {
    if (offset + 4 > end) return null;
    const headerBytes = (first & 0x0f) * 4;
    const totalBytes = (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
    return headerBytes >= IPV4_MIN_HEADER_BYTES && totalBytes >= headerBytes ? totalBytes : null;
  }
  if (version === 6) {
    if (offset + 6 > end) return null;
    return ((bytes[offset + 4]! << 8) | bytes[offset + 5]!) + IPV6_HEADER_BYTES;
  }
  return null;
}

/**
 * Whether `packet` is exactly one IP packet: its length field agrees with the array's length and
 * an IPv4 header's checksum holds. Payloads are not looked at: IPv6 has no header checksum, and
 * the tunnel's authenticated encryption already protects the bytes.
 */
export function isIpPacket(packet: Uint8Array): boolean {
  const first = packet[0];
  if (first === undefined || ipTotalBytes(packet) !== packet.length) return false;
  return first >> 4 === 6 || onesComplementSum(packet, 0, (first & 0x0f) * 4) === 0xffff;
}

/** Reads the header at `offset`; null when it is not a complete, plausible IP header. */
export function readIpHeader(packet: Uint8Array, offset = 0): IpHeader | null {
  const totalBytes = ipTotalBytes(packet, offset);
  if (totalBytes === null) return null;
  const version = packet[offset]! >> 4 === 4 ? 4 : 6;
  const headerBytes = version === 4 ? (packet[offset]! & 0x0f) * 4 : IPV6_HEADER_BYTES;
  if (offset + headerBytes > packet.length) return null;
  return {
    version,
    totalBytes,
    headerBytes,
    source: ipSource(packet, offset),
    destination: ipDestination(packet, offset),
  };
}

/** Source address in canonical text (RFC 5952 for IPv6); '' when there is no IP header. */
export function ipSource(packet: Uint8Array, offset = 0): string {
  return packet[offset]! >> 4 === 4
    ? readAddress(packet, offset, offset + 12)
    : readAddress(packet, offset, offset + 8);
}

/** Destination address in canonical text (RFC 5952 for IPv6); '' when there is no IP header. */
export function ipDestination(packet: Uint8Array, offset = 0): string {
  return packet[offset]! >> 4 === 4
    ? readAddress(packet, offset, offset + 16)
    : readAddress(packet, offset, offset + 24);
}

function readAddress(packet: Uint8Array, offset: number, at: number): string {
  const version = packet[offset]! >> 4;
  if (version === 4 && offset + IPV4_MIN_HEADER_BYTES <= packet.length) {
    return `${packet[at]}.${packet[at + 1]}.${packet[at + 2]}.${packet[at + 3]}`;
  }
  if (version === 6 && offset + IPV6_HEADER_BYTES <= packet.length) {
    return formatIpv6(packet, at);
  }
  return '';
}
