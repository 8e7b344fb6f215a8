// Hands spacers to the clock behind OpenVPN: datagrams to nobody, as long as the intervals they are.
import { SLOT_UNITS, SPACER_PORT, spacerAddress, spacerBytes } from '../../core/plan/spacers.ts';
import type { System, UdpSocket } from '../system/system.ts';
import { chargedBytes, MOST_BYTES, openBuffered } from './buffered-sockets.ts';

const LONGEST_UNITS = 3 * SLOT_UNITS;
const LOOPBACK = '127.0.0.1';
/** The kernel lets who has filled a send buffer go on once half of it is free: it must never be full. */
const ROOM = 2;
/** What all are cut from. */
const NOTHING = new Uint8Array(spacerBytes(LONGEST_UNITS));

/** Those of one stream. */
export class Spacers {
  #sockets: UdpSocket[] = [];
  #next = 0;
  #isClosed = false;

  /** @param most that ever stand at once. */
  async open(system: Pick<System, 'sockets'>, minor: number, most: number): Promise<void> {
    const end = {
      local: { address: LOOPBACK, port: 0 },
      peer: { address: spacerAddress(minor), port: SPACER_PORT },
    };
    const each = chargedBytes(spacerBytes(2 * SLOT_UNITS));
    const { sockets } = await openBuffered(system, end, ROOM * most, each);
    // The last is as large as the others, which have no more to hold.
    for (const socket of sockets) socket.setSendBuffer(MOST_BYTES);
    if (this.#isClosed) for (const socket of sockets) socket.close();
    else this.#sockets = sockets;
  }

  /** In turn by each socket: which of them comes first is all the same. */
  send(units: readonly number[]): void {
    for (const each of units) {
      const socket = this.#sockets[this.#next++ % this.#sockets.length];
      socket?.send(NOTHING.subarray(0, spacerBytes(Math.min(each, LONGEST_UNITS))));
    }
  }

  /** What stands stays. */
  close(): void {
    this.#isClosed = true;
    for (const socket of this.#sockets) socket.close();
    this.#sockets = [];
  }
}
