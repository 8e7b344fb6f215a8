// One peer's frames: devices' packets packed into its slots just in time, and what it sends unpacked again.

import { companyMs } from '../../core/framing/company.ts';
import { FULLER, frameEdition, SOLE } from '../../core/framing/frame.ts';
import { Packer } from '../../core/framing/packer.ts';
import { DeviceQueues } from '../../core/framing/queues.ts';
import { BUFFER_FRAMES, StandingFrames } from '../../core/framing/standing.ts';
import { Unpacker } from '../../core/framing/unpacker.ts';
import { SendBudget } from '../../core/pacing/send-budget.ts';
import { FRAME_PORT } from '../../core/plan/names.ts';
import { PLAIN_KBPS, type Shape, slotMs } from '../../core/stream/stream.ts';
import type { Cancel, System, UdpSocket } from '../system/system.ts';
import { uniformRandom } from '../system/uniform-random.ts';

/** Frames that may stand in the kernel: one about to leave, one behind it, so that no slot is missed. */
const FRAMES_AHEAD = 2;
/** What may be handed over at once, in time, where a late timer left slots to cover. */
const AT_ONCE_MS = 20;
/** Shortest and longest pause before the departures are counted again. */
const MIN_POLL_MS = 1;
const MAX_POLL_MS = 250;
/** Asks for the kernel's smallest: {@link BUFFER_FRAMES} small ones, the bound where departures can't be counted. */
const SEND_BUFFER_BYTES = 1;

/** Of all devices together. */
const MOST_QUEUED_BYTES = 64 << 20;

/** A count; `shared` where it can't be told for this peer alone; `gone` while there is no netdev. */
export type Departures = number | 'shared' | 'gone';

export interface FrameLinkOptions {
  system: System;
  local: string;
  peer: string;
  shape: Shape;
  maxDelayMs: number;
  /** Most bytes that may wait for the peer; what leaves within max_delay sets it otherwise. */
  mostQueuedBytes?: number;
  /** Packets that have left the netdev so far, whatever they were. */
  departures: () => Departures;
  /** Called with each whole IP packet the peer's frames carried. */
  onPacket: (packet: Uint8Array) => void;
}

/** Sends and receives one peer's frames. Nothing is sent before {@link FrameLink.setOpen}. */
export class FrameLink {
  readonly queues: DeviceQueues;
  readonly #options: FrameLinkOptions;
  readonly #system: System;
  readonly #packer: Packer;
  readonly #unpacker = new Unpacker();
  #shape: Shape;
  #mostQueuedBytes: number;
  #socket: UdpSocket | null = null;
  #open = false;
  #sending = false;
  #budget: SendBudget;
  #pumpQueued = false;
  readonly #inKernel = new StandingFrames();
  #lastDepartures: number | null = null;
  /** When what has left was last told by time alone. */
  #leftAtMs = 0;
  /** Whether the peer reads fuller editions: its own frames say so. */
  #peerReads = false;
  #cancelPoll: Cancel | null = null;
  /** When what waits is handed over, whether it fills a frame or not; null where it is not waited with. */
  #companyUntilMs: number | null = null;
  #cancelCompany: Cancel | null = null;
  #cancelFlush: Cancel | null = null;
  /** Frames handed to the kernel. */
  framesSent = 0;

  constructor(options: FrameLinkOptions) {
    this.#options = options;
    this.#system = options.system;
    this.#shape = options.shape;
    this.#mostQueuedBytes = options.mostQueuedBytes ?? MOST_QUEUED_BYTES;
    this.#budget = this.#newBudget();
    this.queues = new DeviceQueues(this.#limits(options.maxDelayMs));
    this.#packer = new Packer({
      packetBytes: options.shape.packetBytes,
      queues: this.queues,
      firstSequence: Math.floor(uniformRandom(options.system)() * 2 ** 32),
    });
  }

  get unpackerStats(): Unpacker['stats'] {
    return this.#unpacker.stats;
  }

  /** Binds the frame port at the tunnel address. */
  async start(): Promise<void> {
    const { local, peer } = this.#options;
    this.#socket = await this.#system.sockets.openUdp({
      local: { address: local, port: FRAME_PORT },
      peer: { address: peer, port: FRAME_PORT },
      reuse: true,
      sendBufferBytes: SEND_BUFFER_BYTES,
      onMessage: (frame) => this.#receive(frame),
    });
  }

  /** Takes one packet for the peer; `key` is its device. */
  enqueue(key: string, packet: Uint8Array): void {
    if (this.queues.enqueue(key, packet, this.#system.clock.monotonicMs())) this.#schedulePump();
  }

  /** Whether frames may leave. While they may not, packets wait up to max_delay. */
  setOpen(open: boolean): void {
    if (open === this.#open) return;
    this.#open = open;
    if (open) this.#schedulePump();
  }

  /** Takes over a new rate, packet size or delay while packets flow. */
  update(shape: Shape, maxDelayMs: number, mostQueuedBytes = MOST_QUEUED_BYTES): void {
    this.#shape = shape;
    this.#mostQueuedBytes = mostQueuedBytes;
    this.#budget = this.#newBudget();
    this.queues.setLimits(this.#limits(maxDelayMs));
    this.#packer.setPacketBytes(shape.packetBytes);
  }

  close(): void {
    this.#cancelPoll?.();
    this.#cancelCompany?.();
    this.#cancelFlush?.();
    this.#open = false;
    this.#socket?.close();
    this.#socket = null;
  }

  /** Where nobody holds packets back any more, devices' are no burst. */
  #newBudget(): SendBudget {
    const packetsPerS = 1000 / this.#slotMs();
    const nowMs = this.#system.clock.monotonicMs();
    return new SendBudget({ packetsPerS, atOnceMs: AT_ONCE_MS, least: this.#framesAhead() }, nowMs);
  }

  /** What can't leave within max_delay at this rate needs no memory. */
  #limits(maxDelayMs: number): { maxDelayMs: number; keyCapBytes: number; totalCapBytes: number } {
    const rateKBps = this.#shape.rateKBps || PLAIN_KBPS;
    const bytes = Math.min(Math.max(rateKBps * maxDelayMs, 65_536), this.#mostQueuedBytes / 2);
    return { maxDelayMs, keyCapBytes: bytes, totalCapBytes: bytes * 2 };
  }

  /** Packets that arrive in one turn of the event loop share a frame. */
  #schedulePump(): void {
    if (this.#pumpQueued) return;
    this.#pumpQueued = true;
    this.#system.timers.soon(() => {
      this.#pumpQueued = false;
      this.#pump();
    });
  }

  #pump(): void {
    const socket = this.#socket;
    if (!socket || !this.#open || this.#sending) return;
    const nowMs = this.#system.clock.monotonicMs();
    if (!this.#packer.hasData(nowMs)) return;
    const hasRoom = this.#hasRoom(nowMs);
    // None overtakes the first frames of all, with which the far end begins to count.
    const mayOvertake = this.#peerReads && this.framesSent > BUFFER_FRAMES;
    const fullerMs = mayOvertake ? this.#companyMs : 0;
    const next = this.#inKernel.next(this.#packer.roomBytes, fullerMs);
    // A fuller edition needs no room, and has the leave of the one it overtakes.
    const isFuller = next === FULLER;
    if (!isFuller && (!hasRoom || this.#budget.waitMs(nowMs) > 0)) {
      this.#pollLater();
      return;
    }
    if (this.#awaitsCompany(nowMs, next)) return;
    this.#companyUntilMs = null;
    const frame = this.#packer.nextFrame(nowMs, next);
    if (!frame) return;
    this.#sending = true;
    if (!isFuller) this.#budget.take(nowMs);
    this.#inKernel.made(next);
    socket.send(frame, (error) => {
      this.#sending = false;
      if (error) this.#inKernel.left(1);
      else this.framesSent++;
      this.#pump();
    });
  }

  get #companyMs(): number {
    return companyMs(this.#slotMs());
  }

  /**
   * Behind a frame that stands in the kernel the next one leaves a whole interval later: it waits a part of that for more to fill it. So
   * does what would overtake it.
   */
  #awaitsCompany(nowMs: number, next: number): boolean {
    if (!this.#inKernel.any || this.#packer.fills(next)) return false;
    this.#companyUntilMs ??= nowMs + this.#companyMs;
    const leftMs = this.#companyUntilMs - nowMs;
    if (leftMs <= 0) return false;
    this.#cancelCompany ??= this.#system.timers.after(Math.ceil(leftMs), () => {
      this.#cancelCompany = null;
      this.#pump();
    });
    return true;
  }

  /** Strict priority: every departure while frames stand in the kernel was one of them. */
  #hasRoom(nowMs: number): boolean {
    const departures = this.#options.departures();
    if (typeof departures !== 'number') {
      this.#lastDepartures = null;
      // Without its netdev a frame would look for another way out.
      const isThere = departures === 'shared';
      this.#inKernel.passed(isThere ? (nowMs - this.#leftAtMs) / this.#slotMs() : Infinity);
      this.#leftAtMs = nowMs;
      return isThere;
    }
    if (this.#lastDepartures !== null) {
      this.#inKernel.left(Math.max(0, departures - this.#lastDepartures));
    }
    this.#lastDepartures = departures;
    return this.#inKernel.before < this.#framesAhead();
  }

  #slotMs(): number {
    return slotMs(this.#shape.rateKBps || PLAIN_KBPS, this.#shape.packetBytes);
  }

  /** More where several slots pass between two polls. */
  #framesAhead(): number {
    return FRAMES_AHEAD + Math.ceil((2 * MIN_POLL_MS) / this.#slotMs()) - 1;
  }

  #pollLater(): void {
    if (this.#cancelPoll) return;
    // One frame stands in the kernel meanwhile: two intervals in a row are seldom so short.
    const pauseMs = Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, this.#slotMs() / 2));
    this.#cancelPoll = this.#system.timers.after(pauseMs, () => {
      this.#cancelPoll = null;
      this.#pump();
    });
  }

  #receive(frame: Uint8Array): void {
    this.#peerReads = frameEdition(frame) > SOLE;
    for (const packet of this.#unpacker.push(frame, this.#system.clock.monotonicMs()))
      this.#options.onPacket(packet);
    this.#armFlush();
  }

  #armFlush(): void {
    const deadlineMs = this.#unpacker.nextDeadlineMs();
    if (this.#cancelFlush || deadlineMs === null) return;
    const { clock, timers } = this.#system;
    this.#cancelFlush = timers.after(Math.max(1, deadlineMs - clock.monotonicMs()), () => {
      this.#cancelFlush = null;
      for (const packet of this.#unpacker.flush(clock.monotonicMs())) {
        this.#options.onPacket(packet);
      }
      this.#armFlush();
    });
  }
}
