// What a DNS message in the clear tells an observer: the names asked for, and the addresses behind them.
import { formatIpv4, formatIpv6 } from '../../core/capture/addresses.ts';
import { viewOf } from '../../core/capture/pcap.ts';

export interface DnsMessage {
  isResponse: boolean;
  /** Names asked for, lower case, without the final dot. */
  questions: string[];
  /** Addresses answered, each with every name that led to it: the one asked for and its aliases. */
  addresses: { address: string; names: string[] }[];
}

const types = { a: 1, cname: 5, aaaa: 28 } as const;

/**
 * Parses a DNS message as carried in UDP (RFC 1035). Captures cut packets short, so what comes before the cut is
 * returned, for which dns-packet has no way; null where not even one question can be read.
 */
export function parseDns(message: Uint8Array): DnsMessage | null {
  if (message.length < 12) return null;
  const view = viewOf(message);
  const isResponse = (view.getUint16(2) & 0x8000) !== 0;
  const questionCount = view.getUint16(4);
  const answerCount = view.getUint16(6);
  if (questionCount === 0 || questionCount > 16) return null;
  const questions: string[] = [];
  let at = 12;
  for (let i = 0; i < questionCount; i++) {
    const name = readName(message, at);
    if (name === null || name.next + 4 > message.length) return null;
    questions.push(name.text);
    at = name.next + 4;
  }
  const aliases = new Map<string, string>();
  const answers: { address: string; owner: string }[] = [];
  for (let i = 0; i < answerCount; i++) {
    const owner = readName(message, at);
    if (owner === null || owner.next + 10 > message.length) break;
    const type = view.getUint16(owner.next);
    const length = view.getUint16(owner.next + 8);
    const data = owner.next + 10;
    if (data + length > message.length) break;
    if (type === types.a && length === 4) {
      answers.push({ address: formatIpv4(message, data), owner: owner.text });
    } else if (type === types.aaaa && length === 16) {
      answers.push({ address: formatIpv6(message, data), owner: owner.text });
    } else if (type === types.cname) {
      const target = readName(message, data);
      if (target) aliases.set(target.text, owner.text);
    }
    at = data + length;
  }
  const addresses = answers.map(({ address, owner }) => ({
    address,
    names: namesLeadingTo(owner, aliases),
  }));
  return { isResponse, questions, addresses };
}

function namesLeadingTo(name: string, aliases: Map<string, string>): string[] {
  const names = [name];
  for (let owner = aliases.get(name); owner !== undefined; owner = aliases.get(owner)) {
    if (names.includes(owner)) break;
    names.push(owner);
  }
  return names;
}

/**
 * Reads a name, following compression pointers backwards only, so that no message can loop.
 * @param isFolded lower case; else as it stands, in UTF-8, as people name their devices
 */
export function readName(
  message: Uint8Array,
  start: number,
  isFolded = true,
): { text: string; next: number } | null {
  const labels: string[] = [];
  let at = start;
  let next = -1;
  let limit = start;
  let bytes = 0;
  for (;;) {
    const length = message[at];
    if (length === undefined) return null;
    if (length === 0) break;
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) return null;
      const target = (length & 0x3f) * 256 + low;
      if (target >= limit) return null;
      if (next < 0) next = at + 2;
      limit = target;
      at = target;
      continue;
    }
    if (length >= 0x40 || at + 1 + length > message.length) return null;
    bytes += length + 1;
    if (bytes > 255) return null;
    const label = message.subarray(at + 1, at + 1 + length);
    labels.push(
      isFolded ? String.fromCharCode(...label).toLowerCase() : new TextDecoder().decode(label),
    );
    at += 1 + length;
  }
  return { text: labels.join('.'), next: next < 0 ? at + 1 : next };
}
