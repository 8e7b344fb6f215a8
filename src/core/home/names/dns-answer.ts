// Answers a device's DNS query for a name of the house, packet for packet, so that nobody outside is asked. Pure.
import { readIpHeader } from '../../framing/ip-packet.ts';
import { ipBytes } from '../../ip/address.ts';
import { findName, type HouseNames } from './house-names.ts';

const UDP = 17;
const UDP_HEADER_BYTES = 8;
const DNS_HEADER_BYTES = 12;
const DNS_PORT = 53;
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
  const query = packet.subarray(at + UDP_HEADER_BYTES);
  const question = readQuestion(query);
  if (!question) return null;
  const found = findName(names, question.name);
  if (!found) return null;
  const wanted = question.type === TYPE_A ? 4 : question.type === TYPE_AAAA ? 16 : 0;
  const records = found.map(ipBytes).filter((bytes) => bytes.length === wanted);
  const answer = renderAnswer(query, question, found.length > 0, records);
  return renderReply(packet, ip.version, at, answer);
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

/** The way back of the packet that asked, ports and addresses changed over. */
function renderReply(
  asked: Uint8Array,
  version: 4 | 6,
  headerBytes: number,
  answer: Uint8Array,
): Uint8Array {
  const [ipBytes, source, addressLength] = version === 4 ? [20, 12, 4] : [40, 8, 16];
  const udpBytes = UDP_HEADER_BYTES + answer.length;
  const reply = new Uint8Array(ipBytes + udpBytes);
  const view = new DataView(reply.buffer);
  const addresses = asked.subarray(source, source + 2 * addressLength);
  reply.set(addresses.subarray(addressLength), source);
  reply.set(addresses.subarray(0, addressLength), source + addressLength);
  if (version === 4) {
    reply[0] = 0x45;
    view.setUint16(2, reply.length);
    view.setUint16(6, 0x4000);
    reply[8] = 64;
    reply[9] = UDP;
    view.setUint16(10, ~sum(view, 0, 20, 0) & 0xffff);
  } else {
    reply[0] = 0x60;
    view.setUint16(4, udpBytes);
    reply[6] = UDP;
    reply[7] = 64;
  }
  reply.set(asked.subarray(headerBytes + 2, headerBytes + 4), ipBytes);
  reply.set(asked.subarray(headerBytes, headerBytes + 2), ipBytes + 2);
  view.setUint16(ipBytes + 4, udpBytes);
  reply.set(answer, ipBytes + UDP_HEADER_BYTES);
  // Over addresses, protocol and length as well (RFC 768, RFC 8200).
  const checksum = ~sum(view, source, reply.length, UDP + udpBytes) & 0xffff;
  view.setUint16(ipBytes + 6, checksum === 0 ? 0xffff : checksum);
  return reply;
}

/** RFC 1071 ones' complement sum. */
function sum(view: DataView, from: number, to: number, begin: number): number {
  let total = begin;
  for (let at = from; at < to; at += 2) {
    total += at + 1 < to ? view.getUint16(at) : view.getUint8(at) << 8;
  }
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}
