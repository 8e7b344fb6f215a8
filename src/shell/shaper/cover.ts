// Cover: all-pad datagrams that are always ready and clocked by the kernel's queue alone.
import { frameBytes } from '../../core/framing/frame.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { COVER_PORT } from '../../core/plan/names.ts';
import { type Cancel, type System, SystemError, type UdpSocket } from '../system/system.ts';

/** Cover that is queued ahead, so that a pause of this process never shows: at least half of it always stands there. */
const AHEAD_S = 2;
/** Where reaching it means that nothing holds cover back any more: share of the rate asked. */
const CEILING = 1.1;
const MIN_PACKETS = 4;
/** What the kernel adds to a datagram's memory: its sk_buff and skb_shared_info (skbuff.h, SKB_TRUESIZE). */
const SKB_BYTES = 256;
const SKB_TAIL_BYTES = 352;
const RETRY_MS = 250;
/** Pause in which the kernel's count catches up with what it was given, before that is called too much. */
const HOLD_MS = 250;
/** What the kernel has sent is looked at so often while all is well. */
const MARK_MS = 1000;

export interface CoverOptions {
  system: System;
  local: string;
  peer: string;
  packetBytes: number;
  /** Slots a second. */
  packetsPerS: number;
  /** What has left the netdev so far, as the kernel counts it (null while there is none), and what may a second. */
  kernel: () => KernelCount;
  /** Called when cover can't be sent, or is not held back; sending stops in the second case. */
  onFault: (fault: Notice) => void;
}

export interface KernelCount {
  sentBytes: number | null;
  bytesPerS: number;
}

/** Memory one queued datagram is charged for: its head is rounded up to a power of two. */
export function chargedBytes(packetBytes: number): number {
  return 2 ** Math.ceil(Math.log2(packetBytes + SKB_TAIL_BYTES)) + SKB_BYTES;
}

/**
 * Sends cover until closed. A datagram in the queue counts against its socket's send buffer, so the kernel itself stops
 * the sender and wakes it: nothing is timed here.
 */
export class Cover {
  readonly #options: CoverOptions;
  readonly #system: System;
  readonly #datagram: Uint8Array;
  readonly #sockets: UdpSocket[] = [];
  readonly #retries = new Set<Cancel>();
  #closed = false;
  #sent = 0;
  #level = 0;
  #levelAtMs: number;
  #capacityPackets = 0;
  /** What the kernel had sent at two times, the older one a second ago at least. */
  #marks: { atMs: number; sentBytes: number | null }[] = [];
  /** Sockets that wait until it is known whether anything holds cover back. */
  readonly #held: UdpSocket[] = [];

  constructor(options: CoverOptions) {
    this.#options = options;
    this.#system = options.system;
    this.#levelAtMs = options.system.clock.monotonicMs();
    this.#datagram = new Uint8Array(frameBytes(options.packetBytes));
  }

  /** Datagrams the kernel has taken so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Opens as many sockets as it takes to queue {@link AHEAD_S} of cover within the system's largest send buffer. */
  async open(): Promise<void> {
    const { local, peer, packetBytes, packetsPerS } = this.#options;
    const wantedPackets = Math.max(MIN_PACKETS, Math.ceil(packetsPerS * AHEAD_S));
    const each = chargedBytes(packetBytes);
    this.#mark(this.#system.clock.monotonicMs());
    while (this.#capacityPackets < wantedPackets && !this.#closed) {
      const socket = await this.#system.sockets.openUdp({
        local: { address: local, port: 0 },
        peer: { address: peer, port: COVER_PORT },
      });
      // The kernel doubles what is asked for, and reads back the doubled figure.
      socket.setSendBuffer(
        Math.min(((wantedPackets - this.#capacityPackets) * each) / 2, 0x3fffffff),
      );
      this.#capacityPackets += Math.ceil(socket.sendBufferBytes() / each);
      this.#sockets.push(socket);
    }
    for (const socket of this.#sockets) this.#send(socket);
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#retries) cancel();
    for (const socket of this.#sockets) socket.close();
    this.#sockets.length = 0;
  }

  #send(socket: UdpSocket): void {
    if (this.#closed) return;
    socket.send(this.#datagram, (error) => {
      if (this.#closed) return;
      if (error) {
        this.#options.onFault(unsentFault(error));
        this.#retry(socket);
        return;
      }
      this.#sent++;
      if (this.#held.length > 0 || this.#overCeiling()) this.#hold(socket);
      else this.#send(socket);
    });
  }

  /** More was taken than the rate explains: nothing holds cover back, or the queue was emptied, which is another matter. */
  #hold(socket: UdpSocket): void {
    this.#held.push(socket);
    if (this.#held.length > 1) return;
    const cancel = this.#system.timers.after(HOLD_MS, () => {
      this.#retries.delete(cancel);
      if (this.#isUnbounded()) {
        this.#options.onFault(notice('cover-unbounded'));
        this.close();
        return;
      }
      this.#level = 0;
      for (const held of this.#held.splice(0)) this.#send(held);
    });
    this.#retries.add(cancel);
  }

  /** Whether the kernel itself has sent more than it may have, by its own count. */
  #isUnbounded(): boolean {
    const [first] = this.#marks;
    const { sentBytes, bytesPerS } = this.#options.kernel();
    if (!first || first.sentBytes === null || sentBytes === null) return false;
    const passedS = (this.#system.clock.monotonicMs() - first.atMs) / 1000;
    const slackBytes = (this.#capacityPackets / 2 + 16) * this.#options.packetBytes;
    return sentBytes - first.sentBytes > passedS * bytesPerS * CEILING + slackBytes;
  }

  #mark(nowMs: number): void {
    const { sentBytes } = this.#options.kernel();
    this.#marks = [...this.#marks.slice(-1), { atMs: nowMs, sentBytes }];
  }

  #retry(socket: UdpSocket): void {
    const cancel = this.#system.timers.after(RETRY_MS, () => {
      this.#retries.delete(cancel);
      this.#send(socket);
    });
    this.#retries.add(cancel);
  }

  /** A leaky bucket one queue deep that drains at the ceiling. */
  #overCeiling(): boolean {
    const nowMs = this.#system.clock.monotonicMs();
    if (nowMs - this.#marks.at(-1)!.atMs >= MARK_MS) this.#mark(nowMs);
    const drained = ((nowMs - this.#levelAtMs) / 1000) * this.#options.packetsPerS * CEILING;
    this.#level = Math.max(0, this.#level - drained) + 1;
    this.#levelAtMs = nowMs;
    return this.#level > this.#capacityPackets * 1.25 + 16;
  }
}

/** Nothing of the inside finds another way once the tunnel's netdev, address or route is gone: the kernel refuses it. */
const NO_WAY = ['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EINVAL'];

/** Why cover could not be sent. */
export function unsentFault(error: Error): Notice {
  const code = error instanceof SystemError ? error.code : null;
  return code !== null && NO_WAY.includes(code)
    ? notice('tunnel-netdev-gone')
    : notice('cover-unsent', { error: code ?? error.message });
}
