// Finds the IP packet in a captured one: who sent it to whom, how long, and what it carries.
import { formatIpv4, formatIpv6 } from './addresses.ts';
import { findNetworkLayer } from './link-layer.ts';
import type { CapturedPacket } from './packet.ts';

/** What the headers of an IP packet say. */
export interface Decoded {
  /** Lower case with colons; null where the capture has no such address. */
  etherSource: string | null;
  etherDestination: string | null;
  version: 4 | 6;
  /** IPv6 as RFC 5952 writes it. */
  source: string;
  destination: string;
  /** Number of the transport protocol, behind IPv6 extension headers: 6 TCP, 17 UDP, … */
  protocol: number;
  /** Null where the protocol has no ports, they were not captured, or this is a later fragment. */
  sourcePort: number | null;
  destinationPort: number | null;
  /** Length of the IP packet by its own header, not of what was captured of it. */
  ipBytes: number;
  /** What the transport carries, as far as it was captured; a later fragment's is its raw bytes. */
  payload: Uint8Array;
  /** Null for a whole packet. */
  fragment: { offsetBytes: number; more: boolean } | null;
}

const protocols = { tcp: 6, udp: 17, dccp: 33, sctp: 132, udpLite: 136 } as const;
const withPorts: ReadonlySet<number> = new Set(Object.values(protocols));
/** Hop-by-hop, routing, fragment, authentication, destination options, mobility, HIP, shim6. */
const extensionHeaders: ReadonlySet<number> = new Set([0, 43, 44, 51, 60, 135, 139, 140]);
const empty = new Uint8Array(0);

/** Decodes a packet's headers; null when it is not IP, or too little of it was captured to tell. */
export function decodePacket({ data, linkType, originalBytes }: CapturedPacket): Decoded | null {
  const layer = findNetworkLayer(data, linkType);
  if (layer === null) return null;
  const { offset } = layer;
  const packet = data.subarray(offset);
  const wireBytes = originalBytes - offset;
  const decoded =
    packet[0]! >> 4 === 4 ? decodeIpv4(packet, wireBytes) : decodeIpv6(packet, wireBytes);
  if (decoded === null) return null;
  decoded.etherSource = layer.source ?? null;
  decoded.etherDestination = layer.destination ?? null;
  return decoded;
}

/** Reads a big-endian number; -1 where it was not captured. */
function readUint16(data: Uint8Array, at: number): number {
  return at + 2 <= data.length ? data[at]! * 256 + data[at + 1]! : -1;
}

function decodeIpv4(data: Uint8Array, wireBytes: number): Decoded | null {
  if (data.length < 20) return null;
  const headerBytes = (data[0]! & 15) * 4;
  // Segmentation offload leaves 0 where the length does not fit.
  const ipBytes = readUint16(data, 2) || wireBytes;
  if (headerBytes < 20 || ipBytes < headerBytes) return null;
  const word = readUint16(data, 6);
  const offsetBytes = (word & 0x1fff) * 8;
  const more = (word & 0x2000) !== 0;
  const decoded: Decoded = {
    etherSource: null,
    etherDestination: null,
    version: 4,
    source: formatIpv4(data, 12),
    destination: formatIpv4(data, 16),
    protocol: data[9]!,
    sourcePort: null,
    destinationPort: null,
    ipBytes,
    payload: data.subarray(headerBytes, Math.min(ipBytes, data.length)),
    fragment: offsetBytes > 0 || more ? { offsetBytes, more } : null,
  };
  openTransport(decoded);
  return decoded;
}

function decodeIpv6(data: Uint8Array, wireBytes: number): Decoded | null {
  if (data.length < 40) return null;
  const payloadBytes = readUint16(data, 4);
  // Jumbograms and segmentation offload leave 0.
  const ipBytes = payloadBytes === 0 && data[6] !== 59 ? wireBytes : payloadBytes + 40;
  const end = Math.min(ipBytes, data.length);
  let protocol = data[6]!;
  let at = 40;
  let fragment: Decoded['fragment'] = null;
  while (extensionHeaders.has(protocol) && at + 8 <= end) {
    const next = data[at]!;
    let length = (data[at + 1]! + 1) * 8;
    if (protocol === 51) length = (data[at + 1]! + 2) * 4;
    if (protocol === 44) {
      length = 8;
      const word = readUint16(data, at + 2);
      fragment = word & 0xfff9 ? { offsetBytes: word & 0xfff8, more: (word & 1) !== 0 } : null;
    }
    protocol = next;
    at += length;
    if (fragment && fragment.offsetBytes > 0) break;
  }
  const decoded: Decoded = {
    etherSource: null,
    etherDestination: null,
    version: 6,
    source: formatIpv6(data, 8),
    destination: formatIpv6(data, 24),
    protocol,
    sourcePort: null,
    destinationPort: null,
    ipBytes,
    payload: data.subarray(Math.min(at, end), end),
    fragment,
  };
  openTransport(decoded);
  return decoded;
}

/** Reads ports off what is still the whole transport segment, and leaves what it carries. */
function openTransport(decoded: Decoded): void {
  const { protocol, payload: segment, fragment } = decoded;
  if ((fragment && fragment.offsetBytes > 0) || !withPorts.has(protocol)) return;
  if (segment.length < 4) {
    decoded.payload = empty;
    return;
  }
  decoded.sourcePort = readUint16(segment, 0);
  decoded.destinationPort = readUint16(segment, 2);
  const headerBytes = protocol === protocols.tcp ? ((segment[12] ?? 0xf0) >> 4) * 4 : 8;
  decoded.payload = segment.subarray(Math.min(Math.max(headerBytes, 8), segment.length));
}
