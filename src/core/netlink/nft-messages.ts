// What the kernel's nf_tables is asked without nft: which generation its rules are, what was counted, what sets hold. Pure.
import { formatIpv6, ipBytes } from '../ip/address.ts';
import {
  ACK,
  attributeOf,
  CREATE,
  DUMP,
  encodeAttribute,
  encodeMessage,
  encodeName,
  join,
  NESTED,
  type NetlinkMessage,
  REQUEST,
  readAttributes,
  readName,
  readNumber,
} from './netlink.ts';

/** linux/netfilter/nfnetlink.h and nf_tables.h. */
const SUBSYSTEM = 10;
export const NFT = {
  newElement: (SUBSYSTEM << 8) | 12,
  getElement: (SUBSYSTEM << 8) | 13,
  deleteElement: (SUBSYSTEM << 8) | 14,
  newGeneration: (SUBSYSTEM << 8) | 15,
  getGeneration: (SUBSYSTEM << 8) | 16,
  newObject: (SUBSYSTEM << 8) | 18,
  getObject: (SUBSYSTEM << 8) | 19,
  batchBegin: 16,
  batchEnd: 17,
} as const;
const FAMILY_INET = 1;
const FAMILY_HEADER_BYTES = 4;
/** NFTA_GEN_ID */
const GENERATION_ID = 1;
/** NFTA_OBJ_TABLE and so on; NFT_OBJECT_COUNTER. */
export const OBJECT = { table: 1, name: 2, type: 3, data: 4 } as const;
export const COUNTER = 1;
/** NFTA_COUNTER_BYTES and NFTA_COUNTER_PACKETS */
export const BYTES = 1;
export const PACKETS = 2;
/** NFTA_SET_ELEM_LIST_TABLE and so on. */
export const LIST = { table: 1, set: 2, elements: 3 } as const;
/** NFTA_LIST_ELEM, NFTA_DATA_VALUE */
export const ONE = 1;
export const VALUE = 1;
/** NFTA_SET_ELEM_KEY and so on. */
export const ELEMENT = { key: 1, timeout: 4, expression: 7 } as const;
/** NFTA_EXPR_DATA */
export const EXPRESSION_DATA = 2;

const ETHER_TYPES: Readonly<Record<string, number>> = { ip: 0x0800, ip6: 0x86dd };

/** Types of sets' elements, as far as they are read. */
export type ElementType = 'ether_addr' | 'inet_service' | 'ipv4_addr' | 'ipv6_addr';

/** What was counted. */
export interface ByteCount {
  packets: number;
  bytes: number;
}

/** An element of a set, and what it has counted where its set counts. */
export interface SetElement extends ByteCount {
  value: string;
}

function message(type: number, flags: number, sequence: number, parts: readonly Uint8Array[]) {
  return encodeMessage({
    ...{ type, flags: REQUEST | flags, sequence },
    payload: join([new Uint8Array([FAMILY_INET, 0, 0, 0]), ...parts]),
  });
}

/** Asks for the number that every change of any rule, set or table raises by one. */
export function askGeneration(sequence: number): Uint8Array {
  return message(NFT.getGeneration, 0, sequence, []);
}

/** Asks for a table's named counters. */
export function askCounters(sequence: number, table: string): Uint8Array {
  return message(NFT.getObject, DUMP, sequence, [
    encodeName(OBJECT.table, table),
    encodeAttribute(OBJECT.type, new Uint8Array([0, 0, 0, COUNTER])),
  ]);
}

/** Asks for the elements of a set. */
export function askElements(sequence: number, table: string, set: string): Uint8Array {
  return message(NFT.getElement, DUMP, sequence, [
    encodeName(LIST.table, table),
    encodeName(LIST.set, set),
  ]);
}

/**
 * One transaction that has elements go on for so long from now, as {@link renderAlive} does. The last one of its messages is
 * acknowledged; each that is refused is answered.
 *
 * @param elements protocols or IPv4 addresses.
 */
export function renewElements(
  sequence: number,
  table: string,
  set: string,
  elements: readonly string[],
  timeoutMs: number,
): Uint8Array {
  const timeout = new Uint8Array(8);
  new DataView(timeout.buffer).setBigUint64(0, BigInt(timeoutMs));
  const list = (isTimed: boolean): Uint8Array[] => [
    encodeName(LIST.table, table),
    encodeName(LIST.set, set),
    encodeAttribute(
      LIST.elements | NESTED,
      join(
        elements.map((element) => {
          const key = encodeAttribute(VALUE, keyOf(element));
          const parts = [encodeAttribute(ELEMENT.key | NESTED, key)];
          if (isTimed) parts.push(encodeAttribute(ELEMENT.timeout, timeout));
          return encodeAttribute(ONE | NESTED, join(parts));
        }),
      ),
    ),
  ];
  const subsystem = new Uint8Array([0, 0, 0, SUBSYSTEM]);
  const frame = (type: number) =>
    encodeMessage({ type, flags: REQUEST, sequence: 0, payload: subsystem });
  return join([
    frame(NFT.batchBegin),
    message(NFT.newElement, CREATE, sequence, list(true)),
    message(NFT.deleteElement, 0, sequence, list(false)),
    message(NFT.newElement, CREATE | ACK, sequence, list(true)),
    frame(NFT.batchEnd),
  ]);
}

function keyOf(element: string): Uint8Array {
  const etherType = ETHER_TYPES[element];
  if (etherType === undefined) return ipBytes(element);
  return new Uint8Array([etherType >> 8, etherType & 0xff]);
}

/** The number that was asked for; null where these say none. */
export function readGeneration(messages: readonly NetlinkMessage[]): number | null {
  const found = messages.find(({ type }) => type === NFT.newGeneration);
  if (!found) return null;
  return readNumber(attributeOf(bodyOf(found), GENERATION_ID));
}

/** Packets by counter. */
export function readCounters(messages: readonly NetlinkMessage[]): Map<string, number> {
  const counters = new Map<string, number>();
  for (const one of messages) {
    if (one.type !== NFT.newObject) continue;
    const body = bodyOf(one);
    const data = attributeOf(body, OBJECT.data);
    if (data) {
      const name = readName(attributeOf(body, OBJECT.name));
      counters.set(name, readNumber(attributeOf(data, PACKETS)));
    }
  }
  return counters;
}

export function readElements(messages: readonly NetlinkMessage[], type: ElementType): SetElement[] {
  return messages
    .filter((one) => one.type === NFT.newElement)
    .flatMap((one) => readAttributes(attributeOf(bodyOf(one), LIST.elements) ?? new Uint8Array()))
    .map(([, element]) => {
      const key = attributeOf(element, ELEMENT.key);
      const value = key && attributeOf(key, VALUE);
      const expression = attributeOf(element, ELEMENT.expression);
      const counted = expression && attributeOf(expression, EXPRESSION_DATA);
      const numberOf = (kind: number): number =>
        counted ? readNumber(attributeOf(counted, kind)) : 0;
      return {
        value: value ? formatKey(value, type) : '',
        ...{ packets: numberOf(PACKETS), bytes: numberOf(BYTES) },
      };
    });
}

function formatKey(key: Uint8Array, type: ElementType): string {
  switch (type) {
    case 'ether_addr':
      return Array.from(key, (byte) => byte.toString(16).padStart(2, '0')).join(':');
    case 'inet_service':
      return `${readNumber(key)}`;
    case 'ipv4_addr':
      return key.join('.');
    case 'ipv6_addr':
      return formatIpv6(key);
  }
}

/** Behind what nf_tables has before attributes. */
export function bodyOf({ payload }: NetlinkMessage): Uint8Array {
  return payload.subarray(FAMILY_HEADER_BYTES);
}
