// The connected homes: who comes and goes, and whose a packet is.
import type { Hello } from '../../core/control/message.ts';
import { ipDestination } from '../../core/framing/ip-packet.ts';
import { notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { InnerNetwork } from '../../core/plan/facts.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { openNetdevCounter } from '../network/netdev.ts';
import type { Log } from '../system/log.ts';
import type { Counter, System } from '../system/system.ts';
import type { Departures } from '../tunnel/frame-link.ts';
import { HomeSession, owns } from './home-session.ts';
import type { StoredHome } from './store.ts';

export interface HomeSessionsOptions {
  system: System;
  log: Log;
  /** The endpoint's address in the tunnel. */
  local: string;
  /** Called with each packet that a home sent from an address of its own. */
  onPacket: (packet: Uint8Array) => void;
}

/** At most one session a home. */
export class HomeSessions {
  readonly #options: HomeSessionsOptions;
  readonly #byHost = new Map<number, HomeSession>();
  readonly #sent: Counter;

  constructor(options: HomeSessionsOptions) {
    this.#options = options;
    this.#sent = openNetdevCounter(options.system, TUNNEL_NETDEV, 'tx_packets');
  }

  /** The session of the home at this host, where it is connected. */
  get(host: number): HomeSession | undefined {
    return this.#byHost.get(host);
  }

  all(): HomeSession[] {
    return [...this.#byHost.values()];
  }

  /** Opens a home's session as its hello asks. */
  async connect(
    home: StoredHome,
    hello: Hello,
    peer: string,
    inner: InnerNetwork,
  ): Promise<HomeSession> {
    const { system, log, local, onPacket } = this.#options;
    const session = new HomeSession({
      ...home,
      system,
      local,
      peer,
      inner,
      shape: hello.download,
      maxDelayMs: hello.maxDelayMs,
      departures: () => this.#departures(),
      onPacket,
    });
    session.version = hello.version;
    await session.link.start();
    this.#byHost.set(home.host, session);
    log('notice', wordsOf(notice('home-connected', { name: home.name })));
    return session;
  }

  disconnect(session: HomeSession): void {
    session.setOpen(false);
    session.link.close();
    this.#byHost.delete(session.host);
    const said = notice('home-disconnected', { name: session.name });
    this.#options.log('notice', wordsOf(said));
  }

  /** Hands a packet from the Internet to the home it is for; nobody's is dropped. */
  enqueue(packet: Uint8Array): void {
    const destination = ipDestination(packet);
    for (const session of this.#byHost.values()) {
      if (owns(session.inner, destination)) {
        session.enqueue(packet);
        return;
      }
    }
  }

  /** Ends all of them for good. */
  close(): void {
    for (const session of this.#byHost.values()) session.link.close();
    this.#byHost.clear();
    this.#sent.close();
  }

  /** One netdev, one counter: with several homes departures can't be told apart. */
  #departures(): Departures {
    const sent = this.#sent.read();
    if (sent === null) return 'gone';
    return this.#byHost.size === 1 ? sent : 'shared';
  }
}
