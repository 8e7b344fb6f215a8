// Packets by which the service tries a way itself: built and read without a socket.

import { onesComplementSum } from '../framing/internet-checksum.ts';
import { checksumWithin, ICMP, ipPacket, TCP, UDP, udpPacket } from '../framing/ip-builder.ts';
import { ipDestination, ipSource, readIpHeader } from '../framing/ip-packet.ts';
import { DNS_PORT } from '../plan/names.ts';

/** No error, and that there is no such name (RFC 1035). */
const FOUND = [0, 3];

/** A port that nobody keeps for a service, out of two random bytes. */
export function portOf(high: number, low: number): number {
  return 32_768 + ((high & 0x3f) << 8) + low;
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
export function encodeEcho({ id, ...ends }: Question): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  body[0] = 8;
  view.setUint16(4, id);
  view.setUint16(6, 1);
  view.setUint16(2, ~onesComplementSum(body) & 0xffff);
  return ipPacket(ICMP, ends, body);
}

/** Asks who serves the root of all names (RFC 1035), which every resolver knows and no provider learns anything from. */
export function encodeNameQuestion({ id, port, ...ends }: Question): Uint8Array {
  const { question } = encodeRootQuestion(id);
  return udpPacket(ends, { sourcePort: port, destinationPort: DNS_PORT }, question);
}

/** The same question as a datagram, and by what its answer is known, whatever it says but that nothing was found out. */
export function encodeRootQuestion(id: number): {
  question: Uint8Array;
  isAnswer: (datagram: Uint8Array) => boolean;
} {
  const question = new Uint8Array(12 + 5);
  const view = new DataView(question.buffer);
  view.setUint16(0, id);
  // Recursion desired, one question: the root, NS, IN.
  view.setUint16(2, 0x0100);
  view.setUint16(4, 1);
  view.setUint16(13, 2);
  view.setUint16(15, 1);
  const isAnswer = (datagram: Uint8Array): boolean => {
    if (datagram.length < 12) return false;
    const [first = 0, second = 0, flags = 0, status = 0] = datagram;
    const isOurs = ((first << 8) | second) === id && (flags & 0x80) !== 0;
    return isOurs && FOUND.includes(status & 0x0f);
  };
  return { question, isAnswer };
}

/** The first packet of a TCP connection to port 443, as devices send most. */
export function encodeConnect(source: string, destination: string, port: number): Uint8Array {
  const ends = { source, destination };
  const body = new Uint8Array(20);
  const view = new DataView(body.buffer);
  view.setUint16(0, port);
  view.setUint16(2, 443);
  body[12] = 0x50;
  body[13] = 0x02;
  view.setUint16(14, 65_535);
  view.setUint16(16, checksumWithin(TCP, ends, body));
  return ipPacket(TCP, ends, body);
}

/** What came back. */
export type Answer = 'echo' | 'names' | 'names-refused';

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
  return FOUND.includes(status) ? 'names' : 'names-refused';
}
