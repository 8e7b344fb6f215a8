// What the kernel's nf_tables is asked every second, by a socket of its own.
import { NLMSG_ERROR, readError } from '../../../core/netlink/netlink.ts';
import {
  askCounters,
  askElements,
  askGeneration,
  type ElementType,
  readCounters,
  readElements,
  readGeneration,
  renewElements,
  type SetElement,
} from '../../../core/netlink/nft-messages.ts';
import { ALIVE_SECONDS, TABLE } from '../../../core/plan/names.ts';
import type { System } from '../../system/system.ts';
import { NetlinkSocket } from './netlink-socket.ts';

const NETLINK_NETFILTER = 12;

/** What the table holds that changes by itself. */
export interface Glance {
  generation: number;
  counters: Map<string, number>;
  sets: Map<string, SetElement[]>;
}

/** Asks one thing after the other; null is what is not answered. */
export class NftSocket {
  readonly #socket: NetlinkSocket;

  constructor(system: Pick<System, 'clock' | 'processes' | 'timers'>) {
    this.#socket = new NetlinkSocket(system, { protocol: NETLINK_NETFILTER });
  }

  /** The generation of all rules of this machine. */
  async generation(): Promise<number | null> {
    const answer = await this.#socket.exchange(askGeneration, () => true);
    return answer && readGeneration(answer);
  }

  /** Lets elements of the set `alive` go on, and reads counters and sets of our table. */
  async glance(
    alive: readonly string[],
    wanted: Readonly<Record<string, ElementType>>,
  ): Promise<Glance | null> {
    if (alive.length > 0 && !(await this.#renew(alive))) return null;
    const generation = await this.generation();
    if (generation === null) return null;
    const counted = await this.#socket.dump((sequence) => askCounters(sequence, TABLE));
    if (!counted) return null;
    const sets = new Map<string, SetElement[]>();
    for (const [set, type] of Object.entries(wanted)) {
      const found = await this.#socket.dump((sequence) => askElements(sequence, TABLE, set));
      if (!found) return null;
      sets.set(set, readElements(found, type));
    }
    return { generation, counters: readCounters(counted), sets };
  }

  /** Nothing is asked any more until {@link NftSocket.open}. */
  close(): void {
    this.#socket.close();
  }

  open(): void {
    this.#socket.open();
  }

  async #renew(alive: readonly string[]): Promise<boolean> {
    const answer = await this.#socket.exchange(
      (sequence) => renewElements(sequence, TABLE, 'alive', alive, ALIVE_SECONDS * 1000),
      ({ type }) => type === NLMSG_ERROR,
    );
    return answer?.every(({ payload }) => readError(payload) === 0) ?? false;
  }
}
