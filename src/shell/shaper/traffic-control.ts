// The kernel's traffic control, told and asked without tc: its queues stand already.

import { join } from '../../core/netlink/netlink.ts';
import { askClasses, askQdiscs, readClasses, readQdiscs } from '../../core/netlink/tc-messages.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { CLOCK_NETDEV, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import type { ListedClass, QueueListing, TcListing } from '../../core/plan/tc-listing.ts';
import { NetlinkSocket } from '../network/kernel/netlink-socket.ts';
import { netdevIndex } from '../network/netdev.ts';
import type { System } from '../system/system.ts';

const NETLINK_ROUTE = 0;
const NOTHING: QueueListing = { classes: [], qdiscs: [] };

/** Netdevs by their index; null where there is none. */
export interface ClockIndexes {
  tunnel: number | null;
  outer: number | null;
}

/** Says what it is told of to netdevs as {@link TrafficControl.find} found them last. */
export class TrafficControl {
  readonly #system: Pick<System, 'clock' | 'files' | 'processes' | 'timers'>;
  readonly #socket: NetlinkSocket;
  #indexes: ClockIndexes = { tunnel: null, outer: null };

  constructor(
    system: Pick<System, 'clock' | 'files' | 'processes' | 'timers'>,
    onFault: (fault: Notice) => void,
  ) {
    this.#system = system;
    this.#socket = new NetlinkSocket(system, {
      protocol: NETLINK_ROUTE,
      onFailed: (error) => onFault(notice('command-failed', { command: 'socat', error })),
    });
  }

  get indexes(): ClockIndexes {
    return this.#indexes;
  }

  /** Looks which netdevs there are now. */
  async find(): Promise<void> {
    const [tunnel, outer] = await Promise.all([
      netdevIndex(this.#system, TUNNEL_NETDEV),
      netdevIndex(this.#system, CLOCK_NETDEV),
    ]);
    this.#indexes = { tunnel, outer };
  }

  /** Starts again at once, whatever it has failed by before. */
  open(): void {
    this.#socket.open();
  }

  close(): void {
    this.#socket.close();
  }

  /** Has changes made, all in one go. */
  tell(changes: readonly Uint8Array[]): void {
    if (changes.length > 0) this.#socket.tell(join(changes));
  }

  /** Resolves once the kernel has done what it was told so far. */
  async settle(): Promise<void> {
    await this.listClock();
  }

  /** The classes of the clock behind OpenVPN; null where nothing is answered. */
  async listClock(): Promise<ListedClass[] | null> {
    const { outer } = this.#indexes;
    return outer === null ? null : this.#listClasses(outer);
  }

  /** All there is, with the clock's queue where there is to be one; null where nothing is answered. */
  async list(hasClock: boolean): Promise<TcListing | null> {
    await this.find();
    const { tunnel, outer } = this.#indexes;
    const clocks = hasClock && outer !== null ? await this.#listClasses(outer) : [];
    const classes = tunnel === null ? [] : await this.#listClasses(tunnel);
    const told = await this.#socket.dump(askQdiscs);
    if (!clocks || !classes || !told) return null;
    const listing = tunnel === null ? NOTHING : { classes, qdiscs: readQdiscs(told, tunnel) };
    if (!hasClock || outer === null) return listing;
    return { ...listing, clock: { classes: clocks, qdiscs: readQdiscs(told, outer) } };
  }

  async #listClasses(index: number): Promise<ListedClass[] | null> {
    const told = await this.#socket.dump((sequence) => askClasses(sequence, index));
    return told && readClasses(told);
  }
}
