// The queue of one netdev: HTB with its classes, or whatever else was put there, and the packets that leave it in time.
import type { Cancel } from '../../../src/shell/system/system.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A datagram in a queue. */
export interface QueuedPacket {
  /** Of the whole packet. */
  bytes: number;
  /** As skb->priority. */
  priority: number;
  destination: string;
  /** Called once: it has left, or was dropped. */
  onFreed: (hasLeft: boolean) => void;
  /** Whoever put it there has to be told at the time it leaves, and not whenever somebody counts. */
  isAwaited: boolean;
}

export interface Leaf {
  kind: string;
  handle: string;
  limit: number;
}

export interface QueueClass {
  minor: number;
  bytesPerSecond: number;
  /** Every packet is charged for as many. */
  leastBytes: number;
  /** The class that it borrows all it sends from; null for one that has a rate of its own. */
  parent: QueueClass | null;
  leaf: Leaf | null;
  packets: number;
  bytes: number;
  dropped: number;
  /** By band, the first goes first. */
  bands: QueuedPacket[][];
  /** When the next one may leave. */
  nextMs: number;
  /** Once so many have left, somebody wants to be told; Infinity for nobody. */
  awaitedPackets: number;
}

/** Without HTB packets leave as fast as the line takes them, bytes a second. */
export const LINE_BYTES_PER_S = 2_500_000;
/** pfifo_fast of sch_generic.c: band by the low four bits of the priority. */
const BANDS = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];

/** One netdev's. */
export class NetdevQueue {
  readonly #time: VirtualTime;
  /** Kind and handle of the root; the kernel's own where nobody has set one. */
  root = { kind: 'pfifo_fast', handle: '0:', defaultMinor: 0 };
  readonly classes = new Map<number, QueueClass>();
  /** Whether the last byte of a packet's destination is the minor of its class. */
  isByAddress = false;
  /** What is taken off the length of each packet. */
  offBytes = 0;
  /** Somebody else than the program changed it since the program made it. */
  isTampered = false;
  #line = newClass(0, LINE_BYTES_PER_S, 0, 1000);
  #cancel: Cancel = () => {};

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  get isHtb(): boolean {
    return this.root.kind === 'htb';
  }

  /** Puts another root in place; what waits is dropped. */
  setRoot(kind: string, handle: string, defaultMinor = 0): void {
    this.settle();
    for (const one of [...this.classes.values(), this.#line]) this.#drop(one);
    this.classes.clear();
    this.isByAddress = false;
    this.offBytes = 0;
    this.root = { kind, handle, defaultMinor };
    this.#line = newClass(0, LINE_BYTES_PER_S, this.#time.nowMs, 1000);
    this.#plan();
  }

  addClass(
    minor: number,
    bytesPerSecond: number,
    leastBytes: number,
    parent: QueueClass | null = null,
  ): void {
    this.settle();
    const added = newClass(minor, bytesPerSecond, this.#time.nowMs, 1000);
    this.classes.set(minor, { ...added, leastBytes, parent });
  }

  changeClass(known: QueueClass, bytesPerSecond: number, leastBytes: number): void {
    this.settle();
    known.bytesPerSecond = bytesPerSecond;
    known.leastBytes = leastBytes;
    this.#plan();
  }

  removeClass(known: QueueClass): void {
    this.settle();
    this.#drop(known);
    this.classes.delete(known.minor);
  }

  enqueue(packet: QueuedPacket): void {
    this.settle();
    const target = this.#classOf(packet);
    const limit = target?.leaf?.limit ?? 1000;
    if (!target || backlogOf(target) >= limit) {
      if (target) target.dropped++;
      packet.onFreed(false);
      return;
    }
    const band = target.leaf === null ? 0 : BANDS[packet.priority & 15]!;
    if (backlogOf(target) === 0) target.nextMs = Math.max(target.nextMs, this.#time.nowMs);
    target.bands[band]!.push(packet);
    if (packet.isAwaited) this.await(packet);
  }

  /** A packet's owner wants to be told in time. */
  await(packet: QueuedPacket): void {
    packet.isAwaited = true;
    for (const one of this.#running()) {
      const before = one.bands.flat().indexOf(packet);
      if (before < 0) continue;
      one.awaitedPackets = Math.min(one.awaitedPackets, one.packets + before + 1);
      this.#plan();
      return;
    }
  }

  /** Lets everything leave that has left by now. */
  settle(): void {
    const nowMs = this.#time.nowMs;
    for (const one of this.#running()) {
      while (one.nextMs <= nowMs) {
        const packet = one.bands.find((band) => band.length > 0)?.shift();
        if (!packet) break;
        const paced = one.parent ?? one;
        const charged = Math.max(packet.bytes - this.offBytes, paced.leastBytes, 1);
        one.nextMs += (charged / paced.bytesPerSecond) * 1000;
        one.packets++;
        one.bytes += packet.bytes;
        if (one.packets >= one.awaitedPackets) this.#nextAwaited(one);
        packet.onFreed(true);
      }
    }
  }

  /** Lets a packet through at once that nothing but its class's count shows. */
  pass(bytes: number): void {
    const one = this.isHtb ? this.classes.get(this.root.defaultMinor) : this.#line;
    if (!one) return;
    one.packets++;
    one.bytes += bytes;
  }

  /** All that waits is dropped. */
  empty(): void {
    this.settle();
    for (const one of this.#running()) this.#drop(one);
    this.#plan();
  }

  /** The netdev is gone, and all that waited with it. */
  close(): void {
    this.#cancel();
    for (const one of this.#running()) this.#drop(one);
  }

  #running(): Iterable<QueueClass> {
    return this.isHtb ? this.classes.values() : [this.#line];
  }

  #classOf({ destination, priority }: QueuedPacket): QueueClass | undefined {
    if (!this.isHtb) return this.#line;
    const said = this.classes.get(priority & 0xffff);
    if (said && priority >>> 16 === Number.parseInt(this.root.handle, 16)) return said;
    const minor = this.isByAddress ? Number(destination.split('.').at(-1)) : 0;
    return this.classes.get(minor) ?? this.classes.get(this.root.defaultMinor);
  }

  #drop(one: QueueClass): void {
    one.awaitedPackets = Number.POSITIVE_INFINITY;
    for (const packet of one.bands.flatMap((band) => band.splice(0))) packet.onFreed(false);
  }

  #nextAwaited(one: QueueClass): void {
    const before = one.bands.flat().findIndex(({ isAwaited }) => isAwaited);
    one.awaitedPackets = before < 0 ? Number.POSITIVE_INFINITY : one.packets + before + 1;
  }

  /** Comes back when the first awaited packet leaves at the earliest: others may have come before it. */
  #plan(): void {
    this.#cancel();
    let dueMs = Number.POSITIVE_INFINITY;
    for (const one of this.#running()) {
      if (one.awaitedPackets === Number.POSITIVE_INFINITY) continue;
      const slotMs = (one.leastBytes / one.bytesPerSecond) * 1000;
      dueMs = Math.min(dueMs, one.nextMs + (one.awaitedPackets - one.packets - 1) * slotMs);
    }
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#time.timers.after(Math.ceil(dueMs - this.#time.nowMs), () => {
      this.settle();
      // A strict priority has let others pass.
      for (const one of this.#running()) this.#nextAwaited(one);
      this.#plan();
    });
  }
}

export function backlogOf({ bands }: QueueClass): number {
  return bands.reduce((sum, { length }) => sum + length, 0);
}

function newClass(
  minor: number,
  bytesPerSecond: number,
  nextMs: number,
  leastBytes: number,
): QueueClass {
  const counts = { packets: 0, bytes: 0, dropped: 0 };
  return {
    minor,
    bytesPerSecond,
    leastBytes,
    parent: null,
    leaf: null,
    ...counts,
    bands: [[], [], []],
    nextMs,
    awaitedPackets: Number.POSITIVE_INFINITY,
  };
}
