// A home's sockets on the tunnel: devices' packets in frames, and what home and endpoint say to each other.
import type { Welcome } from '../../core/control/message.ts';
import type { Refusal } from '../../core/control/refusal.ts';
import {
  type Answer,
  encodeEcho,
  encodeNameQuestion,
  portOf,
  type Question,
  readAnswer,
} from '../../core/delivery/probe-packets.ts';
import { ipDestination, ipSource } from '../../core/framing/ip-packet.ts';
import type { HomeEvent, Work } from '../../core/home/machine/events.ts';
import { answerFromHouse, answerQuery } from '../../core/home/names/dns-answer.ts';
import { NO_NAMES } from '../../core/home/names/house-names.ts';
import type { Notice } from '../../core/notices/notice.ts';
import type { InnerNetwork } from '../../core/plan/facts.ts';
import { version } from '../../version.ts';
import { HomeControl } from '../control/home-control.ts';
import { readHouseNames } from '../network/names/house-names-reader.ts';
import { unsentFault } from '../shaper/cover.ts';
import type { System } from '../system/system.ts';
import { FrameLink } from '../tunnel/frame-link.ts';
import { NameResponder } from '../tunnel/name-responder.ts';

type Said = Extract<HomeEvent, { kind: 'welcome' | 'refused' }>;

/** Whose packets are the service's own questions. */
export const PROBE_KEY = 'service';
/** Devices whose bytes are counted apart. */
const MAX_ADDRESSES = 4096;

export interface HomeTunnelOptions {
  system: System;
  /** Packets that have left the tunnel's netdev so far; null while there is none. */
  departures: () => number | null;
  /** Called with each packet for a device. */
  onPacket: (packet: Uint8Array) => void;
  /** The endpoint has answered. */
  onSaid: (said: Said) => void;
  /** What {@link HomeTunnel.probe} asked was answered. */
  onAnswer: (answer: Answer) => void;
  /** The endpoint answers what may not come true. */
  onFault: (fault: Notice) => void;
  /** Where there is no cover, this alone tells that the tunnel's netdev, address or route has gone. */
  onGone: (fault: Notice) => void;
}

/** Open from {@link HomeTunnel.apply} to {@link HomeTunnel.close}. */
export class HomeTunnel {
  readonly #options: HomeTunnelOptions;
  #control: HomeControl | null = null;
  #names = NO_NAMES;
  /** Answers while nothing leaves. */
  readonly #responder: NameResponder;
  /** Where devices' queries for names are sent. */
  #resolvers: readonly string[] = [];
  link: FrameLink | null = null;
  /** Bytes of devices' packets that came down, by inner address. */
  readonly downloadBytes = new Map<string, number>();
  /** What was asked last. */
  #question: Question | null = null;

  constructor(options: HomeTunnelOptions) {
    this.#options = options;
    this.#responder = new NameResponder(options.system, (query) => answerQuery(query, this.#names));
  }

  /** Size of a packet that was answered while those of the streams are not; null else. */
  get smallerBytes(): number | null {
    return this.#control?.smallerBytes ?? null;
  }

  /** Since when the endpoint has not answered; Infinity before its first answer. */
  answerSilentMs(nowMs: number): number {
    return this.#control?.silentMs(nowMs) ?? Number.POSITIVE_INFINITY;
  }

  /** Takes in what the house's names are now. */
  async readNames(): Promise<void> {
    void this.#responder.open();
    this.#names = await readHouseNames(this.#options.system);
  }

  /** Takes a packet from a device: one that asks for a name of the house is answered here, all others leave. */
  send(packet: Uint8Array): void {
    const answer = answerFromHouse(packet, this.#names, this.#resolvers);
    if (answer) this.#options.onPacket(answer);
    else this.link?.enqueue(ipSource(packet), packet);
  }

  /** Opens the sockets that are not open, and brings frames to the shape. Frames leave once the link is opened. */
  async apply(work: Extract<Work, { part: 'streams' }>): Promise<void> {
    try {
      await this.#open(work);
    } catch (error) {
      // An address that went before anything was sent from it is as gone as one that goes later.
      this.#noteUnsent(error as Error);
      throw error;
    }
  }

  async #open(work: Extract<Work, { part: 'streams' }>): Promise<void> {
    const { tunnel, upload, maxDelayMs, profile } = work;
    const { system, departures, onFault } = this.#options;
    const onUnsent = (error: Error): void => this.#noteUnsent(error);
    const onWelcome = (welcome: Welcome): void => {
      const { resolver4, resolver6 } = welcome.inner;
      this.#resolvers = resolver6 === null ? [resolver4] : [resolver4, resolver6];
      this.#options.onSaid({ kind: 'welcome', welcome });
    };
    const onRefused = (refusal: Refusal): void =>
      this.#options.onSaid({ kind: 'refused', refusal });
    if (this.link) this.link.update(upload, maxDelayMs);
    else {
      const link = new FrameLink({
        system,
        ...tunnel,
        shape: upload,
        maxDelayMs,
        departures: () => departures() ?? 'gone',
        onPacket: (packet) => this.#deliver(packet),
      });
      await link.start();
      this.link = link;
    }
    if (this.#control) return;
    const { controlKey: key, inside } = profile;
    const control = new HomeControl({
      ...{ system, ...tunnel, version, key, inside, onWelcome, onRefused, onFault, onUnsent },
    });
    await control.start();
    this.#control = control;
  }

  #noteUnsent(error: Error): void {
    const fault = unsentFault(error);
    if (fault.code === 'tunnel-netdev-gone') this.#options.onGone(fault);
  }

  /** Tells the endpoint what is wanted of it. */
  want(work: Extract<Work, { part: 'streams' }>): void {
    const { upload, download, maxDelayMs, standingSlots, tunnelSinceS } = work;
    this.#control?.want({ upload, download, maxDelayMs, standingSlots, tunnelSinceS });
  }

  /** Asks the endpoint for an echo and a name, among devices' packets. */
  probe({ prefix4, resolver4 }: InnerNetwork): void {
    const [high = 0, low = 0, portHigh = 0, portLow = 0] = this.#options.system.randomBytes(4);
    this.#question = {
      source: prefix4.replace(/\.0\/24$/, '.254'),
      destination: resolver4,
      id: (high << 8) + low,
      port: portOf(portHigh, portLow),
    };
    this.link?.enqueue(PROBE_KEY, encodeEcho(this.#question));
    this.link?.enqueue(PROBE_KEY, encodeNameQuestion(this.#question));
  }

  close(): void {
    this.link?.close();
    this.#control?.close();
    this.link = null;
    this.#control = null;
  }

  /** Closes everything, and answers nobody any more. */
  end(): void {
    this.close();
    this.#responder.close();
  }

  #deliver(packet: Uint8Array): void {
    const answer = this.#question && readAnswer(packet, this.#question);
    if (answer) {
      this.#options.onAnswer(answer);
      return;
    }
    const key = ipDestination(packet);
    if (this.downloadBytes.size < MAX_ADDRESSES || this.downloadBytes.has(key)) {
      this.downloadBytes.set(key, (this.downloadBytes.get(key) ?? 0) + packet.length);
    }
    this.#options.onPacket(packet);
  }
}
