// What homes say to the endpoint: each by its own key and handshake.
import { EndpointHandshake } from '../../core/control/endpoint-handshake.ts';
import type { ArrivalReport, Hello, QueueReport } from '../../core/control/message.ts';
import { Proof } from '../../core/control/proof.ts';
import type { Refusal } from '../../core/control/refusal.ts';
import type { Sharing } from '../../core/control/sharing.ts';
import { Allowance, type Pace } from '../../core/endpoint/allowance.ts';
import type { StoredHome } from '../../core/endpoint/identity.ts';
import { notice } from '../../core/endpoint/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { InnerNetwork } from '../../core/plan/facts.ts';
import { version } from '../../version.ts';
import { drawNonce, hmacSha256 } from '../control/hmac.ts';
import type { Log } from '../system/log.ts';
import type { System } from '../system/system.ts';

/** A home in a hurry says something every 700 ms, and at once what it is challenged to; more is not even looked at. */
const HEARD: Pace = { burst: 20, everyMs: 200 };

export interface GreetingsOptions {
  system: Pick<System, 'randomBytes'>;
  log: Log;
  /** Sends a datagram back to where a home's came from. */
  send: (datagram: Uint8Array, address: string) => void;
  /** Called with each hello that counts. */
  onHello: (host: number, hello: Hello, sharing: Sharing) => void;
}

interface KnownHome {
  controlKey: string;
  /** Null for a home that can't be served. */
  handshake: EndpointHandshake | null;
  allowance?: Allowance;
}

/** The endpoint's ear for all homes. What it keeps for one home does not grow, and one that never stops talking is heard at a pace. */
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
    const { handshake } = known;
    const allowance = Allowance.take(known.allowance, HEARD, nowMs);
    if (!allowance) return;
    known.allowance = allowance;
    const heard = handshake?.receive(datagram, slotBytes, nowMs) ?? null;
    if (heard?.kind === 'challenge') this.#options.send(heard.datagram, address);
    if (heard?.kind === 'hello') this.#options.onHello(home.host, heard.hello, heard.sharing);
  }

  /** The answer to a home's hello; null for a home that was never heard. */
  welcome(
    host: number,
    hello: Hello,
    inner: InnerNetwork,
    report: QueueReport & ArrivalReport,
    packetBytes: number,
  ): Uint8Array | null {
    const handshake = this.#homes.get(host)?.handshake;
    return handshake?.welcome(hello, inner, report, packetBytes) ?? null;
  }

  /** The answer to one that asks for more than may be; null likewise. */
  refuse(
    host: number,
    hello: Hello,
    refusal: Refusal,
    slotBytes: number | null,
  ): Uint8Array | null {
    return this.#homes.get(host)?.handshake?.refuse(hello, refusal, slotBytes) ?? null;
  }

  /** A home of another key is another home. */
  #know(home: StoredHome, address: string): KnownHome {
    const before = this.#homes.get(home.host);
    if (before?.controlKey === home.controlKey) return before;
    const { controlKey, name, host } = home;
    const known: KnownHome = { controlKey, handshake: null };
    this.#homes.set(host, known);
    const { system, log } = this.#options;
    try {
      const proof = new Proof(hmacSha256, Buffer.from(controlKey, 'base64'), address);
      known.handshake = new EndpointHandshake({
        proof,
        version,
        drawNonce: () => drawNonce(system),
      });
    } catch {
      log('warning', wordsOf(notice('home-without-key', { name })));
    }
    return known;
  }
}
