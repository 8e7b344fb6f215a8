// The home's side of the handshake, without its socket: which hello is due, and which answers count.
import { isSame } from '../equality/equality.ts';
import { smallerSizes } from '../home/delivery/path-size.ts';
import type { Notice } from '../notices/notice.ts';
import type { InsideRanges } from '../plan/facts.ts';
import { type Shape, waitPerSlotMs } from '../stream/stream.ts';
import { findInsideFault } from './inside.ts';
import {
  type Challenge,
  decodeControl,
  encodeControl,
  NO_NONCE,
  type Refused,
  type Welcome,
} from './message.ts';
import type { Proof } from './proof.ts';
import type { Refusal } from './refusal.ts';
import { helloEveryMs, urgentHelloEveryMs } from './rhythm.ts';

/** Without an answer for so long, smaller hellos are tried: the way may take packets up to a size alone. */
const SMALLER_AFTER_MS = 12_000;
const SIZES_KEPT = 32;
/** Faults that go on are told so often. */
const FAULT_EVERY_MS = 60_000;

export interface HomeHandshakeOptions {
  proof: Proof;
  version: string;
  inside: Pick<InsideRanges, 'inner4' | 'inner6'>;
  /** A fresh number in hexadecimal that nobody can guess. */
  drawNonce: () => string;
}

/** What the home wants of its endpoint. */
export interface Wish {
  upload: Shape;
  download: Shape;
  maxDelayMs: number;
  /** Slots that shall stand in the clock behind the endpoint's OpenVPN; null for as many as usual. */
  standingSlots: number | null;
  /** Since when the tunnel is up: an endpoint that may have begun anew is asked at once. */
  tunnelSinceS?: number;
}

/** What a datagram means to the home. */
export type HomeHeard =
  /** An answer to what is wanted now. */
  | { kind: 'welcome'; welcome: Welcome }
  /** What is wanted now is more than the endpoint gives. */
  | { kind: 'refused'; refusal: Refusal }
  /** The endpoint doesn't know this home yet, or any more: the next hello is due at once. */
  | { kind: 'again' }
  /** An answer from the endpoint itself that may not come true. */
  | { kind: 'fault'; fault: Notice }
  /** Nothing: no message, not proven, not ours, or old. */
  | null;

/** One run of a home. Each of its hellos may be answered once, and later ones end the time of those before. */
export class HomeHandshake {
  readonly #options: HomeHandshakeOptions;
  readonly #homeNonce: string;
  #endpointNonce = NO_NONCE;
  #wish: Wish | null = null;
  #sequence = 0;
  /** The newest hello that an answer to has come. */
  #heard = 0;
  /** First hello that asked for what is wanted now. */
  #askedSince = 0;
  #answered = false;
  /** Whether the endpoint has said last that it may not be. */
  #refused = false;
  #answeredAtMs: number | null = null;
  #faultAtMs = Number.NEGATIVE_INFINITY;
  /** Sizes of the last hellos, by their number. */
  readonly #sizes = new Map<number, number>();
  #turns = 0;
  /** Since when no hello of the stream's size was answered. */
  #unansweredSinceMs: number | null = null;
  #smallerBytes: number | null = null;

  constructor(options: HomeHandshakeOptions) {
    this.#options = options;
    this.#homeNonce = options.drawNonce();
  }

  /** Whether the endpoint has answered what is wanted now. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Since when the endpoint has not answered; Infinity before its first answer. */
  silentMs(nowMs: number): number {
    return this.#answeredAtMs === null ? Number.POSITIVE_INFINITY : nowMs - this.#answeredAtMs;
  }

  /** Takes a wish; whether it is another than before, so that a hello is due at once. */
  want(wish: Wish): boolean {
    if (isSame(wish, this.#wish)) return false;
    this.#wish = wish;
    this.#askedSince = this.#sequence + 1;
    this.#answered = false;
    this.#refused = false;
    this.#unansweredSinceMs = null;
    this.#smallerBytes = null;
    return true;
  }

  /** Size of a packet that was answered while those of the streams were not, for long enough that it is no chance; null else. */
  get smallerBytes(): number | null {
    return this.#smallerBytes;
  }

  /** Where packets of the stream's size get no answer, every other hello is smaller, each time by another size. */
  #sizeFor(packetBytes: number, nowMs: number): number {
    this.#unansweredSinceMs ??= nowMs;
    const sizes = smallerSizes(packetBytes);
    if (sizes.length === 0 || nowMs - this.#unansweredSinceMs < SMALLER_AFTER_MS)
      return packetBytes;
    this.#turns++;
    return this.#turns % 2 === 0 ? packetBytes : sizes[(this.#turns >> 1) % sizes.length]!;
  }

  /** A hello was answered. */
  #noteSize({ kind, sequence }: Challenge | Welcome, nowMs: number): void {
    const size = this.#sizes.get(sequence);
    const full = this.#wish?.upload.packetBytes;
    if (size === undefined || full === undefined || (kind === 'challenge' && size >= full)) return;
    if (size >= full) {
      this.#unansweredSinceMs = nowMs;
      this.#smallerBytes = null;
    } else this.#smallerBytes = Math.max(size, this.#smallerBytes ?? 0);
  }

  /** The next hello and the pause after it; null while nothing is wanted. */
  hello(nowMs: number): { datagram: Uint8Array; pauseMs: number } | null {
    if (!this.#wish) return null;
    const { upload, download, maxDelayMs, standingSlots } = this.#wish;
    const { version, proof } = this.#options;
    this.#sequence++;
    const bytes = this.#sizeFor(upload.packetBytes, nowMs);
    this.#sizes.set(this.#sequence, bytes);
    this.#sizes.delete(this.#sequence - SIZES_KEPT);
    const datagram = encodeControl(
      {
        kind: 'hello',
        homeNonce: this.#homeNonce,
        endpointNonce: this.#endpointNonce,
        sequence: this.#sequence,
        version,
        download,
        maxDelayMs,
        standingSlots,
      },
      bytes,
      proof,
    );
    const slot = waitPerSlotMs(upload);
    const isHeard = this.#answered || this.#refused;
    return { datagram, pauseMs: isHeard ? helloEveryMs(slot) : urgentHelloEveryMs(slot) };
  }

  receive(datagram: Uint8Array, nowMs: number): HomeHeard {
    const message = decodeControl(datagram, this.#options.proof);
    if (!message || message.kind === 'hello' || message.homeNonce !== this.#homeNonce) return null;
    if (message.sequence <= this.#heard || message.sequence > this.#sequence) return null;
    if (message.kind === 'refused') return this.#hearRefused(message, nowMs);
    // A challenge is small whatever it answers: it tells that small ones pass both ways, and no more.
    this.#noteSize(message, nowMs);
    const known = message.endpointNonce === this.#endpointNonce;
    if (message.kind === 'challenge') {
      this.#heard = message.sequence;
      // Asked twice before the answer came through: it is on its way.
      if (known) return null;
      this.#endpointNonce = message.endpointNonce;
      this.#answered = false;
      return { kind: 'again' };
    }
    if (!known) return null;
    this.#heard = message.sequence;
    const fault = findInsideFault(message.inner, this.#options.inside);
    if (fault !== null) return this.#fault(fault, nowMs);
    if (message.sequence < this.#askedSince) return null;
    this.#answered = true;
    this.#refused = false;
    this.#answeredAtMs = nowMs;
    return { kind: 'welcome', welcome: message };
  }

  #hearRefused({ endpointNonce, sequence, refusal }: Refused, nowMs: number): HomeHeard {
    if (endpointNonce !== this.#endpointNonce) return null;
    this.#heard = sequence;
    if (sequence < this.#askedSince) return null;
    this.#answered = false;
    this.#refused = true;
    // It is as small as a challenge where there is no stream, and says nothing of sizes either.
    this.#unansweredSinceMs = nowMs;
    return { kind: 'refused', refusal };
  }

  #fault(fault: Notice, nowMs: number): HomeHeard {
    if (nowMs - this.#faultAtMs < FAULT_EVERY_MS) return null;
    this.#faultAtMs = nowMs;
    return { kind: 'fault', fault };
  }
}
