// A home at the far end of an endpoint's tunnel: proves itself, says what it wants, and counts what it is sent.
import { HomeHandshake } from '../../src/core/control/home-handshake.ts';
import { Proof } from '../../src/core/control/proof.ts';
import type { Refusal } from '../../src/core/control/refusal.ts';
import { Unpacker } from '../../src/core/framing/unpacker.ts';
import { CONTROL_PORT, COVER_PORT, FRAME_PORT } from '../../src/core/plan/names.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { hmacSha256 } from '../../src/shell/control/hmac.ts';
import type { Cancel } from '../../src/shell/system/system.ts';
import { inside, keyOf } from '../control/proofs.ts';
import type { Datagram } from '../stand-ins/fake-system/udp-model.ts';
import type { VirtualTime } from '../stand-ins/fake-system/virtual-time.ts';

const HELLO_EVERY_MS = 1000;

export interface FarHomeOptions {
  time: VirtualTime;
  host: number;
  /** Takes what the home sends to the endpoint. */
  deliver: (datagram: Datagram) => void;
}

/** One home; its key is that of `keyOf(host)`. */
export class FarHome {
  readonly host: number;
  readonly address: string;
  /** Packets that have come, by what they are. */
  readonly received = { cover: 0, control: 0, frames: 0, devicePackets: 0 };
  /** Sizes of what it has said, which answers have too. */
  readonly saidBytes = new Set<number>();
  /** Answers that counted. */
  welcomes = 0;
  /** Why it was refused, each time. */
  readonly refusals: Refusal[] = [];
  shape: Shape;
  readonly #options: FarHomeOptions;
  readonly #unpacker = new Unpacker();
  #handshake: HomeHandshake;
  #runs = 0;
  #cancel: Cancel = () => {};

  constructor(options: FarHomeOptions, shape: Shape) {
    this.#options = options;
    this.host = options.host;
    this.address = `10.213.0.${options.host}`;
    this.shape = shape;
    this.#handshake = this.#newHandshake();
  }

  /** Speaks from now on, as a home that has just started. */
  start(): void {
    this.stop();
    this.#handshake = this.#newHandshake();
    this.#cancel = this.#options.time.timers.every(HELLO_EVERY_MS, () => this.#say());
    this.#say();
  }

  /** Asks for another stream. */
  want(shape: Shape): void {
    this.shape = shape;
    this.#handshake.want({ upload: shape, download: shape, maxDelayMs: 5000, standingSlots: null });
    this.#say();
  }

  /** Says so much in one go, each time that it wants another one of these streams. */
  flood(shapes: readonly Shape[], count: number): void {
    for (let said = 0; said < count; said++) {
      this.shape = shapes[said % shapes.length]!;
      this.#handshake.want({
        upload: this.shape,
        download: this.shape,
        maxDelayMs: 5000,
        standingSlots: null,
      });
      this.#say();
    }
  }

  stop(): void {
    this.#cancel();
  }

  receive({ bytes, to }: Datagram): void {
    const { nowMs } = this.#options.time;
    if (to.port === COVER_PORT) this.received.cover++;
    else if (to.port === FRAME_PORT) {
      this.received.frames++;
      this.received.devicePackets += this.#unpacker.push(bytes, nowMs).length;
    } else if (to.port === CONTROL_PORT) {
      this.received.control++;
      const heard = this.#handshake.receive(bytes, nowMs);
      if (heard?.kind === 'welcome') this.welcomes++;
      if (heard?.kind === 'refused') this.refusals.push(heard.refusal);
      if (heard?.kind === 'again') this.#say();
    }
  }

  #say(): void {
    const { datagram: bytes } = this.#handshake.hello(this.#options.time.nowMs)!;
    this.saidBytes.add(bytes.length);
    const from = { address: this.address, port: CONTROL_PORT };
    const to = { address: '10.213.0.1', port: CONTROL_PORT };
    this.#options.deliver({ bytes, from, to });
  }

  #newHandshake(): HomeHandshake {
    const run = ++this.#runs;
    const handshake = new HomeHandshake({
      proof: new Proof(hmacSha256, keyOf(this.host), this.address),
      version: '0.1.0',
      inside,
      drawNonce: () => (this.host * 1000 + run).toString(16).padStart(24, '0'),
    });
    handshake.want({
      upload: this.shape,
      download: this.shape,
      maxDelayMs: 5000,
      standingSlots: null,
    });
    return handshake;
  }
}
