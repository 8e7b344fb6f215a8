// Frames to and from the connected homes, and whose a packet is.
import type { QueueReport } from '../../core/control/message.ts';
import { owns } from '../../core/endpoint/identity.ts';
import type { StreamWish } from '../../core/endpoint/machine/events.ts';
import { ipDestination, ipSource } from '../../core/framing/ip-packet.ts';
import type { InnerNetwork } from '../../core/plan/facts.ts';
import { standingDelayMs } from '../../core/plan/outer-clock.ts';
import type { System } from '../system/system.ts';
import { type Departures, FrameLink } from '../tunnel/frame-link.ts';

/** What may wait for all homes together, and for each of them at most: well within the unit's MemoryMax. */
const MOST_QUEUED_BYTES = 160 << 20;
const MOST_QUEUED_EACH_BYTES = 64 << 20;

export interface HomeLinksOptions {
  system: System;
  /** Packets that have left the tunnel's netdev so far; null while there is none. */
  departures: () => number | null;
  /** Called with each packet that a home sent from an address of its own. */
  onPacket: (packet: Uint8Array) => void;
}

interface HomeLink {
  inner: InnerNetwork;
  frames: FrameLink;
  /** How long packets wait behind the slots that stand in the clock behind OpenVPN. */
  standingMs: number;
  /** Packets it sent from an address that is not its own. */
  foreign: number;
}

/** One link a home, from {@link HomeLinks.apply} to {@link HomeLinks.close}. */
export class HomeLinks {
  readonly #options: HomeLinksOptions;
  readonly #byHost = new Map<number, HomeLink>();

  constructor(options: HomeLinksOptions) {
    this.#options = options;
  }

  /** Opens the links that are not open, and brings the others to what is asked for. Frames leave once a link is let. */
  async apply(streams: readonly StreamWish[]): Promise<void> {
    const most = Math.min(MOST_QUEUED_EACH_BYTES, MOST_QUEUED_BYTES / Math.max(1, streams.length));
    for (const stream of streams) {
      const known = this.#byHost.get(stream.host);
      if (known) {
        known.standingMs = standingMsOf(stream);
        known.frames.update(stream.shape, stream.maxDelayMs, most);
      } else await this.#open(stream, most);
    }
  }

  /** Whether frames to this home may leave. */
  setOpen(host: number, open: boolean): void {
    this.#byHost.get(host)?.frames.setOpen(open);
  }

  close(host: number): void {
    this.#byHost.get(host)?.frames.close();
    this.#byHost.delete(host);
  }

  /** Hands a packet from the Internet to the home it is for; nobody's is dropped. */
  enqueue(packet: Uint8Array): void {
    const destination = ipDestination(packet);
    for (const { inner, frames } of this.#byHost.values()) {
      if (!owns(inner, destination)) continue;
      frames.enqueue(destination, packet);
      return;
    }
  }

  /** How a home's download is doing. */
  report(host: number, nowMs: number): QueueReport {
    const link = this.#byHost.get(host);
    const queues = link?.frames.queues;
    if (!queues) return { queuePackets: 0, queueMs: 0, dropped: 0 };
    const { depthPackets, droppedLate, droppedFull } = queues.totals;
    const waitMs = queues.oldestWaitMs(nowMs);
    return {
      queuePackets: depthPackets,
      queueMs: waitMs === 0 ? 0 : waitMs + link.standingMs,
      dropped: droppedLate + droppedFull,
    };
  }

  /** Packets that a home sent from an address that is not its own. */
  foreignOf(host: number): number {
    return this.#byHost.get(host)?.foreign ?? 0;
  }

  async #open(stream: StreamWish, mostQueuedBytes: number): Promise<void> {
    const { host, local, peer, inner, shape, maxDelayMs } = stream;
    const { system, onPacket } = this.#options;
    const frames = new FrameLink({
      ...{ system, local, peer, shape, maxDelayMs, mostQueuedBytes },
      departures: () => this.#departures(),
      onPacket: (packet) => {
        if (owns(inner, ipSource(packet))) onPacket(packet);
        else link.foreign++;
      },
    });
    const link: HomeLink = { inner, frames, standingMs: standingMsOf(stream), foreign: 0 };
    this.#byHost.set(host, link);
    try {
      await frames.start();
    } catch (error) {
      this.close(host);
      throw error;
    }
    // It was closed before its socket was open.
    if (this.#byHost.get(host) !== link) frames.close();
  }

  /** One netdev, one counter: with several homes departures can't be told apart. */
  #departures(): Departures {
    const left = this.#options.departures();
    if (left === null) return 'gone';
    return this.#byHost.size === 1 ? left : 'shared';
  }
}

function standingMsOf({ standing, shape }: StreamWish): number {
  return standing === 0 ? 0 : standingDelayMs(standing, shape);
}
