// A socket to the kernel's nf_tables, held by one socat: what a look asks every second starts no command.
import {
  join,
  type NetlinkMessage,
  NLMSG_DONE,
  NLMSG_ERROR,
  readError,
  readMessages,
} from '../../../core/netlink/netlink.ts';
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
import { Serial } from '../../system/serial.ts';
import type { Cancel, Child, System } from '../../system/system.ts';

/** AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER; the kernel's own address. A dump comes in pieces as large as what is read at once. */
const ARGV = ['socat', '-b', '65536', '-', 'SOCKET-SENDTO:16:3:12:x00000000000000000000'];
const ANSWER_MS = 2000;
/** One that ended, as where socat has no such sockets, is not started again sooner. */
const AGAIN_MS = 30_000;

/** What the table holds that changes by itself. */
export interface Glance {
  generation: number;
  counters: Map<string, number>;
  sets: Map<string, SetElement[]>;
}

interface Waiting {
  sequence: number;
  /** What the last message of the answer is. */
  isLast: (message: NetlinkMessage) => boolean;
  messages: NetlinkMessage[];
  settle: (messages: NetlinkMessage[] | null) => void;
}

/** Asks one thing after the other; null is what is not answered. */
export class NftSocket {
  readonly #system: Pick<System, 'clock' | 'processes' | 'timers'>;
  readonly #serial = new Serial();
  #child: Child | null = null;
  #endedMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #rest = new Uint8Array();
  #sequence = 0;
  #waiting: Waiting | null = null;
  #cancelLimit: Cancel = () => {};

  constructor(system: Pick<System, 'clock' | 'processes' | 'timers'>) {
    this.#system = system;
  }

  /** The generation of all rules of this machine. */
  generation(): Promise<number | null> {
    return this.#serial.run(() => this.#askGeneration());
  }

  /** Lets elements of the set `alive` go on, and reads counters and sets of our table. */
  glance(
    alive: readonly string[],
    sets: Readonly<Record<string, ElementType>>,
  ): Promise<Glance | null> {
    return this.#serial.run(() => this.#glance(alive, sets));
  }

  /** Ends socat; nothing is asked any more until {@link NftSocket.open}. */
  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  open(): void {
    this.#isClosed = false;
  }

  async #glance(
    alive: readonly string[],
    wanted: Readonly<Record<string, ElementType>>,
  ): Promise<Glance | null> {
    if (alive.length > 0 && !(await this.#renew(alive))) return null;
    const generation = await this.#askGeneration();
    if (generation === null) return null;
    const counted = await this.#dump((sequence) => askCounters(sequence, TABLE));
    if (!counted) return null;
    const sets = new Map<string, SetElement[]>();
    for (const [set, type] of Object.entries(wanted)) {
      const found = await this.#dump((sequence) => askElements(sequence, TABLE, set));
      if (!found) return null;
      sets.set(set, readElements(found, type));
    }
    return { generation, counters: readCounters(counted), sets };
  }

  async #renew(alive: readonly string[]): Promise<boolean> {
    const answer = await this.#exchange(
      (sequence) => renewElements(sequence, TABLE, 'alive', alive, ALIVE_SECONDS * 1000),
      ({ type }) => type === NLMSG_ERROR,
    );
    return answer?.every(({ payload }) => readError(payload) === 0) ?? false;
  }

  async #askGeneration(): Promise<number | null> {
    const answer = await this.#exchange(askGeneration, () => true);
    return answer && readGeneration(answer);
  }

  async #dump(ask: (sequence: number) => Uint8Array): Promise<NetlinkMessage[] | null> {
    const isEnd = ({ type }: NetlinkMessage): boolean =>
      type === NLMSG_DONE || type === NLMSG_ERROR;
    const answer = await this.#exchange(ask, isEnd);
    const end = answer?.at(-1);
    return answer && end?.type === NLMSG_DONE && readError(end.payload) === 0 ? answer : null;
  }

  #exchange(
    ask: (sequence: number) => Uint8Array,
    isLast: (message: NetlinkMessage) => boolean,
  ): Promise<NetlinkMessage[] | null> {
    const child = this.#start();
    if (!child) return Promise.resolve(null);
    return new Promise((settle) => {
      const sequence = ++this.#sequence;
      this.#waiting = { sequence, isLast, messages: [], settle };
      // What comes after that would be taken for the answer to something else.
      this.#cancelLimit = this.#system.timers.after(ANSWER_MS, () => this.#end());
      child.write(ask(sequence));
    });
  }

  #start(): Child | null {
    const { clock, processes } = this.#system;
    if (this.#child || this.#isClosed) return this.#child;
    if (clock.monotonicMs() - this.#endedMs < AGAIN_MS) return null;
    const child: Child = processes.spawn(ARGV, {
      onOutput: (piece) => {
        if (child === this.#child) this.#hear(piece);
      },
      onExit: () => {
        if (child === this.#child) this.#end();
      },
    });
    this.#child = child;
    return child;
  }

  #hear(piece: Uint8Array): void {
    try {
      const { messages, rest } = readMessages(join([this.#rest, piece]));
      this.#rest = Uint8Array.from(rest);
      for (const message of messages) this.#take(message);
    } catch {
      this.#end();
    }
  }

  #take(message: NetlinkMessage): void {
    const waiting = this.#waiting;
    // What is left of an answer that was a refusal.
    if (!waiting || message.sequence !== waiting.sequence) return;
    waiting.messages.push(message);
    if (waiting.isLast(message)) this.#settle(waiting.messages);
  }

  #settle(messages: NetlinkMessage[] | null): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#cancelLimit();
    waiting?.settle(messages);
  }

  #end(): void {
    const child = this.#child;
    this.#child = null;
    this.#rest = new Uint8Array();
    if (child) {
      this.#endedMs = this.#system.clock.monotonicMs();
      child.kill('SIGKILL');
    }
    this.#settle(null);
  }
}
