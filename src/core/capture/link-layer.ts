// Finds the network layer behind whatever a capture's packets begin with, and the addresses in front of it.
import { formatMac } from './addresses.ts';

/** LINKTYPE_ numbers of tcpdump.org's list. */
export const linkTypes = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  pppHdlc: 50,
  pppoe: 51,
  raw: 101,
  wifi: 105,
  loop: 108,
  linuxCooked: 113,
  radiotap: 127,
  ipv4: 228,
  ipv6: 229,
  nflog: 239,
  linuxCooked2: 276,
} as const;

/** Raw IP as BSD and OpenBSD wrote it. */
const rawOfBsd = [12, 14];
const readable: ReadonlySet<number> = new Set([...Object.values(linkTypes), ...rawOfBsd]);

/** Where the IP header begins, and who sent the frame to whom where that is told. */
export interface NetworkLayer {
  offset: number;
  source?: string | null;
  destination?: string | null;
}

/** Others of that list that people do meet. */
const otherNames: Record<number, string> = {
  119: 'Wi-Fi with a Prism header',
  147: 'USER0',
  163: 'Wi-Fi with an AVS header',
  189: 'USB',
  192: 'PPI',
  195: 'IEEE 802.15.4',
  201: 'Bluetooth HCI',
  220: 'USB',
  227: 'CAN',
  230: 'IEEE 802.15.4',
  251: 'Bluetooth LE',
  253: 'netlink',
};

/** Why nothing can be read of a packet, for counting; null where its link layer is known. */
export function unreadLink(data: Uint8Array, linkType: number): string | null {
  if (linkType === linkTypes.wifi || linkType === linkTypes.radiotap) {
    const at = linkType === linkTypes.wifi ? 0 : readLittle16(data, 2);
    const isData = ((data[at] ?? 0) & 0x0c) === 0x08;
    return isData && ((data[at + 1] ?? 0) & 0x40) !== 0 ? 'encrypted Wi-Fi' : null;
  }
  if (readable.has(linkType)) return null;
  const name = otherNames[linkType];
  return `link type ${linkType}${name ? ` (${name})` : ''}`;
}

/** The IP header of a captured packet; null where there is none. */
export function findNetworkLayer(data: Uint8Array, linkType: number): NetworkLayer | null {
  switch (linkType) {
    case linkTypes.ethernet:
      return from(followEther(data), formatMac(data, 6), formatMac(data, 0));
    case linkTypes.linuxCooked:
      return from(followType(data, readUint16(data, 14), 16), cookedAddress(data, 5));
    case linkTypes.linuxCooked2:
      return from(followType(data, readUint16(data, 0), 20), cookedAddress(data, 11));
    case linkTypes.wifi:
      return findBehindWifi(data, 0);
    case linkTypes.radiotap:
      return findBehindWifi(data, readLittle16(data, 2));
    case linkTypes.ppp:
    case linkTypes.pppHdlc:
      return from(followPpp(data, 0));
    case linkTypes.pppoe:
      return from(followPpp(data, 6));
    case linkTypes.nflog:
      return findInNflog(data);
    // The family's byte order and numbers are the capturing machine's own; the IP header tells the same.
    case linkTypes.null:
    case linkTypes.loop:
      return from(hasIp(data, 4) ? 4 : -1);
    case linkTypes.raw:
    case linkTypes.ipv4:
    case linkTypes.ipv6:
    case rawOfBsd[0]:
    case rawOfBsd[1]:
      return from(hasIp(data, 0) ? 0 : -1);
    default:
      return null;
  }
}

function from(
  offset: number,
  source: string | null = null,
  destination: string | null = null,
): NetworkLayer | null {
  return offset < 0 ? null : { offset, source, destination };
}

function hasIp(data: Uint8Array, at: number): boolean {
  const version = (data[at] ?? 0) >> 4;
  return version === 4 || version === 6;
}

/** The sender's address of a cooked header, whose length stands at `lengthAt`. */
function cookedAddress(data: Uint8Array, lengthAt: number): string | null {
  return data[lengthAt] === 6 ? formatMac(data, lengthAt + 1) : null;
}

function followEther(data: Uint8Array): number {
  const type = readUint16(data, 12);
  // Up to 1500 it is a length, and LLC follows (IEEE 802.3).
  return type >= 0 && type <= 1500 ? followLlc(data, 14) : followType(data, type, 14);
}

/** LLC with SNAP, whose last two bytes are an EtherType (RFC 1042). */
function followLlc(data: Uint8Array, at: number): number {
  if (data[at] === 0x06 && data[at + 1] === 0x06) return isVersion(data, at + 3, 4);
  if (data[at] !== 0xaa || data[at + 1] !== 0xaa) return -1;
  return followType(data, readUint16(data, at + 6), at + 8);
}

/** Follows an EtherType through VLAN tags and PPPoE to the IP header; the layer behind it is at `next`. */
function followType(data: Uint8Array, etherType: number, next: number): number {
  let type = etherType;
  let offset = next;
  while (type === 0x8100 || type === 0x88a8 || type === 0x9100) {
    type = readUint16(data, offset + 2);
    offset += 4;
  }
  if (type === 0x8864) return followPpp(data, offset + 6);
  if (type === 0x0800) return isVersion(data, offset, 4);
  return type === 0x86dd ? isVersion(data, offset, 6) : -1;
}

/** PPP with or without HDLC's address and control, its protocol in two bytes or, compressed, in one (RFC 1661, 1662). */
function followPpp(data: Uint8Array, start: number): number {
  let at = data[start] === 0xff && data[start + 1] === 0x03 ? start + 2 : start;
  // Cisco's framing in the same place: an EtherType (RFC 1547).
  if (data[at] === 0x0f || data[at] === 0x8f)
    return followType(data, readUint16(data, at + 2), at + 4);
  const isShort = ((data[at] ?? 0) & 1) === 1;
  const protocol = isShort ? data[at]! : readUint16(data, at);
  at += isShort ? 1 : 2;
  if (protocol === 0x0021) return isVersion(data, at, 4);
  return protocol === 0x0057 ? isVersion(data, at, 6) : -1;
}

/** A data frame of IEEE 802.11; which address is whose hangs on the way it takes (its table 9-60). */
function findBehindWifi(data: Uint8Array, at: number): NetworkLayer | null {
  const control = data[at] ?? 0;
  const flags = data[at + 1] ?? 0;
  const carriesData = (control & 0x0c) === 0x08 && (control & 0x40) === 0;
  if (at < 0 || !carriesData || (flags & 0x40) !== 0) return null;
  const [toDs, fromDs] = [(flags & 1) !== 0, (flags & 2) !== 0];
  const hasQos = (control & 0x80) !== 0;
  const qosAt = at + 24 + (toDs && fromDs ? 6 : 0);
  let payload = qosAt + (hasQos ? 2 : 0) + (hasQos && (flags & 0x80) !== 0 ? 4 : 0);
  const address = (number: number) =>
    formatMac(data, at + (number === 4 ? 24 : 4 + (number - 1) * 6));
  let source = address(fromDs ? (toDs ? 4 : 3) : 2);
  let destination = address(toDs ? 3 : 1);
  // Several packets in one frame (A-MSDU): the first of them.
  if (hasQos && ((data[qosAt] ?? 0) & 0x80) !== 0) {
    destination = formatMac(data, payload);
    source = formatMac(data, payload + 6);
    payload += 14;
  }
  return from(followLlc(data, payload), source, destination);
}

/** What nftables or iptables logged: attributes whose order of bytes is the machine's, nearly always little-endian. */
function findInNflog(data: Uint8Array): NetworkLayer | null {
  let source: string | null = null;
  for (let at = 4; at + 4 <= data.length; ) {
    let length = readLittle16(data, at);
    let type = readLittle16(data, at + 2);
    if (length < 4 || (type & 0x7fff) > 63) {
      length = readUint16(data, at);
      type = readUint16(data, at + 2);
    }
    if (length < 4) return null;
    if ((type & 0x7fff) === 8 && readUint16(data, at + 4) === 6) source = formatMac(data, at + 8);
    if ((type & 0x7fff) === 9) return from(hasIp(data, at + 4) ? at + 4 : -1, source);
    at += (length + 3) & ~3;
  }
  return null;
}

function isVersion(data: Uint8Array, at: number, version: 4 | 6): number {
  return (data[at] ?? 0) >> 4 === version ? at : -1;
}

/** Reads a big-endian number; -1 where it was not captured. */
function readUint16(data: Uint8Array, at: number): number {
  return at + 2 <= data.length ? data[at]! * 256 + data[at + 1]! : -1;
}

function readLittle16(data: Uint8Array, at: number): number {
  return at + 2 <= data.length ? data[at]! + data[at + 1]! * 256 : -1;
}
