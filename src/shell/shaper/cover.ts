// Cover: all-pad datagrams that are always ready and clocked by the kernel's queue alone.
import { createSocket, type Socket } from 'node:dgram';
import { frameBytes } from '../../core/framing/frame.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { COVER_PORT } from '../../core/plan/names.ts';

/** Cover that is queued ahead, so that a pause of this process never shows: at least half of it always stands there. */
const AHEAD_S = 2;
/** Where reaching it means that nothing holds cover back any more: share of the rate asked. */
const CEILING = 1.1;
const MIN_PACKETS = 4;
/** What the kernel adds to a datagram's memory: its sk_buff and skb_shared_info (skbuff.h, SKB_TRUESIZE). */
const SKB_BYTES = 256;
const SKB_TAIL_BYTES = 352;
const RETRY_MS = 250;

export interface CoverOptions {
  local: string;
  peer: string;
  packetBytes: number;
  /** Slots a second. */
  packetsPerS: number;
  /** Called when cover can't be sent, or is not held back; sending stops in the second case. */
  onFault: (fault: Notice) => void;
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
  readonly #datagram: Uint8Array;
  readonly #sockets: Socket[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;
  #sent = 0;
  #level = 0;
  #levelAtMs = performance.now();
  #capacityPackets = 0;

  constructor(options: CoverOptions) {
    this.#options = options;
    this.#datagram = new Uint8Array(frameBytes(options.packetBytes));
  }

  /** Datagrams the kernel has taken so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Opens as many sockets as it takes to queue {@link AHEAD_S} of cover within the system's largest send buffer. */
  async open(): Promise<void> {
    const { packetBytes, packetsPerS } = this.#options;
    const wantedPackets = Math.max(MIN_PACKETS, Math.ceil(packetsPerS * AHEAD_S));
    const each = chargedBytes(packetBytes);
    while (this.#capacityPackets < wantedPackets && !this.#closed) {
      const socket = await this.#connect();
      // The kernel doubles what is asked for, and reads back the doubled figure.
      socket.setSendBufferSize(
        Math.min(((wantedPackets - this.#capacityPackets) * each) / 2, 0x3fffffff),
      );
      this.#capacityPackets += Math.ceil(socket.getSendBufferSize() / each);
      this.#sockets.push(socket);
    }
    for (const socket of this.#sockets) this.#send(socket);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.close();
    this.#sockets.length = 0;
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = createSocket('udp4');
      socket.once('error', reject);
      socket.bind(0, this.#options.local, () => {
        socket.connect(COVER_PORT, this.#options.peer, () => {
          socket.off('error', reject);
          socket.on('error', () => {}); // answers to cover mean nothing
          resolve(socket);
        });
      });
    });
  }

  #send(socket: Socket): void {
    if (this.#closed) return;
    socket.send(this.#datagram, (error) => {
      if (this.#closed) return;
      if (error) {
        this.#options.onFault(unsentFault(error));
        this.#retry(socket);
        return;
      }
      this.#sent++;
      if (this.#overCeiling()) {
        this.#options.onFault(notice('cover-unbounded'));
        this.close();
        return;
      }
      this.#send(socket);
    });
  }

  #retry(socket: Socket): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#send(socket);
    }, RETRY_MS);
    this.#timers.add(timer);
  }

  /** A leaky bucket one queue deep that drains at the ceiling. */
  #overCeiling(): boolean {
    const nowMs = performance.now();
    const drained = ((nowMs - this.#levelAtMs) / 1000) * this.#options.packetsPerS * CEILING;
    this.#level = Math.max(0, this.#level - drained) + 1;
    this.#levelAtMs = nowMs;
    return this.#level > this.#capacityPackets * 1.25 + 16;
  }
}

/** Nothing of the inside finds another way once the tunnel's netdev, address or route is gone: the kernel refuses it. */
const NO_WAY = ['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EINVAL'];

/** Why cover could not be sent. */
export function unsentFault(error: NodeJS.ErrnoException): Notice {
  return NO_WAY.includes(error.code ?? '')
    ? notice('tunnel-netdev-gone')
    : notice('cover-unsent', { error: error.code ?? error.message });
}
