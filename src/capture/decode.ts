// Finds the IP packet in a captured one: who sent it to whom, how long, and what it carries.
import { formatIpv4, formatIpv6, formatMac } from './addresses.ts';
import { viewOf } from './pcap.ts';
import type { CapturedPacket } from './reader.ts';

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

/** LINKTYPE_ numbers of tcpdump.org's list. */
export const linkTypes = {
  null: 0,
  ethernet: 1,
  raw: 101,
  loop: 108,
  linuxCooked: 113,
  ipv4: 228,
  ipv6: 229,
  linuxCooked2: 276,
} as const;

const protocols = { tcp: 6, udp: 17, dccp: 33, sctp: 132, udpLite: 136 } as const;
const withPorts: ReadonlySet<number> = new Set(Object.values(protocols));
const empty = new Uint8Array(0);

/** Decodes a packet's headers; null when it is not IP, or too little of it was captured to tell. */
export function decodePacket(packet: CapturedPacket): Decoded | null {
  const link = findNetworkLayer(packet);
  if (link === null) return null;
  const { data } = packet;
  const wireBytes = packet.originalBytes - link.offset;
  const network =
    link.version === 4
      ? decodeIpv4(data.subarray(link.offset), wireBytes)
      : decodeIpv6(data.subarray(link.offset), wireBytes);
  return (
    network && {
      etherSource: link.source,
      etherDestination: link.destination,
      ...network,
    }
  );
}

interface LinkLayer {
  offset: number;
  version: 4 | 6;
  source: string | null;
  destination: string | null;
}

function findNetworkLayer({ data, linkType }: CapturedPacket): LinkLayer | null {
  const bare = (offset: number): LinkLayer | null => {
    const version = (data[offset] ?? 0) >> 4;
    return version === 4 || version === 6
      ? { offset, version, source: null, destination: null }
      : null;
  };
  switch (linkType) {
    case linkTypes.ethernet: {
      if (data.length < 14) return null;
      const found = followEtherType(data, 12);
      return (
        found && {
          ...found,
          source: formatMac(data.subarray(6, 12)),
          destination: formatMac(data.subarray(0, 6)),
        }
      );
    }
    // The family's byte order and numbers are the capturing machine's own; the IP header tells the same.
    case linkTypes.null:
    case linkTypes.loop:
      return bare(4);
    case linkTypes.raw:
    case linkTypes.ipv4:
    case linkTypes.ipv6:
    // What BSD and OpenBSD wrote for raw IP.
    case 12:
    case 14:
      return bare(0);
    case linkTypes.linuxCooked: {
      const found = followEtherType(data, 14);
      return found && { ...found, source: cookedAddress(data, 5), destination: null };
    }
    case linkTypes.linuxCooked2: {
      const found = followEtherType(data, 0, 20);
      return found && { ...found, source: cookedAddress(data, 11), destination: null };
    }
    default:
      return null;
  }
}

/** The sender's address of a cooked header, whose length stands at `lengthAt`. */
function cookedAddress(data: Uint8Array, lengthAt: number): string | null {
  const at = lengthAt + 1;
  return data[lengthAt] === 6 ? formatMac(data.subarray(at, at + 6)) : null;
}

/** Follows an EtherType at `typeAt` through VLAN tags and PPPoE; the layer behind it begins at `next`. */
function followEtherType(
  data: Uint8Array,
  typeAt: number,
  next = typeAt + 2,
): { offset: number; version: 4 | 6 } | null {
  let type = readUint16(data, typeAt);
  let offset = next;
  while (type === 0x8100 || type === 0x88a8 || type === 0x9100) {
    type = readUint16(data, offset + 2);
    offset += 4;
  }
  if (type === 0x8864) {
    const ppp = readUint16(data, offset + 6);
    offset += 8;
    type = ppp === 0x0021 ? 0x0800 : ppp === 0x0057 ? 0x86dd : -1;
  }
  if (type === 0x0800) return { offset, version: 4 };
  if (type === 0x86dd) return { offset, version: 6 };
  return null;
}

/** Reads a big-endian number; -1 where it was not captured. */
function readUint16(data: Uint8Array, at: number): number {
  return at + 2 <= data.length ? data[at]! * 256 + data[at + 1]! : -1;
}

type NetworkLayer = Omit<Decoded, 'etherSource' | 'etherDestination'>;

function decodeIpv4(data: Uint8Array, wireBytes: number): NetworkLayer | null {
  if (data.length < 20 || data[0]! >> 4 !== 4) return null;
  const headerBytes = (data[0]! & 15) * 4;
  if (headerBytes < 20) return null;
  // Segmentation offload leaves 0 where the length does not fit.
  const ipBytes = readUint16(data, 2) || wireBytes;
  if (ipBytes < headerBytes) return null;
  const word = readUint16(data, 6);
  const offsetBytes = (word & 0x1fff) * 8;
  const more = (word & 0x2000) !== 0;
  return {
    version: 4,
    source: formatIpv4(data, 12),
    destination: formatIpv4(data, 16),
    ipBytes,
    fragment: offsetBytes > 0 || more ? { offsetBytes, more } : null,
    ...decodeTransport(
      data[9]!,
      data.subarray(headerBytes, Math.min(ipBytes, data.length)),
      offsetBytes,
    ),
  };
}

function decodeIpv6(data: Uint8Array, wireBytes: number): NetworkLayer | null {
  if (data.length < 40 || data[0]! >> 4 !== 6) return null;
  const payloadBytes = readUint16(data, 4);
  // Jumbograms and segmentation offload leave 0.
  const ipBytes = payloadBytes === 0 && data[6] !== 59 ? wireBytes : payloadBytes + 40;
  const end = Math.min(ipBytes, data.length);
  let protocol = data[6]!;
  let at = 40;
  let fragment: Decoded['fragment'] = null;
  // Hop-by-hop, routing, fragment, authentication, destination options, mobility, HIP, shim6.
  while ([0, 43, 44, 51, 60, 135, 139, 140].includes(protocol) && at + 8 <= end) {
    const next = data[at]!;
    let length = (data[at + 1]! + 1) * 8;
    if (protocol === 51) length = (data[at + 1]! + 2) * 4;
    if (protocol === 44) {
      length = 8;
      const word = readUint16(data, at + 2);
      const more = (word & 1) !== 0;
      fragment = word & 0xfff9 ? { offsetBytes: word & 0xfff8, more } : null;
    }
    protocol = next;
    at += length;
    if (fragment && fragment.offsetBytes > 0) break;
  }
  return {
    version: 6,
    source: formatIpv6(data, 8),
    destination: formatIpv6(data, 24),
    ipBytes,
    fragment,
    ...decodeTransport(protocol, data.subarray(Math.min(at, end), end), fragment?.offsetBytes ?? 0),
  };
}

function decodeTransport(protocol: number, segment: Uint8Array, fragmentOffset: number) {
  const none = { protocol, sourcePort: null, destinationPort: null, payload: segment };
  if (fragmentOffset > 0 || !withPorts.has(protocol)) return none;
  if (segment.length < 4) return { ...none, payload: empty };
  const headerBytes = protocol === protocols.tcp ? ((segment[12] ?? 0xf0) >> 4) * 4 : 8;
  const view = viewOf(segment);
  return {
    protocol,
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    payload: segment.subarray(Math.min(Math.max(headerBytes, 8), segment.length)),
  };
}
