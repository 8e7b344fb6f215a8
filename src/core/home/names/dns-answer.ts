// Answers a device's DNS query for a name of the house, packet for packet, so that nobody outside is asked. Pure.

import { UDP, UDP_HEADER_BYTES, udpPacket } from '../../framing/ip-builder.ts';
import { readIpHeader } from '../../framing/ip-packet.ts';
import { ipBytes } from '../../ip/address.ts';
import { DNS_PORT } from '../../plan/names.ts';
import { findName, type HouseNames } from './house-names.ts';

const DNS_HEADER_BYTES = 12;
const TYPE_A = 1;
const TYPE_AAAA = 28;
const CLASS_IN = 1;
/** As dnsmasq's answers from leases, which may change at any time, short. */
const TTL_S = 10;
const NO_SUCH_NAME = 3;

interface Question {
  name: string;
  type: number;
  /** The question's bytes, as they are to be repeated. */
  bytes: Uint8Array;
}

/**
 * The packet that answers this one; null for whatever is no plain query for a name of the house, which goes its way.
 *
 * @param resolvers addresses that devices' queries are sent to.
 */
export function answerFromHouse(
  packet: Uint8Array,
  names: HouseNames,
  resolvers: readonly string[],
): Uint8Array | null {
  const ip = readIpHeader(packet);
  if (!ip || ip.totalBytes !== packet.length || !isWholeUdp(packet)) return null;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const at = ip.headerBytes;
  if (at + UDP_HEADER_BYTES + DNS_HEADER_BYTES > packet.length) return null;
  if (view.getUint16(at + 2) !== DNS_PORT || !resolvers.includes(ip.destination)) return null;
  const answer = answerQuery(packet.subarray(at + UDP_HEADER_BYTES), names);
  if (!answer) return null;
  // The way back of the packet that asked, ports and addresses changed over.
  const ends = { source: ip.destination, destination: ip.source };
  const ports = { sourcePort: view.getUint16(at + 2), destinationPort: view.getUint16(at) };
  return udpPacket(ends, ports, answer, true);
}

/** The message that answers this one; null for whatever is no plain query for a name of the house. */
export function answerQuery(query: Uint8Array, names: HouseNames): Uint8Array | null {
  if (query.length < DNS_HEADER_BYTES) return null;
  const question = readQuestion(query);
  const found = question && findName(names, question.name);
  if (!question || !found) return null;
  const wanted = question.type === TYPE_A ? 4 : question.type === TYPE_AAAA ? 16 : 0;
  const records = found.map(ipBytes).filter((bytes) => bytes.length === wanted);
  return renderAnswer(query, question, found.length > 0, records);
}

/** UDP that is in one piece and has no header between. */
function isWholeUdp(packet: Uint8Array): boolean {
  if (packet[0]! >> 4 === 6) return packet[6] === UDP;
  const isFragment = (((packet[6]! << 8) | packet[7]!) & 0x3fff) !== 0;
  return packet[9] === UDP && !isFragment;
}

/** The only question of a standard query. */
function readQuestion(query: Uint8Array): Question | null {
  const view = new DataView(query.buffer, query.byteOffset, query.byteLength);
  // An answer, another operation, or a message cut off is none.
  if ((view.getUint16(2) & 0xfa00) !== 0 || view.getUint16(4) !== 1) return null;
  if (view.getUint16(6) !== 0) return null;
  const labels: string[] = [];
  let at = DNS_HEADER_BYTES;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > 63) return null;
    at++;
    if (length === 0) break;
    labels.push(String.fromCharCode(...query.subarray(at, at + length)));
    at += length;
  }
  if (at + 4 > query.length || view.getUint16(at + 2) !== CLASS_IN) return null;
  const bytes = query.subarray(DNS_HEADER_BYTES, at + 4);
  return { name: labels.join('.').toLowerCase(), type: view.getUint16(at), bytes };
}

function renderAnswer(
  query: Uint8Array,
  { bytes, type }: Question,
  exists: boolean,
  records: readonly Uint8Array[],
): Uint8Array {
  const length = records.reduce((sum, { length }) => sum + 12 + length, 0);
  const answer = new Uint8Array(DNS_HEADER_BYTES + bytes.length + length);
  const view = new DataView(answer.buffer);
  answer.set(query.subarray(0, 2));
  // Authoritative, recursion available, and desired where it was.
  const desired = query[2]! & 0x01;
  view.setUint16(2, 0x8480 | (desired << 8) | (exists ? 0 : NO_SUCH_NAME));
  view.setUint16(4, 1);
  view.setUint16(6, records.length);
  answer.set(bytes, DNS_HEADER_BYTES);
  let at = DNS_HEADER_BYTES + bytes.length;
  for (const record of records) {
    view.setUint16(at, 0xc000 | DNS_HEADER_BYTES);
    view.setUint16(at + 2, type);
    view.setUint16(at + 4, CLASS_IN);
    view.setUint32(at + 6, TTL_S);
    view.setUint16(at + 10, record.length);
    answer.set(record, at + 12);
    at += 12 + record.length;
  }
  return answer;
}
