// The queue on the tunnel netdev: HTB with one class a home over a strict-priority leaf, as `tc -batch` text.
import type { ClassRate } from '../netlink/tc-messages.ts';
import { isPaced, PLAIN_KBPS, type Shape } from '../stream/stream.ts';
import { ROOT_HANDLE, SMALLEST_PACKET_BYTES, STRAY_CLASS_MINOR, TUNNEL_NETDEV } from './names.ts';

/** What HTB may send late and still make up, in time: about how late its timer fires. */
const BURST_US = 250;
/** Strict priority over three bands, chosen by the low four bits of skb->priority; part of every kernel, unlike `prio`. */
export const LEAF_KIND = 'pfifo_fast';

/** One class of one rate; `minor` names it (1:MINOR). */
export interface SlotClass {
  minor: number;
  shape: Shape;
  /** Whether there are others beside it, so that a packet's address has to tell whose it is. */
  isShared: boolean;
}

/** Class id as tc reads it: hexadecimal. */
export function classId(minor: number, root = ROOT_HANDLE): string {
  return `${root}${minor.toString(16)}`;
}

/** Bytes per second HTB is given for a shape's mean rate. */
export function classBytesPerSecond(shape: Shape): number {
  return Math.round((isPaced(shape) ? shape.rateKBps : PLAIN_KBPS) * 1000);
}

/** Bucket size: some {@link BURST_US} at this rate, so that the average holds, at least the one byte HTB needs. */
export function burstBytes(bytesPerSecond: number): number {
  return Math.max(1, Math.round((bytesPerSecond * BURST_US) / 1e6));
}

/**
 * A second bucket beside the drawn rate, for HTB lets a class send only while neither is empty (sch_htb.c, htb_class_mode; no class
 * has a parent to borrow from). What is drawn stays within it; where the next change of rate comes late, as on a machine too
 * busy for tc, while a short interval is in force, no more than this leaves ahead of the mean.
 */
const CEIL_SHARE = 1.25;
const CEIL_SLOTS = 5;
const CEIL_MS = 30;

/** What a class is given. @param meanBytesPerSecond of the stream whose rate this is now */
export function classRate(
  bytesPerSecond: number,
  packetBytes: number,
  meanBytesPerSecond: number,
): ClassRate {
  const ahead = Math.max(CEIL_SLOTS * packetBytes, (meanBytesPerSecond * CEIL_MS) / 1000);
  return {
    bytesPerSecond,
    ceilBytesPerSecond: Math.max(1, Math.round(meanBytesPerSecond * CEIL_SHARE)),
    burstBytes: burstBytes(bytesPerSecond),
    ceilBurstBytes: Math.round(ahead),
    leastBytes: packetBytes,
  };
}

/** The same for tc: `rate … ceil … burst … cburst … mpu …`, and `quantum …` where it has one of its own. */
export function classRateWords(rate: ClassRate): string {
  const quantum = rate.quantumBytes === undefined ? '' : ` quantum ${rate.quantumBytes}`;
  return `rate ${rate.bytesPerSecond}bps ceil ${rate.ceilBytesPerSecond}bps burst ${rate.burstBytes} cburst ${rate.ceilBurstBytes} mpu ${rate.leastBytes}${quantum}`;
}

/** A home's class at a rate that was drawn. */
export function drawnRate(bytesPerSecond: number, shape: Shape): ClassRate {
  return classRate(bytesPerSecond, shape.packetBytes, classBytesPerSecond(shape));
}

/**
 * Packets that may stand in the leaf: two seconds of cover, and then some, for a tail drop would free the cover's clock.
 * A leaf keeps the size it was made with; powers of two make growing rare.
 */
export function queueLimit(shapes: readonly Shape[]): number {
  const perSecond = shapes.reduce(
    (sum, shape) => sum + classBytesPerSecond(shape) / shape.packetBytes,
    0,
  );
  return 2 ** Math.ceil(Math.log2(Math.max(1000, perSecond * 4)));
}

/**
 * Packets that may wait behind the queue, for OpenVPN to take them: what stands there is late, whatever it is, and all of it
 * leaves at once when OpenVPN goes on after a pause. What does not fit is dropped.
 */
const RING_MS = 30;
const FEWEST_IN_RING = 3;
/**
 * So long OpenVPN may pause without a loss where a clock stands behind it, which lets nothing leave at once: about what the
 * keys of an hour take a slow router, or others that keep all its cores busy.
 */
export const PAUSE_MS = 400;

/**
 * Length of the tunnel netdev's own ring, which is set once the queue stands.
 *
 * @param isClocked whether there is a clock behind OpenVPN.
 */
export function ringLength(shapes: readonly Shape[], isClocked = false): number {
  const perSecond = shapes.reduce(
    (sum, shape) => sum + classBytesPerSecond(shape) / shape.packetBytes,
    0,
  );
  return Math.max(FEWEST_IN_RING, Math.ceil((perSecond * (isClocked ? PAUSE_MS : RING_MS)) / 1000));
}

/** How a queue that homes share is to be. */
export interface SharedQueue {
  mtu: number;
  /** Packets that each leaf holds, and that may wait behind them all. */
  length: number;
  ring: number;
  /** Whether all of it is made from nothing, of the classes that come. */
  rebuild: boolean;
  come: readonly SlotClass[];
  gone: readonly SlotClass[];
}

/** The whole structure from nothing (the netdev's root qdisc is replaced). */
export function renderQueue(classes: readonly SlotClass[]): string[] {
  const only = classes.find(({ isShared }) => !isShared) ?? null;
  const stray = only ? only.minor : STRAY_CLASS_MINOR;
  return [
    `qdisc add dev ${TUNNEL_NETDEV} root handle ${ROOT_HANDLE} htb default ${stray.toString(16)} direct_qlen 0`,
    ...(only ? [] : renderStrayClass()),
    ...renderClassesAdd(classes),
  ];
}

/**
 * Classic BPF that makes a class's id of an IPv4 packet's destination: its last byte, under {@link ROOT_HANDLE}. One look finds
 * any home's class, none has to be told of, and what finds none is a stray. (Addresses behind SKF_NET_OFF, -0x100000, begin
 * with the IP header: the one at 19 is `ldb [-0xfffed]; or #0x10000; ret a`.)
 */
const CLASS_BY_ADDRESS = '3,48 0 0 4293918739,68 0 0 65536,22 0 0 0';

/**
 * Lines that add classes. The filter of all of them is put in its place again: others may have taken it away, and nothing is seen of
 * that but classes that stand still.
 */
export function renderClassesAdd(classes: readonly SlotClass[]): string[] {
  return [
    ...(classes.some(({ isShared }) => isShared)
      ? [
          `filter replace dev ${TUNNEL_NETDEV} parent ${ROOT_HANDLE} protocol ip prio 1 handle 1 bpf bytecode '${CLASS_BY_ADDRESS}'`,
        ]
      : []),
    ...classes.flatMap(renderClassAdd),
  ];
}

/** Lines that add one class and its leaf. */
function renderClassAdd(slot: SlotClass): string[] {
  const id = classId(slot.minor);
  const mean = classBytesPerSecond(slot.shape);
  const handle = leafHandle(slot.minor);
  return [
    `class add dev ${TUNNEL_NETDEV} parent ${ROOT_HANDLE} classid ${id} htb ${classRateWords(drawnRate(mean, slot.shape))}`,
    `qdisc add dev ${TUNNEL_NETDEV} parent ${id} handle ${handle} ${LEAF_KIND}`,
  ];
}

/** The line that removes a class with its leaf. */
export function renderClassRemove({ minor }: SlotClass): string {
  return `class del dev ${TUNNEL_NETDEV} classid ${classId(minor)}`;
}

/** Handle of a class's leaf. */
export function leafHandle(minor: number): string {
  return `${(0x1000 + minor).toString(16)}:`;
}

/** Homes that all come back after a restart are each challenged within two seconds. */
const STRAY_KBPS = 40;

function renderStrayClass(): string[] {
  const mean = STRAY_KBPS * 1000;
  const words = classRateWords(classRate(mean, SMALLEST_PACKET_BYTES, mean));
  return [
    `class add dev ${TUNNEL_NETDEV} parent ${ROOT_HANDLE} classid ${classId(STRAY_CLASS_MINOR)} htb ${words}`,
  ];
}
