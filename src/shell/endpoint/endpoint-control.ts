// The endpoint's control socket: what homes say there, and what they are answered.
import type { Hello } from '../../core/control/message.ts';
import type { Sharing } from '../../core/control/sharing.ts';
import type { Act } from '../../core/endpoint/machine/events.ts';
import { slotBytesOf } from '../../core/endpoint/machine/sessions.ts';
import type { EndpointState } from '../../core/endpoint/machine/state.ts';
import { CONTROL_PORT } from '../../core/plan/names.ts';
import { tunnelAddress } from '../../core/plan/nft/nft-endpoint.ts';
import type { Log } from '../system/log.ts';
import type { System, UdpSocket } from '../system/system.ts';
import { Greetings } from './greetings.ts';
import type { HomeLinks } from './home-links.ts';

export interface EndpointControlOptions {
  system: System;
  log: Log;
  state: () => EndpointState;
  links: Pick<HomeLinks, 'report'>;
  /** Called with each hello that counts. */
  onHello: (host: number, hello: Hello, sharing: Sharing) => void;
}

/** Hears homes from {@link EndpointControl.open} to {@link EndpointControl.close}. */
export class EndpointControl {
  readonly #options: EndpointControlOptions;
  readonly #greetings: Greetings;
  #socket: UdpSocket | null = null;

  constructor(options: EndpointControlOptions) {
    const { system, log, onHello } = options;
    this.#options = options;
    this.#greetings = new Greetings({
      ...{ system, log, onHello },
      send: (datagram, address) => this.#send(datagram, address),
    });
  }

  /** Binds the control port at the endpoint's tunnel address, in the place of the socket there was. */
  async open(address: string): Promise<void> {
    this.close();
    this.#socket = await this.#options.system.sockets.openUdp({
      local: { address, port: CONTROL_PORT },
      reuse: true,
      onMessage: (datagram, from) => this.#hear(datagram, from.address),
    });
  }

  close(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  answer(act: Extract<Act, { do: 'welcome' | 'refuse' }>): void {
    const { host, peer, hello } = act;
    if (act.do === 'refuse') {
      const refused = this.#greetings.refuse(host, hello, act.refusal, act.slotBytes);
      if (refused) this.#send(refused, peer);
      return;
    }
    const { inner, packetBytes, arrival } = act;
    const queue = this.#options.links.report(host, this.#options.system.clock.monotonicMs());
    const report = { ...queue, ...arrival };
    const datagram = this.#greetings.welcome(host, hello, inner, report, packetBytes);
    if (datagram) this.#send(datagram, peer);
  }

  #hear(datagram: Uint8Array, address: string): void {
    const { system, state } = this.#options;
    const { homes, place } = state();
    // By its number first: one that never stops talking is looked for as often.
    const said = Number(address.slice(address.lastIndexOf('.') + 1));
    const home = homes.find(({ host }) => host === said);
    if (!home || tunnelAddress(place.identity, home.host) !== address) return;
    const slotBytes = slotBytesOf(state(), home.host);
    this.#greetings.receive(home, address, datagram, slotBytes, system.clock.monotonicMs());
  }

  #send(datagram: Uint8Array, address: string): void {
    this.#socket?.sendTo(datagram, address, CONTROL_PORT); // lost: the home asks again
  }
}
