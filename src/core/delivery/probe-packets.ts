// Packets by which the service tries a way itself: built and read without a socket.
import { ipDestination, ipSource, readIpHeader } from '../framing/ip-packet.ts';

const ICMP = 1;
const TCP = 6;
const UDP = 17;
const TTL = 64;
const IP_BYTES = 20;
const DNS_PORT = 53;

/** RFC 1071. */
export function checksum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function bytesOf(address: string): number[] {
  return address.split('.').map(Number);
}

function ipPacket(
  protocol: number,
  source: string,
  destination: string,
  body: Uint8Array,
): Uint8Array {
  const packet = new Uint8Array(IP_BYTES + body.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  view.setUint16(2, packet.length);
  packet[8] = TTL;
  packet[9] = protocol;
  packet.set([...bytesOf(source), ...bytesOf(destination)], 12);
  view.setUint16(10, checksum(packet.subarray(0, IP_BYTES)));
  packet.set(body, IP_BYTES);
  return packet;
}

/** The checksum of UDP and TCP, over the addresses too. */
function checksumWithin(
  protocol: number,
  source: string,
  destination: string,
  body: Uint8Array,
): number {
  const pseudo = [
    ...bytesOf(source),
    ...bytesOf(destination),
    0,
    protocol,
    body.length >> 8,
    body.length & 0xff,
  ];
  return checksum(body, ~checksum(Uint8Array.from(pseudo)) & 0xffff);
}

/** Who asks whom, and the number by which the answer is known. */
export interface Question {
  source: string;
  destination: string;
  /** 16 bits that nobody else would choose. */
  id: number;
  /** UDP port that asks for a name. */
  port: number;
}

/** An ICMP echo request (RFC 792). */
export function encodeEcho({ source, destination, id }: Question): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  body[0] = 8;
  view.setUint16(4, id);
  view.setUint16(6, 1);
  view.setUint16(2, checksum(body));
  return ipPacket(ICMP, source, destination, body);
}

/** Asks who serves the root of all names (RFC 1035), which every resolver knows and no provider learns anything from. */
export function encodeNameQuestion({ source, destination, id, port }: Question): Uint8Array {
  const body = new Uint8Array(8 + 12 + 5);
  const view = new DataView(body.buffer);
  view.setUint16(0, port);
  view.setUint16(2, DNS_PORT);
  view.setUint16(4, body.length);
  view.setUint16(8, id);
  // Recursion desired, one question: the root, NS, IN.
  view.setUint16(10, 0x0100);
  view.setUint16(12, 1);
  view.setUint16(21, 2);
  view.setUint16(23, 1);
  view.setUint16(6, checksumWithin(UDP, source, destination, body) || 0xffff);
  return ipPacket(UDP, source, destination, body);
}

/** The first packet of a TCP connection to port 443, as devices send most. */
export function encodeConnect(source: string, destination: string, port: number): Uint8Array {
  const body = new Uint8Array(20);
  const view = new DataView(body.buffer);
  view.setUint16(0, port);
  view.setUint16(2, 443);
  body[12] = 0x50;
  body[13] = 0x02;
  view.setUint16(14, 65_535);
  view.setUint16(16, checksumWithin(TCP, source, destination, body));
  return ipPacket(TCP, source, destination, body);
}

/** What came back. */
export type Answer = 'echo' | 'names' | 'names-refused';

const NO_ERROR = 0;
const NO_SUCH_NAME = 3;

/** Reads an answer to this question; null where the packet is none. */
export function readAnswer(packet: Uint8Array, question: Question): Answer | null {
  const header = readIpHeader(packet);
  if (header?.version !== 4 || packet.length < header.headerBytes + 8) return null;
  if (ipSource(packet) !== question.destination || ipDestination(packet) !== question.source)
    return null;
  const view = new DataView(packet.buffer, packet.byteOffset + header.headerBytes);
  const protocol = packet[9];
  if (protocol === ICMP) {
    return view.getUint8(0) === 0 && view.getUint16(4) === question.id ? 'echo' : null;
  }
  if (protocol !== UDP || packet.length < header.headerBytes + 20) return null;
  if (view.getUint16(0) !== DNS_PORT || view.getUint16(2) !== question.port) return null;
  if (view.getUint16(8) !== question.id) return null;
  const status = view.getUint8(11) & 0x0f;
  return status === NO_ERROR || status === NO_SUCH_NAME ? 'names' : 'names-refused';
}
