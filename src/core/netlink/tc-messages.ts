// Messages of the kernel's traffic control: classes are given other rates and queues are listed, without tc. Pure.
import type { ListedClass, ListedQdisc } from '../plan/tc-listing.ts';
import {
  attributeOf,
  CREATE,
  DUMP,
  encodeAttribute,
  encodeMessage,
  encodeName,
  HEADER_BYTES,
  IS_LITTLE,
  join,
  type NetlinkMessage,
  REQUEST,
  readName,
  viewOf,
} from './netlink.ts';

/** linux/rtnetlink.h */
export const RTM = {
  newQdisc: 36,
  getQdisc: 38,
  newClass: 40,
  deleteClass: 41,
  getClass: 42,
} as const;
const FAMILY_BYTES = 20;
/** TCA_KIND and so on. */
export const TCA = { kind: 1, options: 2, stats2: 7 } as const;
/** TCA_HTB_PARMS */
export const HTB_PARAMETERS = 1;
/** TCA_STATS_BASIC and so on. */
export const STATS = { basic: 1, queue: 3, packets64: 8 } as const;
const ROOT = 0xffffffff;
/** TC_LINKLAYER_ETHERNET: the kernel reckons by the rate alone, and wants no table of it. */
const ETHERNET = 1;
/** The kernel's unit of time for buckets, ns (net/pkt_sched.h, PSCHED_SHIFT). */
const TICK_NS = 64;
/** By how much a class is served before its neighbours; said, so that the kernel does not reckon and complain. */
const QUANTUM_BYTES = 2048;

/**
 * As long as what changes something is. Whoever carries messages in pieces of a power of two carries whole ones; and where a piece
 * ends after 64 bytes all the same, what follows begins with a header that asks for nothing.
 */
export const CHANGE_BYTES = 128;
const NLMSG_NOOP = 1;

/** How fast HTB lets a class go, by two buckets of which neither may be empty. */
export interface ClassRate {
  bytesPerSecond: number;
  ceilBytesPerSecond: number;
  burstBytes: number;
  ceilBurstBytes: number;
  /** A shorter packet is charged as much. */
  leastBytes: number;
  /** By how much it is served before its neighbours; left out for the usual. */
  quantumBytes?: number;
}

/** `1:10` or `1:` as the kernel has it; halves are hexadecimal. */
export function handleNumber(id: string): number {
  const colon = id.indexOf(':');
  return Number.parseInt(id, 16) * 0x10000 + (Number.parseInt(id.slice(colon + 1), 16) || 0);
}

/** As tc prints it. */
function handleText(handle: number): string {
  const minor = handle & 0xffff;
  return `${(handle >>> 16).toString(16)}:${minor === 0 ? '' : minor.toString(16)}`;
}

/** struct tcmsg */
interface Family {
  index: number;
  handle: number;
  parent: number;
}

function writeFamily(view: DataView, at: number, { index, handle, parent }: Family): void {
  view.setInt32(at + 4, index, IS_LITTLE);
  view.setUint32(at + 8, handle, IS_LITTLE);
  view.setUint32(at + 12, parent, IS_LITTLE);
}

function family(index: number, handle: number, parent: number): Uint8Array {
  const bytes = new Uint8Array(FAMILY_BYTES);
  writeFamily(viewOf(bytes), 0, { index, handle, parent });
  return bytes;
}

/** One message, and one that the kernel passes over, {@link CHANGE_BYTES} in all. */
function filled(message: Uint8Array): Uint8Array {
  const payload = new Uint8Array(CHANGE_BYTES - message.length - HEADER_BYTES);
  return join([message, encodeMessage({ type: NLMSG_NOOP, flags: 0, sequence: 0, payload })]);
}

/** What a bucket of so many bytes is in time, which is how the kernel is told of it. */
function ticksOf(bytes: number, bytesPerSecond: number): number {
  return Math.min(0xffffffff, Math.ceil(((bytes / bytesPerSecond) * 1e9) / TICK_NS));
}

/** In a message's header. */
const FLAGS_AT = 6;
const PARAMETERS_BYTES = 44;
/** `htb`, as the kernel ends it: no engine has to write text before it has read this file. */
const KIND_HTB = Uint8Array.of(0x68, 0x74, 0x62, 0);
/** What changes any class, with what is the same for all; its parameters come last. */
const CLASS_CHANGE = encodeMessage({
  ...{ type: RTM.newClass, flags: REQUEST, sequence: 0 },
  payload: join([
    family(0, 0, 0),
    encodeAttribute(TCA.kind, KIND_HTB),
    encodeAttribute(TCA.options, encodeAttribute(HTB_PARAMETERS, usualParameters())),
  ]),
});
const TEMPLATE = filled(CLASS_CHANGE);
const PARAMETERS_AT = CLASS_CHANGE.length - PARAMETERS_BYTES;

/** struct tc_htb_opt: two rates of twelve bytes, what their buckets hold, the quantum. */
function usualParameters(): Uint8Array {
  const parameters = new Uint8Array(PARAMETERS_BYTES);
  const view = viewOf(parameters);
  view.setUint8(1, ETHERNET);
  view.setUint8(13, ETHERNET);
  return parameters;
}

/** A class of a netdev: its own id, and the one of the class or `1:` of the qdisc that it is in. */
export interface ClassPlace {
  index: number;
  parent: string;
  id: string;
}

/**
 * Changes the rate of one class in place, as `tc class change` does; takes effect for the interval after the next departure.
 *
 * @returns {@link CHANGE_BYTES}
 */
export function encodeClassChange({ index, parent, id }: ClassPlace, rate: ClassRate): Uint8Array {
  const bytes = TEMPLATE.slice();
  const view = viewOf(bytes);
  writeFamily(view, HEADER_BYTES, {
    index,
    handle: handleNumber(id),
    parent: handleNumber(parent),
  });
  const bucket = (number: 0 | 1, bytesPerSecond: number, burstBytes: number): void => {
    const at = PARAMETERS_AT + 12 * number;
    view.setUint16(at + 6, rate.leastBytes, IS_LITTLE);
    view.setUint32(at + 8, bytesPerSecond, IS_LITTLE);
    const ticks = ticksOf(burstBytes, bytesPerSecond);
    view.setUint32(PARAMETERS_AT + 24 + 4 * number, ticks, IS_LITTLE);
  };
  bucket(0, rate.bytesPerSecond, rate.burstBytes);
  bucket(1, rate.ceilBytesPerSecond, rate.ceilBurstBytes);
  view.setUint32(PARAMETERS_AT + 32, rate.quantumBytes ?? QUANTUM_BYTES, IS_LITTLE);
  return bytes;
}

/** Makes one with a `pfifo`, as `tc class add` and `tc qdisc add` do; where there is one already all that stands in it goes with it. */
export function encodeClassAnew(
  place: ClassPlace,
  rate: ClassRate,
  { handle, limit }: { handle: string; limit: number },
): Uint8Array[] {
  const { index, id, parent } = place;
  const payload = family(index, handleNumber(id), handleNumber(parent));
  const made = encodeClassChange(place, rate);
  viewOf(made).setUint16(FLAGS_AT, REQUEST | CREATE, IS_LITTLE);
  return [
    filled(encodeMessage({ type: RTM.deleteClass, flags: REQUEST, sequence: 0, payload })),
    made,
    encodeFifo({ index, parent: id, handle, limit }, REQUEST | CREATE),
  ];
}

interface Fifo {
  index: number;
  /** `2:10` */
  parent: string;
  /** `2010:` */
  handle: string;
  limit: number;
}

/** Bounds what stands in a `pfifo`, as `tc qdisc change` does; what stands stays. */
export function encodeFifoLimit(fifo: Fifo): Uint8Array {
  return encodeFifo(fifo, REQUEST);
}

function encodeFifo({ index, parent, handle, limit }: Fifo, flags: number): Uint8Array {
  const options = new Uint8Array(4);
  viewOf(options).setUint32(0, limit, IS_LITTLE);
  const payload = join([
    family(index, handleNumber(handle), handleNumber(parent)),
    encodeName(TCA.kind, 'pfifo'),
    encodeAttribute(TCA.options, options),
  ]);
  return filled(encodeMessage({ type: RTM.newQdisc, flags, sequence: 0, payload }));
}

/** Asks for all classes of a netdev, with their counts. */
export function askClasses(sequence: number, index: number): Uint8Array {
  return ask(RTM.getClass, sequence, index);
}

/** Asks for all qdiscs of the machine: the kernel tells those of one netdev no other way. */
export function askQdiscs(sequence: number): Uint8Array {
  return ask(RTM.getQdisc, sequence, 0);
}

function ask(type: number, sequence: number, index: number): Uint8Array {
  const payload = family(index, 0, 0);
  return encodeMessage({ type, flags: REQUEST | DUMP, sequence, payload });
}

/** The classes that were told. */
export function readClasses(messages: readonly NetlinkMessage[]): ListedClass[] {
  return messages
    .filter(({ type }) => type === RTM.newClass)
    .map(({ payload }) => {
      const view = viewOf(payload);
      const stats = attributeOf(payload.subarray(FAMILY_BYTES), TCA.stats2) ?? new Uint8Array();
      const basic = attributeOf(stats, STATS.basic);
      const queue = attributeOf(stats, STATS.queue);
      const packets64 = attributeOf(stats, STATS.packets64);
      const leaf = view.getUint32(16, IS_LITTLE);
      return {
        id: handleText(view.getUint32(8, IS_LITTLE)),
        leaf: leaf === 0 ? null : handleText(leaf),
        bytes: basic ? Number(viewOf(basic).getBigUint64(0, IS_LITTLE)) : 0,
        packets: packets64
          ? Number(viewOf(packets64).getBigUint64(0, IS_LITTLE))
          : basic
            ? viewOf(basic).getUint32(8, IS_LITTLE)
            : 0,
        backlogPackets: queue ? viewOf(queue).getUint32(0, IS_LITTLE) : 0,
      };
    });
}

/** Of the qdiscs that were told those of one netdev. */
export function readQdiscs(messages: readonly NetlinkMessage[], index: number): ListedQdisc[] {
  return messages
    .filter(
      ({ type, payload }) =>
        type === RTM.newQdisc && viewOf(payload).getInt32(4, IS_LITTLE) === index,
    )
    .map(({ payload }) => {
      const view = viewOf(payload);
      const parent = view.getUint32(12, IS_LITTLE);
      return {
        kind: readName(attributeOf(payload.subarray(FAMILY_BYTES), TCA.kind)),
        handle: handleText(view.getUint32(8, IS_LITTLE)),
        parent: parent === ROOT ? 'root' : handleText(parent),
      };
    });
}
