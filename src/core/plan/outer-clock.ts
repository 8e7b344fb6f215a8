// The clock behind OpenVPN: a pair of netdevs with a queue that paces, and the chains that lead OpenVPN's datagrams through it.
import type { Config } from '../config/types.ts';
import { ipVersion } from '../ip/address.ts';
import type { ClassRate } from '../netlink/tc-messages.ts';
import { type Shape, slotMs, slotsPerSecond } from '../stream/stream.ts';
import { CLOCK_END_NETDEV, CLOCK_HANDLE, CLOCK_NETDEV, TABLE } from './names.ts';
import {
  CHARGED_BYTES,
  CLOCK_SIZES,
  clockClasses,
  renderSpacerChain,
  SPACERS_END,
  slotRate,
  spacerLeaf,
  spacerLimit,
  spacerRate,
  targetOf,
} from './spacers.ts';
import { classRate, classRateWords, PAUSE_MS } from './tc.ts';

/** Netdev by which the other end is reached. */
export interface WayOut {
  netdev: string;
  /** Another netdev may come to have its name. */
  index: number;
  /** Whether its packets have an Ethernet header: those of PPPoE and many modems have none. */
  isEthernet: boolean;
}

/** Whose datagrams pass the clock: OpenVPN's to the other end. */
export interface ClockedWay extends WayOut {
  /** The other end's address and port. */
  address: string;
  port: number;
}

/** What was read of the chains that lead there. */
export interface ClockChains {
  /** Whether they stand as they were made. */
  intact: boolean;
  /** Packets that they have led there since. */
  ledPackets: number;
}

/** What is to stand at a home; `way` null for nothing. */
export interface ClockWish {
  way: ClockedWay | null;
  minor: number;
  shape: Shape;
  standing: number;
}

type Rate = Pick<Shape, 'rateKBps' | 'packetBytes'>;

/** Slots that stand in the clock, in time: what OpenVPN is late by is made up of them. */
const STANDING_MS = 10;
const FEWEST_STANDING = 2;
/** And what may stand there besides, when OpenVPN hands over at once what waited for it, and what came meanwhile. */
const SPARE_MS = PAUSE_MS + 50;
const FEWEST_SPARE = 6;
/** Slots longer than this are as late as they are long for each that stands: one has to do. */
const LONG_SLOT_MS = 25;

/**
 * Encrypted slots that ought to stand in the clock of a paced stream.
 *
 * @returns 0 where the configuration wants no such clock.
 */
export function standingSlots(
  { main }: { main: Pick<Config['main'], 'standingSlots'> },
  { rateKBps, packetBytes }: Rate,
): number {
  if (main.standingSlots !== null) return main.standingSlots;
  const each = slotMs(rateKBps, packetBytes);
  return each > LONG_SLOT_MS ? 1 : Math.max(FEWEST_STANDING, Math.ceil(STANDING_MS / each));
}

/** How much later slots leave for those that stand before them, ms. */
export function standingDelayMs(standing: number, { rateKBps, packetBytes }: Rate): number {
  return standing * slotMs(rateKBps, packetBytes);
}

/** The same where the configuration names no number of slots. */
export function usualDelayMs(rate: Rate): number {
  return standingDelayMs(standingSlots({ main: { standingSlots: null } }, rate), rate);
}

/** Slots that may stand there: what piles up beyond that while the wire or OpenVPN pauses is lost, and none of it leaves as a burst. */
export function clockLimit(standing: number, { rateKBps, packetBytes }: Shape): number {
  const each = slotMs(rateKBps, packetBytes);
  return standing + Math.max(FEWEST_SPARE, Math.ceil(SPARE_MS / each));
}

/** What a rate of slots is, each charged in full. */
function chargedRate(bytesPerSecond: number, packetBytes: number): number {
  return Math.max(1, Math.round((bytesPerSecond / packetBytes) * CHARGED_BYTES));
}

/** What the clock's class that paces is given where no spacers stand there. @param bytesPerSecond of slots before they are encrypted, as drawn */
export function clockRate(bytesPerSecond: number, shape: Shape): ClassRate {
  const { packetBytes } = shape;
  const mean = slotsPerSecond(shape) * packetBytes;
  return classRate(
    chargedRate(bytesPerSecond, packetBytes),
    CHARGED_BYTES,
    chargedRate(mean, packetBytes),
  );
}

/** The clock's queue from nothing. */
export function renderClock(minor: number, standing: number, shape: Shape): string[] {
  return [renderClockRoot(minor), ...renderClockClass(minor, standing, shape)];
}

/** The line that makes its root. @param stray minor of the class for packets that nobody says a class of */
export function renderClockRoot(stray: number): string {
  return `qdisc add dev ${CLOCK_NETDEV} root handle ${CLOCK_HANDLE} ${CLOCK_SIZES} htb default ${stray.toString(16)} direct_qlen 0`;
}

/** The lines that make the classes of one stream. */
export function renderClockClass(minor: number, standing: number, shape: Shape): string[] {
  const { whole, slots, spacers } = clockClasses(minor);
  const mean = slotsPerSecond(shape) * shape.packetBytes;
  const add = (parent: string, id: string, rate: ClassRate): string =>
    `class add dev ${CLOCK_NETDEV} parent ${parent} classid ${id} htb ${classRateWords(rate)}`;
  const leaf = (parent: string, handle: string, limit: number): string =>
    `qdisc add dev ${CLOCK_NETDEV} parent ${parent} handle ${handle} pfifo limit ${limit}`;
  return [
    add(CLOCK_HANDLE, whole, clockRate(mean, shape)),
    add(whole, slots, slotRate(shape)),
    add(whole, spacers, spacerRate(shape)),
    leaf(slots, clockLeaf(minor), clockLimit(standing, shape)),
    leaf(spacers, spacerLeaf(minor), spacerLimit(shape)),
  ];
}

/** The lines that take them away. */
export function renderClockClassRemove(minor: number): string[] {
  const { whole, slots, spacers } = clockClasses(minor);
  return [spacers, slots, whole].map((id) => `class del dev ${CLOCK_NETDEV} classid ${id}`);
}

/** What is made of one: its queue line by line, and its chains. */
export interface PlannedClock {
  queue: readonly string[];
  chains: string;
}

/** The clock of a home; null where there is to be none. @param uid whose datagrams may be spacers */
export function planClock(
  { way, minor, shape, standing }: ClockWish,
  uid: number,
): PlannedClock | null {
  if (!way) return null;
  return { queue: renderClock(minor, standing, shape), chains: renderClockChains(way, minor, uid) };
}

/** Handle of the leaf of a stream's slots there; handles have 16 bits. */
export function clockLeaf(minor: number): string {
  return `${(0x2000 + (minor % 0x1000)).toString(16)}:`;
}

/** Where it stands; of another family than the rules, so that neither takes the other away. */
export const CLOCK_TABLE: string = `netdev ${TABLE}`;

/** Counts what is led to the clock. */
export const LED_COUNTER = 'led';

/**
 * Whom a packet without an Ethernet header is sent to at either end: nobody asks for it, since neither end does ARP, and
 * a netdev without such headers asks nobody (RFC 7600: an address that never leaves its host).
 */
const DUMMY = { ip: '192.0.0.8', ip6: 'fe80::1' };
/** As many hops as OpenVPN's own packets start with, and one for each end that sends them on so. */
const HOPS = 64 + 2;

type Family = keyof typeof DUMMY;

/** The rule's end that sends a packet without an Ethernet header on to the clock. */
export function throughHeadless(ip: Family): string {
  const hops = ip === 'ip6' ? `ip6 hoplimit set ${HOPS}` : `ip ttl set ${HOPS}`;
  return `${hops} fwd ${ip} to ${DUMMY[ip]} device "${CLOCK_NETDEV}"`;
}

/** The rule that sends one on from the clock's other end to the netdev it was to leave by. */
export function backHeadless(ip: Family, netdev: string): string {
  return `meta protocol ${ip} fwd ${ip} to ${DUMMY[ip]} device "${netdev}"`;
}

/**
 * The chains on the way out and back. What comes back is nobody's on its pair of netdevs, which is how it is told from what
 * has not passed the clock; it leaves by the queue that the way out has, whose ever that is.
 */
export function renderClockChains(
  { netdev, address, port, isEthernet }: ClockedWay,
  minor: number,
  uid: number,
): string {
  const ip = ipVersion(address) === 6 ? 'ip6' : 'ip';
  const through = isEthernet ? `fwd to "${CLOCK_NETDEV}"` : throughHeadless(ip);
  const back = isEthernet ? `fwd to "${netdev}"` : backHeadless(ip, netdev);
  return `${renderNoClockChains()}table ${CLOCK_TABLE} {
	counter ${LED_COUNTER} {
	}

	chain out {
		type filter hook egress device "${netdev}" priority 0; policy accept;
		meta pkttype != other ${ip} daddr ${address} udp dport ${port} counter name ${LED_COUNTER} ${through}
	}

	chain back {
		type filter hook ingress device "${CLOCK_END_NETDEV}" priority 0; policy drop;
		${SPACERS_END}
		${back}
	}

${renderSpacerChain(targetOf(minor), uid).join('\n')}
}
`;
}

/** Takes them away, whether there are any or not. */
export function renderNoClockChains(): string {
  return `table ${CLOCK_TABLE}\ndelete table ${CLOCK_TABLE}\n`;
}

/**
 * What lists them, and no error where there are none. nft 1.0.6 lists them whole only where nothing else is asked of it in
 * the same breath.
 */
export const LIST_CLOCK_CHAINS = 'list ruleset netdev\n';

/** The clock's table as listed among others of its family; '' where there is none. */
export function clockTableIn(listing: string): string {
  return new RegExp(`^table ${CLOCK_TABLE} \\{\\n[\\s\\S]*?^\\}`, 'm').exec(listing)?.[0] ?? '';
}
