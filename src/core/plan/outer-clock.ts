// The clock behind OpenVPN: an ifb with a queue of one rate, and the filter that leads OpenVPN's datagrams through it.
import { ipBytes, ipVersion } from '../ip/address.ts';
import { type Shape, slotMs, slotsPerSecond } from '../stream/stream.ts';
import { CLOCK_HANDLE, CLOCK_NETDEV, CLOCK_PREFERENCE } from './names.ts';
import { classId, classRateWords } from './tc.ts';
import type { ListedFilter } from './tc-listing.ts';

/** Netdev by which the other end is reached. */
export interface WayOut {
  netdev: string;
  /** Another netdev may come to have its name. */
  index: number;
}

/** Whose datagrams pass the clock: OpenVPN's to the other end. */
export interface ClockedWay extends WayOut {
  /** The other end's address and port. */
  address: string;
  port: number;
}

/** What every packet is charged for: more than any is long, so that each takes one interval, one of a handshake too. */
const CHARGED_BYTES = 2048;

/** Slots that stand in the clock, in time: what OpenVPN is late by is made up of them. */
const STANDING_MS = 10;
const FEWEST_STANDING = 2;
/** And what may stand there besides: so long OpenVPN may pause without a loss. */
const SPARE_MS = 50;
const FEWEST_SPARE = 3;
/** Slots longer than this are as late as they are long for each that stands: one has to do. */
const LONG_SLOT_MS = 25;

/** Encrypted slots that ought to stand in the clock of a paced stream. */
export function standingSlots({ rateKBps, packetBytes }: Shape): number {
  const each = slotMs(rateKBps, packetBytes);
  return each > LONG_SLOT_MS ? 1 : Math.max(FEWEST_STANDING, Math.ceil(STANDING_MS / each));
}

/** How much later slots leave for those that stand before them, ms. */
export function standingDelayMs(shape: Shape): number {
  return standingSlots(shape) * slotMs(shape.rateKBps, shape.packetBytes);
}

/** Slots that may stand there: what piles up while the wire or OpenVPN pauses is lost, and never leaves as a burst. */
export function clockLimit(shape: Shape): number {
  const each = slotMs(shape.rateKBps, shape.packetBytes);
  return standingSlots(shape) + Math.max(FEWEST_SPARE, Math.ceil(SPARE_MS / each));
}

function clockRateWords(slotBytesPerSecond: number, packetBytes: number): string {
  const bytesPerSecond = Math.max(
    1,
    Math.round((slotBytesPerSecond / packetBytes) * CHARGED_BYTES),
  );
  return classRateWords(bytesPerSecond, CHARGED_BYTES);
}

/** The ifb's queue from nothing. */
export function renderClock(minor: number, shape: Shape): string[] {
  const id = classId(minor, CLOCK_HANDLE);
  const rate = slotsPerSecond(shape) * shape.packetBytes;
  return [
    `qdisc add dev ${CLOCK_NETDEV} root handle ${CLOCK_HANDLE} htb default ${minor.toString(16)} direct_qlen 0`,
    `class add dev ${CLOCK_NETDEV} parent ${CLOCK_HANDLE} classid ${id} htb ${clockRateWords(rate, shape.packetBytes)}`,
    `qdisc add dev ${CLOCK_NETDEV} parent ${id} handle ${clockLeaf(minor)} pfifo limit ${clockLimit(shape)}`,
  ];
}

/**
 * The line that has the clock let one slot go in each interval of a rate.
 *
 * @param bytesPerSecond of slots before they are encrypted
 */
export function renderClockChange(
  minor: number,
  bytesPerSecond: number,
  packetBytes: number,
): string {
  return `class change dev ${CLOCK_NETDEV} parent ${CLOCK_HANDLE} classid ${classId(minor, CLOCK_HANDLE)} htb ${clockRateWords(bytesPerSecond, packetBytes)}\n`;
}

/** The line that bounds what stands there for another shape; what stands stays. */
export function renderClockLimit(minor: number, shape: Shape): string {
  return `qdisc change dev ${CLOCK_NETDEV} parent ${classId(minor, CLOCK_HANDLE)} handle ${clockLeaf(minor)} pfifo limit ${clockLimit(shape)}\n`;
}

/** Handle of a class's leaf on the ifb. */
export function clockLeaf(minor: number): string {
  return `${(0x2000 + minor).toString(16)}:`;
}

/** The filter on the way out. What it takes goes on by the same netdev, past its own queue, once the clock lets it. */
export function renderClockFilter({ netdev, address, port }: ClockedWay): string {
  const [protocol, ip, bits] = ipVersion(address) === 6 ? ['ipv6', 'ip6', 128] : ['ip', 'ip', 32];
  const match = `match ${ip} dst ${address}/${bits} match ${ip} protocol 17 0xff match ${ip} dport ${port} 0xffff`;
  return `filter add dev ${netdev} egress protocol ${protocol} pref ${CLOCK_PREFERENCE} u32 ${match} action mirred egress redirect dev ${CLOCK_NETDEV}`;
}

/** The same as tc lists it: words of the header at their offsets, and where it leads. */
export function listedFilter({ address, port }: ClockedWay): Omit<ListedFilter, 'packets'> {
  const isV6 = ipVersion(address) === 6;
  const bytes = ipBytes(address);
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const words = Array.from({ length: bytes.length / 4 }, (_, word) =>
    [...bytes.subarray(4 * word, 4 * word + 4)].map((byte) => hex(byte, 2)).join(''),
  );
  const first = isV6 ? 24 : 16;
  return {
    preference: CLOCK_PREFERENCE,
    target: CLOCK_NETDEV,
    matches: [
      ...words.map((word, index) => `${word}/ffffffff at ${first + 4 * index}`),
      // The protocol stands in the word of the time to live, in IPv6's in that of the hop limit.
      isV6 ? '00001100/0000ff00 at 4' : '00110000/00ff0000 at 8',
      `${hex(port, 8)}/0000ffff at ${isV6 ? 40 : 20}`,
    ],
  };
}
