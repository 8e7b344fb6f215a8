// The endpoint's side of the handshake with one home, without its socket: which hellos count, and what is answered.
import { FRAME_OVERHEAD_BYTES } from '../framing/frame.ts';
import type { InnerNetwork } from '../plan/facts.ts';
import { SMALLEST_PACKET_BYTES } from '../plan/names.ts';
import {
  type ArrivalReport,
  decodeControl,
  encodeControl,
  type Hello,
  NO_NONCE,
  type QueueReport,
  type Turn,
} from './message.ts';
import type { Proof } from './proof.ts';
import type { Refusal } from './refusal.ts';
import { Runs, type Sharing } from './sharing.ts';

/** A home that asks sooner again gets no second challenge: it has the first, or repeats itself anyway. */
const CHALLENGE_EVERY_MS = 200;
/** How long a challenge may be answered: hellos of the slowest stream are 22 s apart. */
const CHALLENGE_MS = 120_000;

export interface EndpointHandshakeOptions {
  proof: Proof;
  version: string;
  /** A fresh number in hexadecimal that nobody can guess. */
  drawNonce: () => string;
}

/** What a datagram means to the endpoint. */
export type EndpointHeard =
  /** A fresh hello: what it asks for may come true. */
  | { kind: 'hello'; hello: Hello; sharing: Sharing }
  /** To be sent back, and nothing else. */
  | { kind: 'challenge'; datagram: Uint8Array }
  /** Nothing: no message, not proven, or old. */
  | null;

/**
 * Keeps one home's hellos apart from recorded ones. A hello counts when it carries a nonce drawn here that no other run
 * of the home has used, and a higher sequence number than the one before. Keeps a few nonces and numbers.
 */
export class EndpointHandshake {
  readonly #options: EndpointHandshakeOptions;
  /** The newest hello that counted. */
  #latest: Turn | null = null;
  /** Good for whichever run of the home answers first: a replayed hello can't push another's challenge aside. */
  #pending = NO_NONCE;
  #pendingUntilMs = Number.NEGATIVE_INFINITY;
  /** Size of the packet that the newest hello came in. */
  #askedBytes = SMALLEST_PACKET_BYTES;
  #challengedAtMs = Number.NEGATIVE_INFINITY;
  readonly #runs = new Runs();

  constructor(options: EndpointHandshakeOptions) {
    this.#options = options;
  }

  /** @param slotBytes size of the packets in the stream to this home; null when none stands. */
  receive(datagram: Uint8Array, slotBytes: number | null, nowMs: number): EndpointHeard {
    const hello = decodeControl(datagram, this.#options.proof);
    if (hello?.kind !== 'hello') return null;
    // No larger than the question: a home asks in smaller packets where the way takes no larger.
    this.#askedBytes = datagram.length + FRAME_OVERHEAD_BYTES;
    const latest = this.#latest;
    const sameRun = latest !== null && hello.homeNonce === latest.homeNonce;
    if (sameRun && hello.sequence <= latest.sequence) return null;
    const follows = sameRun && hello.endpointNonce === latest.endpointNonce;
    if (!follows && !this.#isPending(hello.endpointNonce, nowMs)) {
      return this.#challenge(hello, slotBytes, nowMs);
    }
    if (!follows) this.#pendingUntilMs = Number.NEGATIVE_INFINITY;
    const { homeNonce, endpointNonce, sequence } = hello;
    this.#latest = { homeNonce, endpointNonce, sequence };
    return { kind: 'hello', hello, sharing: this.#runs.hear(homeNonce, nowMs) };
  }

  /** The answer to a hello that counted. */
  welcome(
    { homeNonce, endpointNonce, sequence }: Turn,
    inner: InnerNetwork,
    report: QueueReport & ArrivalReport,
    packetBytes: number,
  ): Uint8Array {
    const { version, proof } = this.#options;
    const turn = { homeNonce, endpointNonce, sequence };
    return encodeControl(
      { kind: 'welcome', ...turn, version, inner, ...report },
      Math.min(packetBytes, this.#askedBytes),
      proof,
    );
  }

  /** The answer to one that counted and asks for more than may be. @param slotBytes see {@link EndpointHandshake.receive} */
  refuse(
    { homeNonce, endpointNonce, sequence }: Turn,
    refusal: Refusal,
    slotBytes: number | null,
  ): Uint8Array {
    const { version, proof } = this.#options;
    const turn = { homeNonce, endpointNonce, sequence };
    const packetBytes = Math.min(slotBytes ?? SMALLEST_PACKET_BYTES, this.#askedBytes);
    return encodeControl({ kind: 'refused', ...turn, version, refusal }, packetBytes, proof);
  }

  #isPending(nonce: string, nowMs: number): boolean {
    return nowMs < this.#pendingUntilMs && nonce === this.#pending;
  }

  #challenge(
    { homeNonce, sequence }: Turn,
    slotBytes: number | null,
    nowMs: number,
  ): EndpointHeard {
    if (nowMs - this.#challengedAtMs < CHALLENGE_EVERY_MS) return null;
    this.#challengedAtMs = nowMs;
    if (nowMs >= this.#pendingUntilMs) {
      this.#pending = this.#options.drawNonce();
      this.#pendingUntilMs = nowMs + CHALLENGE_MS;
    }
    const turn = { homeNonce, endpointNonce: this.#pending, sequence };
    // In a stream it takes a slot that is there anyway, and must not look different from the others. Without one it is
    // no larger than any hello.
    const packetBytes = slotBytes ?? SMALLEST_PACKET_BYTES;
    const message = { kind: 'challenge', ...turn } as const;
    return {
      kind: 'challenge',
      datagram: encodeControl(message, packetBytes, this.#options.proof),
    };
  }
}
