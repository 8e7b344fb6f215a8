// The endpoint at the far end of a home's tunnel: answers hellos with its key, and sends the stream that it is asked for.

import { EndpointHandshake } from '../../../src/core/control/endpoint-handshake.ts';
import { Proof } from '../../../src/core/control/proof.ts';
import type { Refusal } from '../../../src/core/control/refusal.ts';
import { Packer } from '../../../src/core/framing/packer.ts';
import { DeviceQueues } from '../../../src/core/framing/queues.ts';
import { Unpacker } from '../../../src/core/framing/unpacker.ts';
import type { InnerNetwork } from '../../../src/core/plan/facts.ts';
import { CONTROL_PORT, COVER_PORT, FRAME_PORT } from '../../../src/core/plan/names.ts';
import { type Shape, slotsPerSecond } from '../../../src/core/stream/stream.ts';
import { hmacSha256 } from '../../../src/shell/control/hmac.ts';
import { answerTo } from './far-resolver.ts';
import type { Datagram } from './udp-model.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A home that says nothing for so long gets no stream any more. */
const SILENT_MS = 60_000;
/** Hellos of a home come more often. */
const HEARD_MS = 15_000;

export interface FarEndpointOptions {
  time: VirtualTime;
  controlKey: Uint8Array;
  /** Tunnel addresses of the two ends. */
  home: string;
  endpoint: string;
  inner: InnerNetwork;
  /** Whether anything can pass now. */
  isPassing: () => boolean;
  /** Takes what has come to the home. */
  deliver: (datagram: Datagram) => void;
}

/** One endpoint, for one home. */
export class FarEndpoint {
  /** Whether it answers hellos. */
  answers = true;
  /** Why it serves nothing; null where it does. */
  refusal: Refusal | null = null;
  roundTripMs = 30;
  version = '1.0.0';
  inner: InnerNetwork;
  /** Tunnel addresses of the home and of this endpoint. */
  readonly home: string;
  readonly address: string;
  /** Share of its stream that the line brings to the home, 0…1. */
  arrivingShare = 1;
  readonly received = { cover: 0, frames: 0, control: 0, devicePackets: 0 };
  /** The stream asked for; null before the first hello that counted. */
  shape: Shape | null = null;
  readonly #options: FarEndpointOptions;
  readonly #unpacker = new Unpacker();
  #handshake: EndpointHandshake;
  #packer: { packetBytes: number; queues: DeviceQueues; packer: Packer } | null = null;
  #drawn = 0;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #streams = true;
  #sent = 0;
  #countedAtMs = 0;
  #wasFlowing = false;

  constructor(options: FarEndpointOptions) {
    this.#options = options;
    this.inner = options.inner;
    this.home = options.home;
    this.address = options.endpoint;
    this.#handshake = this.#newHandshake();
  }

  /** Whether it sends its stream, where it was asked for one. */
  get streams(): boolean {
    return this.#streams;
  }

  set streams(streams: boolean) {
    this.note();
    this.#streams = streams;
    this.note();
  }

  /** Whether packets of its stream come in now. */
  get isFlowing(): boolean {
    return (
      this.#streams &&
      this.shape !== null &&
      this.shape.rateKBps > 0 &&
      this.#options.isPassing() &&
      this.#options.time.nowMs - this.#heardAtMs < SILENT_MS
    );
  }

  /** Whether the home has proved itself lately. */
  get hears(): boolean {
    return this.#options.time.nowMs - this.#heardAtMs < HEARD_MS;
  }

  /** Packets that have come in at the home so far. */
  get sentPackets(): number {
    this.note();
    return Math.floor(this.#sent);
  }

  /** Starts over as after a restart: it knows no home, and draws other numbers. */
  restart(): void {
    this.note();
    this.shape = null;
    this.#handshake = this.#newHandshake();
    this.note();
  }

  /** Counts up to now; to be called before and after whatever makes its stream come or go. */
  note(): void {
    const nowMs = this.#options.time.nowMs;
    const untilMs = Math.min(nowMs, this.#heardAtMs + SILENT_MS);
    if (this.#wasFlowing && this.shape && untilMs > this.#countedAtMs) {
      this.#sent +=
        (this.arrivingShare * slotsPerSecond(this.shape) * (untilMs - this.#countedAtMs)) / 1000;
    }
    this.#countedAtMs = nowMs;
    this.#wasFlowing = this.isFlowing;
  }

  /** Takes what the home sent through the tunnel. */
  receive({ bytes, to }: Datagram): void {
    if (to.port === COVER_PORT) this.received.cover++;
    else if (to.port === FRAME_PORT) {
      this.received.frames++;
      const packets = this.#unpacker.push(bytes, this.#options.time.nowMs);
      this.received.devicePackets += packets.length;
      for (const packet of packets) this.#answerInside(packet);
    } else if (to.port === CONTROL_PORT) {
      this.received.control++;
      if (this.answers) this.#hear(bytes);
    }
  }

  #hear(bytes: Uint8Array): void {
    const slotBytes = this.shape?.packetBytes ?? null;
    const heard = this.#handshake.receive(bytes, slotBytes, this.#options.time.nowMs);
    if (heard?.kind === 'challenge') this.#answer(heard.datagram);
    if (heard?.kind !== 'hello') return;
    if (this.refusal) {
      this.#answer(this.#handshake.refuse(heard.hello, this.refusal, slotBytes));
      return;
    }
    this.note();
    this.#heardAtMs = this.#options.time.nowMs;
    this.shape = heard.hello.download;
    this.note();
    const { cover, frames, control } = this.received;
    const arrival = { received: cover + frames + control, troubles: [], wholeBytes: null };
    const report = { queuePackets: 0, queueMs: 0, dropped: 0, ...arrival };
    const { packetBytes } = this.shape;
    this.#answer(this.#handshake.welcome(heard.hello, this.inner, report, packetBytes));
  }

  #answerInside(packet: Uint8Array): void {
    const answer = answerTo(packet, this.inner.resolver4);
    if (!answer || !this.shape || !this.#streams) return;
    const { packetBytes } = this.shape;
    if (this.#packer?.packetBytes !== packetBytes) {
      const queues = new DeviceQueues();
      this.#packer = { packetBytes, queues, packer: new Packer({ packetBytes, queues }) };
    }
    const { queues, packer } = this.#packer;
    const { nowMs } = this.#options.time;
    queues.enqueue('answer', answer, nowMs);
    for (let frame = packer.nextFrame(nowMs); frame; frame = packer.nextFrame(nowMs)) {
      this.#answer(frame, FRAME_PORT);
    }
  }

  #answer(bytes: Uint8Array, port = CONTROL_PORT): void {
    const { time, home, endpoint, deliver, isPassing } = this.#options;
    time.timers.after(this.roundTripMs, () => {
      if (!isPassing()) return;
      deliver({ bytes, from: { address: endpoint, port }, to: { address: home, port } });
    });
  }

  #newHandshake(): EndpointHandshake {
    const { controlKey, home } = this.#options;
    return new EndpointHandshake({
      proof: new Proof(hmacSha256, controlKey, home),
      version: this.version,
      drawNonce: () => (++this.#drawn).toString(16).padStart(24, '0'),
    });
  }
}
