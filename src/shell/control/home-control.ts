// The home's control socket: says what the home wants until it is answered, and then now and again.
import { HomeHandshake, type Wish } from '../../core/control/home-handshake.ts';
import type { Welcome } from '../../core/control/message.ts';
import { Proof } from '../../core/control/proof.ts';
import type { Refusal } from '../../core/control/refusal.ts';
import type { Notice } from '../../core/notices/notice.ts';
import type { InsideRanges } from '../../core/plan/facts.ts';
import { CONTROL_PORT } from '../../core/plan/names.ts';
import type { Cancel, System, UdpSocket } from '../system/system.ts';
import { drawNonce, hmacSha256 } from './hmac.ts';

export interface HomeControlOptions {
  system: System;
  local: string;
  peer: string;
  version: string;
  /** The home's control key; see {@link Proof}. */
  key: Uint8Array;
  /** Bounds of what the endpoint may assign. */
  inside: InsideRanges;
  onWelcome: (welcome: Welcome) => void;
  /** It does not give what is wanted. */
  onRefused: (refusal: Refusal) => void;
  /** The endpoint answers what may not come true: once a minute at most. */
  onFault: (fault: Notice) => void;
  /** The machine refused a hello. */
  onUnsent: (error: Error) => void;
}

/** One home's control socket. */
export class HomeControl {
  readonly #options: HomeControlOptions;
  readonly #handshake: HomeHandshake;
  #socket: UdpSocket | null = null;
  #cancelHello: Cancel | null = null;

  /** @throws RangeError when the key is no sound one. */
  constructor(options: HomeControlOptions) {
    this.#options = options;
    const { system, key, local, version, inside } = options;
    this.#handshake = new HomeHandshake({
      proof: new Proof(hmacSha256, key, local),
      version,
      inside,
      drawNonce: () => drawNonce(system),
    });
  }

  /** Whether the endpoint has answered what is wanted now. */
  get answered(): boolean {
    return this.#handshake.answered;
  }

  /** See {@link HomeHandshake.smallerBytes}. */
  get smallerBytes(): number | null {
    return this.#handshake.smallerBytes;
  }

  /** Since when the endpoint has not answered; Infinity before its first answer. */
  silentMs(nowMs: number): number {
    return this.#handshake.silentMs(nowMs);
  }

  async start(): Promise<void> {
    const { system, local, peer } = this.#options;
    this.#socket = await system.sockets.openUdp({
      local: { address: local, port: CONTROL_PORT },
      peer: { address: peer, port: CONTROL_PORT },
      onMessage: (datagram) => this.#receive(datagram),
    });
  }

  /** Says from now on that the download shall have this shape. */
  want(wish: Wish): void {
    if (this.#handshake.want(wish)) this.#hello();
  }

  close(): void {
    this.#cancelHello?.();
    this.#socket?.close();
    this.#socket = null;
  }

  #hello(): void {
    this.#cancelHello?.();
    const next = this.#socket
      ? this.#handshake.hello(this.#options.system.clock.monotonicMs())
      : null;
    if (!next) return;
    // Refused while the tunnel is being set up; the next one goes through.
    this.#socket!.send(next.datagram, (error) => {
      if (error && this.#socket) this.#options.onUnsent(error);
    });
    this.#cancelHello = this.#options.system.timers.after(next.pauseMs, () => this.#hello());
  }

  #receive(datagram: Uint8Array): void {
    const heard = this.#handshake.receive(datagram, this.#options.system.clock.monotonicMs());
    if (heard?.kind === 'again') this.#hello();
    else if (heard?.kind === 'welcome') this.#options.onWelcome(heard.welcome);
    else if (heard?.kind === 'refused') this.#options.onRefused(heard.refusal);
    else if (heard?.kind === 'fault') this.#options.onFault(heard.fault);
  }
}
