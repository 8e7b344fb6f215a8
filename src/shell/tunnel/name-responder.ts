// Answers queries for names of the house that are brought to the router itself, while the tunnel does not take them.
import { NAMES_PORT } from '../../core/plan/names.ts';
import type { System, UdpSocket } from '../system/system.ts';

/** Rules bring queries here by IPv4 alone, and nothing else. */
const EVERYWHERE = '0.0.0.0';

export class NameResponder {
  readonly #system: Pick<System, 'sockets'>;
  readonly #answer: (query: Uint8Array) => Uint8Array | null;
  #socket: UdpSocket | null = null;
  #isWanted = false;

  /** @param answer the message that answers this one; null for one that gets none. */
  constructor(system: Pick<System, 'sockets'>, answer: (query: Uint8Array) => Uint8Array | null) {
    this.#system = system;
    this.#answer = answer;
  }

  /** Listens, unless it does so already; what can't be had now is tried for with the next call. */
  async open(): Promise<void> {
    if (this.#isWanted) return;
    this.#isWanted = true;
    const options = {
      local: { address: EVERYWHERE, port: NAMES_PORT },
      onMessage: (query: Uint8Array, from: { address: string; port: number }) => {
        const answer = this.#answer(query);
        if (answer) this.#socket?.sendTo(answer, from.address, from.port);
      },
    };
    const socket = await this.#system.sockets.openUdp(options).catch(() => null);
    if (socket && !this.#isWanted) socket.close();
    else this.#socket = socket;
    this.#isWanted = this.#socket !== null;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = null;
    this.#isWanted = false;
  }
}
