// What homes say to the endpoint: each home's key and handshake, and the one hello of each that waits to come true.

import { EndpointHandshake } from '../../core/control/endpoint-handshake.ts';
import type { Hello } from '../../core/control/message.ts';
import { Proof } from '../../core/control/proof.ts';
import { notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import { version } from '../../version.ts';
import { drawNonce, hmacSha256 } from '../control/hmac.ts';
import type { Log } from '../system/log.ts';
import type { System } from '../system/system.ts';
import type { StoredHome } from './store.ts';

export interface GreetingsOptions {
  system: Pick<System, 'randomBytes'>;
  log: Log;
  /** Sends a datagram back to where a home's came from. */
  send: (datagram: Uint8Array, address: string) => void;
  /** Makes a hello come true, after what is being done now; takes it by {@link Greetings.take}. */
  greet: (home: StoredHome, address: string) => void;
}

interface KnownHome {
  controlKey: string;
  /** Null for a home that can't be served. */
  handshake: EndpointHandshake | null;
  /** The newest hello that has not come true yet. */
  waiting: Hello | null;
}

/** The endpoint's ear for all homes. What it keeps for one home does not grow. */
export class Greetings {
  readonly #options: GreetingsOptions;
  readonly #homes = new Map<number, KnownHome>();

  constructor(options: GreetingsOptions) {
    this.#options = options;
  }

  /**
   * Takes a datagram that came from a home's tunnel address.
   *
   * @param slotBytes size of the packets in the stream to it; null when none stands.
   */
  receive(
    home: StoredHome,
    address: string,
    datagram: Uint8Array,
    slotBytes: number | null,
    nowMs: number,
  ): void {
    const known = this.#know(home, address);
    const heard = known.handshake?.receive(datagram, slotBytes, nowMs) ?? null;
    if (heard?.kind === 'challenge') this.#options.send(heard.datagram, address);
    if (heard?.kind !== 'hello') return;
    const isAwaited = known.waiting !== null;
    known.waiting = heard.hello;
    // A home that talks faster than its wishes come true is served its last one.
    if (!isAwaited) this.#options.greet(home, address);
  }

  /** The hello that is to come true now, with the handshake that answers it; null when the home is another by now. */
  take(home: StoredHome): { hello: Hello; handshake: EndpointHandshake } | null {
    const known = this.#homes.get(home.host);
    if (!known?.handshake || !known.waiting || known.controlKey !== home.controlKey) return null;
    const hello = known.waiting;
    known.waiting = null;
    return { hello, handshake: known.handshake };
  }

  /** A home of another key is another home. */
  #know(home: StoredHome, address: string): KnownHome {
    const before = this.#homes.get(home.host);
    if (before?.controlKey === home.controlKey) return before;
    const { controlKey, name, host } = home;
    const known: KnownHome = { controlKey, handshake: null, waiting: null };
    this.#homes.set(host, known);
    try {
      const proof = new Proof(hmacSha256, Buffer.from(controlKey, 'base64'), address);
      known.handshake = new EndpointHandshake({
        proof,
        version,
        drawNonce: () => drawNonce(this.#options.system),
      });
    } catch {
      this.#options.log('warning', wordsOf(notice('home-without-key', { name })));
    }
    return known;
  }
}
