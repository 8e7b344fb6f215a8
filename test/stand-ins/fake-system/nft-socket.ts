// What the kernel's nf_tables answers by netlink: the few questions that the program asks without nft.

import { ipBytes } from '../../../src/core/ip/address.ts';
import {
  attributeOf,
  encodeAttribute,
  encodeMessage,
  encodeName,
  join,
  NESTED,
  type NetlinkMessage,
  readAttributes,
  readMessages,
  readName,
  readNumber,
} from '../../../src/core/netlink/netlink.ts';
import {
  bodyOf,
  COUNTER,
  ELEMENT,
  EXPRESSION_DATA,
  LIST,
  NFT,
  OBJECT,
  ONE,
  PACKETS,
  VALUE,
} from '../../../src/core/netlink/nft-messages.ts';
import { answerError, ENOENT, endOfDump, MULTI } from './netlink-answers.ts';
import { type NftModel, NftRefusal, type NftSet } from './nft-model.ts';
import type { ProgramStart } from './processes.ts';

/** `socat -b … - SOCKET-SENDTO:16:3:12:…` */
export function createNftSocket(nft: NftModel): ProgramStart {
  return (argv, life) => {
    if (argv[0] !== 'socat' || !argv[4]?.startsWith('SOCKET-SENDTO:16:3:12:')) return null;
    return {
      onBytes: (bytes) => {
        const { messages } = readMessages(bytes);
        const answer = join(answerTo(nft, messages));
        if (answer.length > 0) life.print(answer);
      },
      onInputEnd: () => life.exit(0),
    };
  };
}

function answerTo(nft: NftModel, messages: readonly NetlinkMessage[]): Uint8Array[] {
  const [first] = messages;
  switch (first?.type) {
    case NFT.getGeneration:
      return [body(first, NFT.newGeneration, [encodeAttribute(1, number(nft.version + 1, 4))], 0)];
    case NFT.getObject:
      return dump(first, NFT.newObject, counters(nft, first));
    case NFT.getElement:
      return dump(first, NFT.newElement, elements(nft, first));
    case NFT.batchBegin:
      return [renew(nft, messages)];
    default:
      throw new Error(`a netlink message of type ${first?.type}`);
  }
}

function counters(nft: NftModel, question: NetlinkMessage): Uint8Array[][] {
  const name = readName(attributeOf(bodyOf(question), OBJECT.table));
  const table = nft.tables.get(`inet ${name}`);
  return [...(table?.counters ?? [])].map(([counter, { packets }]) => [
    encodeName(OBJECT.table, name),
    encodeName(OBJECT.name, counter),
    encodeAttribute(OBJECT.type, number(COUNTER, 4)),
    encodeAttribute(OBJECT.data | NESTED, encodeAttribute(PACKETS, number(packets, 8))),
  ]);
}

/** Null where there is no such set. */
function elements(nft: NftModel, question: NetlinkMessage): Uint8Array[][] | null {
  const asked = bodyOf(question);
  const table = nft.tables.get(`inet ${readName(attributeOf(asked, LIST.table))}`);
  const set = table?.sets.get(readName(attributeOf(asked, LIST.set)));
  if (!set) return null;
  const counts = set.head.includes('counter');
  const listed = nft.elements(set).map((value) => {
    const key = encodeAttribute(ELEMENT.key | NESTED, encodeAttribute(VALUE, keyOf(set, value)));
    const counted = encodeAttribute(EXPRESSION_DATA, encodeAttribute(PACKETS, number(0, 8)));
    const expression = encodeAttribute(ELEMENT.expression, counted);
    return encodeAttribute(ONE | NESTED, counts ? join([key, expression]) : key);
  });
  return [[encodeAttribute(LIST.elements | NESTED, join(listed))]];
}

function keyOf(set: NftSet, value: string): Uint8Array {
  const [, type] =
    /^type (\w+)$/.exec(set.head.find((line) => line.startsWith('type ')) ?? '') ?? [];
  switch (type) {
    case 'ether_addr':
      return Uint8Array.from(value.split(':'), (byte) => Number.parseInt(byte, 16));
    case 'inet_service':
      return number(Number(value), 2);
    case 'ipv4_addr':
    case 'ipv6_addr':
      return ipBytes(value);
    default:
      throw new Error(`elements of ${set.head.join('; ')}`);
  }
}

/** The same transaction in nft's words. */
function renew(nft: NftModel, messages: readonly NetlinkMessage[]): Uint8Array {
  const commands = messages.slice(1, -1).map((message) => {
    const asked = bodyOf(message);
    const place = `inet ${readName(attributeOf(asked, LIST.table))} ${readName(attributeOf(asked, LIST.set))}`;
    const isAdded = message.type === NFT.newElement;
    const listed = readAttributes(attributeOf(asked, LIST.elements)!).map(([, element]) => {
      const value = attributeOf(attributeOf(element, ELEMENT.key)!, VALUE)!;
      const name = value.length === 2 ? (value[0] === 8 ? 'ip' : 'ip6') : value.join('.');
      const timeoutMs = readNumber(attributeOf(element, ELEMENT.timeout));
      return isAdded ? `${name} timeout ${timeoutMs / 1000}s` : name;
    });
    return `${isAdded ? 'add' : 'delete'} element ${place} { ${listed.join(', ')} }\n`;
  });
  let error = 0;
  try {
    nft.load(commands.join(''));
  } catch (refusal) {
    if (!(refusal instanceof NftRefusal)) throw refusal;
    error = ENOENT;
  }
  return answerError(messages[1]!, error);
}

function dump(
  question: NetlinkMessage,
  type: number,
  answers: Uint8Array[][] | null,
): Uint8Array[] {
  if (!answers) return [answerError(question, ENOENT, MULTI)];
  return [...answers.map((parts) => body(question, type, parts, MULTI)), endOfDump(question)];
}

function body(
  { sequence }: NetlinkMessage,
  type: number,
  parts: readonly Uint8Array[],
  flags: number,
): Uint8Array {
  const payload = join([new Uint8Array([1, 0, 0, 0]), ...parts]);
  return encodeMessage({ type, flags, sequence, payload });
}

function number(value: number, bytes: number): Uint8Array {
  const whole = new Uint8Array(8);
  new DataView(whole.buffer).setBigUint64(0, BigInt(value));
  return whole.subarray(8 - bytes);
}
