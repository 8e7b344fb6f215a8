// One connected home at the endpoint: its queue, frames and what it asked for.

import type { Hello, QueueReport } from '../../core/control/message.ts';
import { isSame } from '../../core/equality/equality.ts';
import { ipDestination, ipSource } from '../../core/framing/ip-packet.ts';
import { SlotMeter } from '../../core/home/slot-meter.ts';
import { findStreamFaults, meterWindowMs } from '../../core/home/verification.ts';
import { networkOf } from '../../core/ip/address.ts';
import type { Notice } from '../../core/notices/notice.ts';
import type { HomeSlot, InnerNetwork } from '../../core/plan/facts.ts';
import { isPaced, type Shape, waitPerSlotMs } from '../../core/stream/stream.ts';
import type { System } from '../system/system.ts';
import { type Departures, FrameLink } from '../tunnel/frame-link.ts';

/** A home that says nothing for so long is disconnected. */
const SILENT_MS = 60_000;
const SILENT_SLOTS = 120;
/** A new rate takes so long to show in full. */
const GRACE_MS = 4000;

export interface HomeSessionOptions {
  system: System;
  name: string;
  host: number;
  local: string;
  peer: string;
  inner: InnerNetwork;
  shape: Shape;
  maxDelayMs: number;
  departures: () => Departures;
  /** Called with each packet the home sent from an address of its own. */
  onPacket: (packet: Uint8Array) => void;
}

/** Frames to and from one home. */
export class HomeSession {
  readonly name: string;
  readonly host: number;
  readonly inner: InnerNetwork;
  readonly link: FrameLink;
  readonly local: string;
  readonly peer: string;
  shape: Shape;
  version = '';
  heardAtMs: number;
  readonly #system: System;
  #meter = SlotMeter.EMPTY;
  #graceUntilMs = 0;
  #open = false;
  /** Packets it sent from an address that is not its own. */
  foreign = 0;
  receivedBytes = 0;

  constructor(options: HomeSessionOptions) {
    this.#system = options.system;
    this.heardAtMs = options.system.clock.monotonicMs();
    this.name = options.name;
    this.host = options.host;
    this.inner = options.inner;
    this.local = options.local;
    this.peer = options.peer;
    this.shape = options.shape;
    this.link = new FrameLink({
      system: options.system,
      local: options.local,
      peer: options.peer,
      shape: options.shape,
      maxDelayMs: options.maxDelayMs,
      departures: options.departures,
      onPacket: (packet) => {
        if (!owns(this.inner, ipSource(packet))) {
          this.foreign++;
          return;
        }
        this.receivedBytes += packet.length;
        options.onPacket(packet);
      },
    });
  }

  /** Takes one packet from the Internet for a device of this home. */
  enqueue(packet: Uint8Array): void {
    this.link.enqueue(ipDestination(packet), packet);
  }

  /** Notes a hello; tells whether it asks for another shape. */
  hear(hello: Hello): boolean {
    this.heardAtMs = this.#system.clock.monotonicMs();
    this.version = hello.version;
    const changed = !isSame(hello.download, this.shape);
    if (changed) {
      // The stream is measured again; while that lasts, an old good verdict stands.
      this.#meter = SlotMeter.EMPTY;
      this.#graceUntilMs = this.heardAtMs + GRACE_MS + meterWindowMs(hello.download);
    }
    this.shape = hello.download;
    this.link.update(hello.download, hello.maxDelayMs);
    return changed;
  }

  /** How its download is doing. */
  report(nowMs: number): QueueReport {
    const { totals } = this.link.queues;
    return {
      queuePackets: totals.depthPackets,
      queueMs: this.link.queues.oldestWaitMs(nowMs),
      dropped: totals.droppedLate + totals.droppedFull,
    };
  }

  /** Whether frames for this home may leave. */
  get isOpen(): boolean {
    return this.#open;
  }

  setOpen(open: boolean): void {
    this.#open = open;
    this.link.setOpen(open);
  }

  /**
   * Judges the stream to this home by what its class has sent.
   *
   * @returns faults; empty when frames may leave.
   */
  judge(packets: number, nowMs: number): Notice[] {
    this.#meter = this.#meter.with(packets, nowMs);
    const perSecond = this.#meter.perSecond(meterWindowMs(this.shape));
    if (perSecond === null && this.#open && nowMs < this.#graceUntilMs) return [];
    return findStreamFaults(this.shape, perSecond, this.name);
  }

  /** Whether the stream has been measured for long enough to be judged. */
  get isMeasured(): boolean {
    return !isPaced(this.shape) || this.#meter.perSecond(meterWindowMs(this.shape)) !== null;
  }

  isSilent(nowMs: number): boolean {
    const slot = waitPerSlotMs(this.shape);
    return nowMs - this.heardAtMs > Math.max(SILENT_MS, SILENT_SLOTS * slot);
  }

  slot(): HomeSlot {
    return { name: this.name, host: this.host, shape: this.shape };
  }
}

/** Whether an address belongs to a home's inner networks. */
export function owns(inner: InnerNetwork, address: string): boolean {
  if (!address.includes(':')) return networkOf(address, 24) === inner.prefix4;
  return inner.prefix6 !== null && networkOf(address, 64) === inner.prefix6;
}
