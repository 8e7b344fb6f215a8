// Cover: all-pad datagrams that are always ready and clocked by the kernel's queue alone.
import { frameBytes } from '../../core/framing/frame.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { DepartureMeter } from '../../core/pacing/departure-meter.ts';
import { SendBudget } from '../../core/pacing/send-budget.ts';
import { COVER_PORT } from '../../core/plan/names.ts';
import { type Cancel, type System, SystemError, type UdpSocket } from '../system/system.ts';
import { chargedBytes, openBuffered } from './buffered-sockets.ts';

/** Cover that is queued ahead, so that a pause of this process never shows: at least half of it always stands there. */
const AHEAD_S = 2;
const MIN_PACKETS = 4;
const RETRY_MS = 250;
/** The kernel held a datagram back that it took no sooner than this. */
const HELD_MS = 20;
/** Longer than it takes to fill all buffers again: where that was not enough, they are filled at once. */
const UNFILLED_MS = 15_000;
/** More than this has never left ahead of the rate while anything held it back. */
const FAR_AHEAD_PACKETS = 16;
const FAR_AHEAD_S = 0.25;
/** Datagrams that may go at once where the rate allows no more: with one each beat nothing would ever be made up for. */
const LEAST = 2;
/** And so long as this at once: longer than a pause between batches. */
const AT_ONCE_MS = 50;
/** Pause of a stream without beats; where it may not send, it waits for as many datagrams as may go within so long. */
const BATCH_MS = 40;
/** What has left is looked at no more often. */
const LOOK_MS = 5;
/** Of a time between two beats: so much may go at once, as one may be late. */
const BEATS_AT_ONCE = 1.25;

export interface CoverOptions {
  system: System;
  local: string;
  peer: string;
  packetBytes: number;
  /** Slots a second. */
  packetsPerS: number;
  /** Somebody calls {@link Cover.beat} so often, as long as the stream goes on: no timer is needed. 0 for nobody. */
  beatMs: number;
  /** What has left the netdev so far, as the kernel counts it (null while there is none), and what may a second. */
  kernel: () => KernelCount;
  /** Called when cover can't be sent, or is not held back; sending stops in the second case. */
  onFault: (fault: Notice) => void;
}

export interface KernelCount {
  /** When it was counted. */
  atMs: number;
  sentBytes: number | null;
  bytesPerS: number;
}

/**
 * Sends cover until closed. A datagram in the queue counts against its socket's send buffer, so the kernel itself stops
 * the sender and wakes it. Beyond what stands ready from the beginning it is not handed over much faster than it leaves, so
 * that a queue that others empty or delete lets no burst through.
 */
export class Cover {
  readonly #options: CoverOptions;
  readonly #system: System;
  readonly #datagram: Uint8Array;
  readonly #sockets: UdpSocket[] = [];
  readonly #retries = new Set<Cancel>();
  /** Sockets that may send once the budget allows it. */
  readonly #ready: UdpSocket[] = [];
  readonly #departures = new DepartureMeter();
  #closed = false;
  #sent = 0;
  #capacityPackets = 0;
  #budget: SendBudget;
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** Handed over since then. */
  #unseen = 0;
  #isCrowded = false;
  /** Nothing holds cover back: the kernel has sent far more than it may. */
  #isUnbounded = false;
  /** When the kernel last held a datagram back. */
  #heldMs: number;

  constructor(options: CoverOptions) {
    this.#options = options;
    this.#system = options.system;
    this.#datagram = new Uint8Array(frameBytes(options.packetBytes));
    const nowMs = options.system.clock.monotonicMs();
    this.#budget = this.#budgetFrom(nowMs);
    this.#heldMs = nowMs;
  }

  /** Datagrams the kernel has taken so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Opens as many sockets as it takes to queue {@link AHEAD_S} of cover within the system's largest send buffer. */
  async open(): Promise<void> {
    const { local, peer, packetBytes, packetsPerS } = this.#options;
    const wantedPackets = Math.max(MIN_PACKETS, Math.ceil(packetsPerS * AHEAD_S));
    const end = { local: { address: local, port: 0 }, peer: { address: peer, port: COVER_PORT } };
    const each = chargedBytes(packetBytes);
    const { sockets, capacity } = await openBuffered(this.#system, end, wantedPackets, each);
    if (this.#closed) {
      for (const socket of sockets) socket.close();
      return;
    }
    this.#capacityPackets = capacity;
    this.#sockets.push(...sockets);
    const nowMs = this.#system.clock.monotonicMs();
    this.#budget = this.#budgetFrom(nowMs, this.#capacityPackets);
    this.#heldMs = nowMs;
    for (const socket of this.#sockets) this.#send(socket);
  }

  /** Hands over what may go by now. */
  beat(): void {
    for (const socket of this.#ready.splice(0)) this.#send(socket);
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#retries) cancel();
    this.#ready.length = 0;
    for (const socket of this.#sockets) socket.close();
    this.#sockets.length = 0;
  }

  #send(socket: UdpSocket): void {
    if (this.#closed) return;
    const sinceMs = this.#system.clock.monotonicMs();
    this.#look(sinceMs);
    if (this.#isUnbounded) {
      this.#options.onFault(notice('cover-unbounded'));
      this.close();
      return;
    }
    if (sinceMs - this.#heldMs > UNFILLED_MS && !this.#isCrowded) {
      this.#heldMs = sinceMs;
      this.#budget.grant(this.#capacityPackets / 2);
    }
    // What stands ready from the beginning is made before anything has left.
    const isFull = this.#sent >= this.#capacityPackets;
    const isAhead = isFull && (this.#isCrowded || this.#unseen >= this.#mostUnseen);
    const waitMs = isAhead ? BATCH_MS : this.#budget.waitMs(sinceMs);
    if (waitMs > 0) {
      this.#await(socket, waitMs);
      return;
    }
    this.#budget.take(sinceMs);
    this.#unseen++;
    socket.send(this.#datagram, (error) => {
      if (this.#closed) return;
      if (error) {
        this.#options.onFault(unsentFault(error));
        this.#later(socket, RETRY_MS);
        return;
      }
      this.#sent++;
      const nowMs = this.#system.clock.monotonicMs();
      if (nowMs - sinceMs > HELD_MS) this.#heldMs = nowMs;
      this.#send(socket);
    });
  }

  get #mostUnseen(): number {
    const { beatMs, packetsPerS } = this.#options;
    const blindMs = beatMs > 0 ? BEATS_AT_ONCE * beatMs : AT_ONCE_MS;
    return Math.max(LEAST, (blindMs * packetsPerS) / 1000);
  }

  #budgetFrom(nowMs: number, first = 0): SendBudget {
    const { beatMs, packetsPerS } = this.#options;
    const atOnceMs = Math.max(AT_ONCE_MS, BEATS_AT_ONCE * beatMs);
    return new SendBudget({ packetsPerS, first, atOnceMs, least: LEAST }, nowMs);
  }

  #await(socket: UdpSocket, waitMs: number): void {
    if (this.#options.beatMs > 0) this.#ready.push(socket);
    else this.#later(socket, Math.ceil(Math.max(waitMs, BATCH_MS)));
  }

  #later(socket: UdpSocket, delayMs: number): void {
    const cancel = this.#system.timers.after(delayMs, () => {
      this.#retries.delete(cancel);
      this.#send(socket);
    });
    this.#retries.add(cancel);
  }

  #look(nowMs: number): void {
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    this.#unseen = 0;
    const { packetBytes, kernel } = this.#options;
    const { atMs, sentBytes, bytesPerS } = kernel();
    const count = sentBytes === null ? null : sentBytes / packetBytes;
    const mostPerS = bytesPerS / packetBytes;
    this.#isCrowded = this.#departures.isCrowded(count, mostPerS, atMs);
    const farAhead = FAR_AHEAD_PACKETS + FAR_AHEAD_S * mostPerS;
    this.#isUnbounded = this.#departures.aheadPackets > farAhead;
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
