// Spacers: datagrams that stand between slots in the clock behind OpenVPN and are thrown away behind it, each as long as an interval.
import type { ClassRate } from '../netlink/tc-messages.ts';
import { modes } from '../pacing/modes.ts';
import { type Shape, slotsPerSecond } from '../stream/stream.ts';
import { CLOCK_HANDLE, CLOCK_NETDEV } from './names.ts';
import { burstBytes, classId } from './tc.ts';

/** The mean interval, as bytes that the clock charges. */
export const SLOT_UNITS = 1000;
/**
 * Taken off the length of all that comes to the clock: the longest of OpenVPN's packets, with Ethernet's header, so that none of
 * them takes anything of an interval. What is longer is longer than the pair lets through: no spacer leaves it, whatever rules say.
 */
const WHOLE_BYTES = 1514;
export const CLOCK_SIZES = `stab overhead -${WHOLE_BYTES} linklayer ethernet`;
const HEADER_BYTES = 14 + 20 + 8;
/** Where no spacer makes the interval, every packet is charged for more than any is long, so that each takes one, one of a handshake too. */
export const CHARGED_BYTES = 2048;

/** Bytes that a spacer's datagram has. @param units of its interval */
export function spacerBytes(units: number): number {
  return WHOLE_BYTES + units - HEADER_BYTES;
}

/** Loopback addresses, the last byte a stream's minor, and the port that spacers are sent to: nobody is there. */
const SPACER_NET = '127.72.13';
export const SPACER_PORT = 20464;

export function spacerAddress(minor: number): string {
  return `${SPACER_NET}.${minor & 0xff}`;
}

/**
 * Ids of a stream's classes there: the one that paces, and the two that borrow from it by turns. A turn is a packet, since a quantum
 * is one byte (sch_htb.c, htb_dequeue_tree).
 */
export function clockClasses(minor: number): { whole: string; slots: string; spacers: string } {
  return {
    whole: classId(0x1000 + (minor % 0x1000), CLOCK_HANDLE),
    slots: classId(minor, CLOCK_HANDLE),
    spacers: classId(SPACERS + (minor % 0x1000), CLOCK_HANDLE),
  };
}

const SPACERS = 0x2000;

/** The stream whose spacers a class has; null for another class. Streams' own minors are below. */
export function minorOfSpacers(id: string): number | null {
  const minor = Number.parseInt(id.slice(CLOCK_HANDLE.length), 16);
  return minor >= SPACERS && minor < SPACERS + 0x1000 ? minor - SPACERS : null;
}

/** Handle of the spacers' leaf. */
export function spacerLeaf(minor: number): string {
  return `${(0x3000 + (minor % 0x1000)).toString(16)}:`;
}

/** Spacers that may stand there: twice as many as ever do. */
export function spacerLimit(shape: Shape): number {
  return Math.ceil(2 * slotsPerSecond(shape)) + 16;
}

/** What the class that paces is given while spacers stand there. @param bend share by which intervals are shortened */
export function spacedRate(shape: Shape, bend: number): ClassRate {
  const rate = Math.max(1, Math.round((SLOT_UNITS * slotsPerSecond(shape)) / (1 - bend)));
  const burst = burstBytes(rate);
  return {
    ...{ bytesPerSecond: rate, ceilBytesPerSecond: rate },
    ...{ burstBytes: burst, ceilBurstBytes: burst, leastBytes: 0 },
  };
}

/** A class that borrows whatever it sends has a rate all the same: as little as there can be. */
const BORROWS = { bytesPerSecond: 1, burstBytes: 1, quantumBytes: 1 };
/** Slots are let go no faster than the shortest interval, or so many times the mean, should spacers be missing. */
const FEWEST_TIMES = 5;
const SPARE = 1.1;

/** What the class of slots is given. */
export function slotRate(shape: Shape): ClassRate {
  const { shortest } = modes[shape.mode].reach(shape.sdPercent);
  const times = Math.max(FEWEST_TIMES, SPARE / shortest);
  const ceilBytesPerSecond = Math.ceil(slotsPerSecond(shape) * times * CHARGED_BYTES);
  return { ...BORROWS, ceilBytesPerSecond, ceilBurstBytes: 1, leastBytes: CHARGED_BYTES };
}

/** What the class of spacers is given. Once a minute its own rate would let one go before its time; this ceiling does not. */
export function spacerRate(shape: Shape): ClassRate {
  const { bytesPerSecond, burstBytes: ceilBurstBytes } = spacedRate(shape, 0);
  const ceilBytesPerSecond = Math.ceil(bytesPerSecond * SPARE);
  return { ...BORROWS, ceilBytesPerSecond, ceilBurstBytes, leastBytes: 0 };
}

/** Where a stream's spacers go: those of a home have one class, an endpoint's homes are looked up. */
export interface SpacerTarget {
  /** What follows `ip daddr` and says the class. */
  address: string;
  priority: string;
}

export function targetOf(minor: number): SpacerTarget {
  return { address: spacerAddress(minor), priority: clockClasses(minor).spacers };
}

/** The same for every home that there can be, by a map of {@link renderSpacerMap}. */
export const ANY_TARGET: SpacerTarget = {
  address: `${SPACER_NET}.0/24`,
  priority: 'ip daddr map @spacers',
};

/** Lines of the map that an endpoint's target looks into. */
export function renderSpacerMap(): string[] {
  const hosts = Array.from({ length: 254 }, (_, at) => at + 1);
  const elements = hosts.map((host) => `${spacerAddress(host)} : ${clockClasses(host).spacers}`);
  return [
    '	map spacers {',
    '		type ipv4_addr : classid',
    `		elements = { ${elements.join(', ')} }`,
    '	}',
    '',
  ];
}

/** The chain by which they come from a socket of this program's user to the clock, and nowhere else. */
export function renderSpacerChain({ address, priority }: SpacerTarget, uid: number): string[] {
  return [
    '	chain spacers {',
    '		type filter hook egress device "lo" priority 0; policy accept;',
    `		ip daddr ${address} udp dport ${SPACER_PORT} meta skuid ${uid} meta priority set ${priority} fwd to "${CLOCK_NETDEV}"`,
    '	}',
  ];
}

/** The rule by which they end behind it. */
export const SPACERS_END = `ip daddr ${SPACER_NET}.0/24 drop`;
