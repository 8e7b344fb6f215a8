// One rule of nftables as something a packet can be shown: the statements that the program's rules are made of.
import { networkOf } from '../../../src/core/ip/address.ts';
import { handleNumber } from '../../../src/core/netlink/tc-messages.ts';
import { NotUnderstood } from './nft-text.ts';

/** A packet on its way, with what the kernel notes of it. */
export interface Packet {
  family: 'ip' | 'ip6';
  iifname: string;
  oifname: string;
  source: string;
  /** As the connection began. */
  originalSource: string;
  destination: string;
  /** Hardware address it comes from; '' for one of this machine's own. */
  mac: string;
  protocol: 'udp' | 'tcp';
  port: number;
  /** Of the whole packet. */
  bytes: number;
  /** Of a datagram of this machine's own: what it carries. */
  payload?: Uint8Array;
  /** Owner of its socket; null for one that is forwarded. */
  uid: number | null;
  /** What the destination is to this machine. */
  destinationType: 'local' | 'unicast' | 'broadcast' | 'multicast';
  mark: number;
  zone: number;
  /** Its destination was changed. */
  isTranslated?: boolean;
  priority: number;
}

/** What a rule may ask or change beside the packet. */
export interface RuleContext {
  holds(set: string, key: string): boolean;
  /** What a map leads to; null where it has no such key. */
  find(map: string, key: string): string | null;
  count(counter: string, packet: Packet): void;
  note(set: string, key: string): void;
}

export type Verdict =
  | { kind: 'accept' | 'drop' | 'return' }
  | { kind: 'fwd'; netdev: string }
  | { kind: 'jump' | 'goto'; chain: string }
  | null;

export interface Rule {
  /** Null where the packet goes on to the next rule. */
  judge(packet: Packet, context: RuleContext): Verdict;
  needs: { chains: string[]; counters: string[]; sets: string[] };
}

/** False where the packet does not match. */
type Step = (packet: Packet, context: RuleContext) => boolean;

/** What a match looks at; null where a packet has no such thing, which matches nothing. */
const FIELDS: Record<string, (packet: Packet) => string | null> = {
  iifname: ({ iifname }) => iifname,
  oifname: ({ oifname }) => oifname,
  'ip saddr': ({ family, source }) => (family === 'ip' ? source : null),
  'ip daddr': ({ family, destination }) => (family === 'ip' ? destination : null),
  'ip6 saddr': ({ family, source }) => (family === 'ip6' ? source : null),
  'ip6 daddr': ({ family, destination }) => (family === 'ip6' ? destination : null),
  'ct original ip saddr': ({ family, originalSource }) => (family === 'ip' ? originalSource : null),
  'ct original ip6 saddr': ({ family, originalSource }) =>
    family === 'ip6' ? originalSource : null,
  'ether saddr': ({ mac }) => mac || null,
  'udp dport': ({ protocol, port }) => (protocol === 'udp' ? `${port}` : null),
  'tcp dport': ({ protocol, port }) => (protocol === 'tcp' ? `${port}` : null),
  'th dport': ({ port }) => `${port}`,
  'meta l4proto': ({ protocol }) => protocol,
  'meta protocol': ({ family }) => family,
  'meta nfproto': ({ family }) => (family === 'ip' ? 'ipv4' : 'ipv6'),
  'meta skuid': ({ uid }) => (uid === null ? null : `${uid}`),
  'meta pkttype': () => 'host',
  'meta length': ({ bytes }) => `${bytes}`,
  'meta mark': ({ mark }) => `0x${mark.toString(16).padStart(8, '0')}`,
  'ct original zone': ({ zone }) => `${zone}`,
  // Every packet here begins a connection.
  'ct direction': () => 'original',
  'ct state': () => 'new',
  'ct status': ({ isTranslated }) => (isTranslated ? 'dnat' : ''),
  'ct original proto-dst': ({ port }) => `${port}`,
  'fib daddr type': ({ destinationType }) => destinationType,
  // Devices here have addresses of the networks they are in.
  'fib saddr oifname': ({ iifname }) => iifname,
  'icmp type': () => null,
  'icmpv6 type': () => null,
};

const UDP_HEADER_BYTES = 8;

const NAMES = Object.keys(FIELDS).join('|');
const STATEMENTS: [RegExp, (parts: string[], rule: Draft) => void][] = [
  [/counter name "(\w+)"/y, ([name], rule) => counts(rule, name!)],
  [/counter(?= |$)/y, () => {}],
  [/meta mark set meta mark & (\w+) \| (\w+)/y, ([mask, mark], rule) => marks(rule, mask!, mark!)],
  [/meta mark set (\w+)/y, ([mark], rule) => marks(rule, '0', mark!)],
  [/meta priority set (\w+:\w+)/y, ([id], rule) => prefers(rule, handleNumber(id!))],
  [/@th,(\d+),8 > (0x\w+)/y, ([bit, value], rule) => carries(rule, Number(bit) / 8, Number(value))],
  [/ct original zone set (\d+)/y, ([zone], rule) => zones(rule, Number(zone))],
  [
    new RegExp(`update @(\\w+) \\{ (${NAMES}) \\}`, 'y'),
    ([set, field], rule) => notes(rule, set!, field!),
  ],
  [/snat ip6? to (ip6? saddr) map @(\w+)/y, ([field, map], rule) => looksUp(rule, field!, map!)],
  [/meta length <= (\d+)/y, ([most], rule) => fits(rule, Number(most))],
  [
    /meta mark & (\w+) == (\w+)/y,
    ([mask, mark], rule) => isMarked(rule, Number(mask), Number(mark)),
  ],
  [
    new RegExp(`(${NAMES}) \\. (${NAMES}) @(\\w+)`, 'y'),
    ([first, second, set], rule) => matchesPair(rule, first!, second!, set!),
  ],
  [/snat ip6? prefix to (\S+)/y, ([prefix], rule) => translates(rule, prefix!)],
  [/redirect to :(\d+)/y, ([port], rule) => brings(rule, Number(port))],
  [/dnat ip6? to (\S+)/y, ([address], rule) => redirects(rule, address!)],
  [/masquerade/y, (_, rule) => ends(rule, { kind: 'accept' })],
  [/reject with icmpx admin-prohibited/y, (_, rule) => ends(rule, { kind: 'drop' })],
  [/(accept|drop|return)/y, ([kind], rule) => ends(rule, { kind: kind as 'drop' })],
  [/(jump|goto) (\w+)/y, ([kind, chain], rule) => leads(rule, kind as 'jump', chain!)],
  // No packet here has segments.
  [/tcp flags syn \/ syn,rst tcp option maxseg size set rt mtu/y, () => {}],
  [/fwd to "([^"]+)"/y, ([netdev], rule) => ends(rule, { kind: 'fwd', netdev: netdev! })],
  [/comment "[^"]*"/y, () => {}],
  [
    new RegExp(`(${NAMES}) (!= )?(?:@(\\w+)|\\{ ([^}]+) \\}|("[^"]*"|[\\w.:/,-]+))`, 'y'),
    ([field, not, set, list, one], rule) => matches(rule, field!, not, set, list ?? one),
  ],
];

interface Draft {
  steps: Step[];
  verdict: Verdict;
  needs: Rule['needs'];
}

const compiled = new Map<string, Rule>();

/** @throws {NotUnderstood} for a statement that this model does not know. */
export function compileRule(text: string): Rule {
  const known = compiled.get(text);
  if (known) return known;
  const draft: Draft = { steps: [], verdict: null, needs: { chains: [], counters: [], sets: [] } };
  for (let at = 0; at < text.length; at++) at = compileStatement(text, at, draft);
  const { steps, verdict, needs } = draft;
  const rule: Rule = {
    needs,
    judge: (packet, context) => {
      for (const step of steps) if (!step(packet, context)) return null;
      return verdict;
    },
  };
  compiled.set(text, rule);
  return rule;
}

function compileStatement(text: string, at: number, draft: Draft): number {
  for (const [pattern, add] of STATEMENTS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) continue;
    add(match.slice(1), draft);
    return pattern.lastIndex;
  }
  throw new NotUnderstood(`nft: "${text.slice(at)}" in the rule: ${text}`);
}

/** More than that in a byte behind the IP header; those of the UDP header nobody asks for. */
function carries(rule: Draft, atByte: number, least: number): void {
  rule.steps.push(({ payload }) => (payload?.[atByte - UDP_HEADER_BYTES] ?? 0) > least);
}

function matches(rule: Draft, field: string, not?: string, set?: string, values = ''): void {
  const read = FIELDS[field]!;
  const wanted = values.split(',').map((value) => value.trim().replaceAll('"', ''));
  const isAddress = / [sd]addr$/.test(field) && !field.startsWith('ether');
  if (set !== undefined) rule.needs.sets.push(set);
  rule.steps.push((packet, context) => {
    const value = read(packet);
    if (value === null) return false;
    const found =
      set !== undefined
        ? context.holds(set, value)
        : wanted.some((one) => (isAddress ? contains(one, value) : one === value));
    return found !== (not !== undefined);
  });
}

/** Answers given before, by prefix: the same few addresses are asked about for every packet. */
const answers = new Map<string, Map<string, boolean>>();

/** Whether an address is in a prefix, or is that address. */
export function contains(prefix: string, address: string): boolean {
  const ofPrefix = answers.get(prefix) ?? new Map<string, boolean>();
  const known = ofPrefix.get(address);
  if (known !== undefined) return known;
  const [base = '', length] = prefix.split('/');
  const isSix = base.includes(':');
  const bits = length === undefined ? (isSix ? 128 : 32) : Number(length);
  const isIn =
    isSix === address.includes(':') && networkOf(address, bits) === networkOf(base, bits);
  answers.set(prefix, ofPrefix.set(address, isIn));
  return isIn;
}

function counts({ steps, needs }: Draft, name: string): void {
  needs.counters.push(name);
  steps.push((packet, context) => {
    context.count(name, packet);
    return true;
  });
}

function marks({ steps }: Draft, mask: string, mark: string): void {
  steps.push((packet) => {
    packet.mark = ((packet.mark & Number(mask)) | Number(mark)) >>> 0;
    return true;
  });
}

function prefers({ steps }: Draft, value: number): void {
  steps.push((packet) => {
    packet.priority = value;
    return true;
  });
}

function zones({ steps }: Draft, zone: number): void {
  steps.push((packet) => {
    packet.zone = zone;
    return true;
  });
}

function notes({ steps, needs }: Draft, set: string, field: string): void {
  needs.sets.push(set);
  steps.push((packet, context) => {
    const value = FIELDS[field]!(packet);
    if (value === null) return false;
    context.note(set, value);
    return true;
  });
}

function fits({ steps }: Draft, mostBytes: number): void {
  steps.push(({ bytes }) => bytes <= mostBytes);
}

function isMarked({ steps }: Draft, mask: number, mark: number): void {
  steps.push((packet) => ((packet.mark & mask) ^ mark) === 0);
}

function matchesPair({ steps, needs }: Draft, first: string, second: string, set: string): void {
  needs.sets.push(set);
  steps.push((packet, context) => {
    const [one, other] = [FIELDS[first]!(packet), FIELDS[second]!(packet)];
    return one !== null && other !== null && context.holds(set, `${one} . ${other}`);
  });
}

function looksUp(rule: Draft, field: string, map: string): void {
  rule.needs.sets.push(map);
  rule.steps.push((packet, context) => {
    const key = FIELDS[field]!(packet);
    const found = key === null ? null : context.find(map, key);
    if (found !== null) packet.source = found;
    return found !== null;
  });
  ends(rule, { kind: 'accept' });
}

function translates(rule: Draft, prefix: string): void {
  const [base = '', length] = prefix.split('/');
  rule.steps.push((packet) => {
    if (base.includes(':') !== packet.source.includes(':')) return false;
    const host = base.includes(':') ? '1' : packet.source.split('.').at(-1)!;
    packet.source = networkOf(base, Number(length)).replace(/(0|)\/\d+$/, host);
    return true;
  });
  ends(rule, { kind: 'accept' });
}

function redirects(rule: Draft, address: string): void {
  rule.steps.push((packet) => {
    packet.destination = address;
    packet.isTranslated = true;
    return true;
  });
  ends(rule, { kind: 'accept' });
}

function brings(rule: Draft, port: number): void {
  rule.steps.push((packet) => {
    Object.assign(packet, { port, destinationType: 'local', isTranslated: true });
    return true;
  });
  ends(rule, { kind: 'accept' });
}

function ends(rule: Draft, verdict: Verdict): void {
  rule.verdict = verdict;
}

function leads(rule: Draft, kind: 'jump' | 'goto', chain: string): void {
  rule.needs.chains.push(chain);
  rule.verdict = { kind, chain };
}
