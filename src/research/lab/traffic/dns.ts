// As much of DNS as emulated devices and their cloud need: questions, and answers with IPv4 addresses.
import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  type RecordType,
} from 'dns-packet';

export interface DnsQuestion {
  id: number;
  /** Lower case, without the final dot. */
  name: string;
  type: RecordType;
}

const NO_SUCH_NAME = 3;
const RCODE_MASK = 15;

/** @returns a query with recursion desired */
export function encodeQuestion({ id, name, type }: DnsQuestion): Buffer {
  return encode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ name, type }] });
}

/**
 * The first question of a query or answer.
 * @throws {Error} where it is none, or cut off
 */
export function decodeQuestion(message: Uint8Array): DnsQuestion {
  return questionOf(decodeWhole(message));
}

/**
 * An authoritative answer to `question`: NXDOMAIN where `addresses` is null, no data where it is empty.
 * @param addresses IPv4
 */
export function encodeAnswer(
  { id, name, type }: DnsQuestion,
  addresses: readonly string[] | null,
  ttlS = 60,
): Buffer {
  const flags = AUTHORITATIVE_ANSWER | RECURSION_DESIRED | RECURSION_AVAILABLE;
  return encode({
    type: 'response',
    id,
    flags: addresses === null ? flags | NO_SUCH_NAME : flags,
    questions: [{ name, type }],
    answers: (addresses ?? []).map((data) => ({ type: 'A', name, ttl: ttlS, data })),
  });
}

/**
 * The addresses an answer holds, IPv4 only.
 * @returns null where the name does not exist or the server failed
 * @throws {Error} where it is none, or cut off
 */
export function decodeAnswer(message: Uint8Array): { id: number; addresses: string[] | null } {
  const packet = decodeWhole(message);
  const { id } = questionOf(packet);
  if (((packet.flags ?? 0) & RCODE_MASK) !== 0) return { id, addresses: null };
  const addresses = (packet.answers ?? []).flatMap((one) => (one.type === 'A' ? one.data : []));
  return { id, addresses };
}

/** The library reads an address beyond the message's end as well. */
function decodeWhole(message: Uint8Array): Packet {
  const packet = decode(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
  if (decode.bytes > message.length) throw new Error('the DNS message is cut off');
  return packet;
}

function questionOf({ id = 0, questions: [first] = [] }: Packet): DnsQuestion {
  if (!first) throw new Error('the DNS message asks nothing');
  return { id, name: first.name.toLowerCase(), type: first.type };
}
