// A netlink socket to the kernel, held by one socat: what is asked or told often starts no command.
import {
  join,
  type NetlinkMessage,
  NLMSG_DONE,
  NLMSG_ERROR,
  readError,
  readMessages,
} from '../../../core/netlink/netlink.ts';
import { Serial } from '../../system/serial.ts';
import type { Cancel, Child, ChildEnd, System } from '../../system/system.ts';

/** AF_NETLINK, SOCK_RAW; the kernel's own address. A dump comes in pieces as large as what is read at once. */
function argvOf(protocol: number): string[] {
  return ['socat', '-b', '65536', '-', `SOCKET-SENDTO:16:3:${protocol}:x00000000000000000000`];
}
const ANSWER_MS = 2000;
/** One that ended sooner after its start, as where socat has no such sockets, is not started again at once. */
const GOOD_RUN_MS = 1000;
const AGAIN_MS = 30_000;

export interface NetlinkOptions {
  /** NETLINK_ROUTE is 0. */
  protocol: number;
  /** It can't be had, and is not tried again for a while. */
  onFailed?: (why: string) => void;
}

interface Waiting {
  sequence: number;
  /** What the last message of the answer is. */
  isLast: (message: NetlinkMessage) => boolean;
  messages: NetlinkMessage[];
  settle: (messages: NetlinkMessage[] | null) => void;
}

/** Started with the first that is asked or told. */
export class NetlinkSocket {
  readonly #system: Pick<System, 'clock' | 'processes' | 'timers'>;
  readonly #options: NetlinkOptions;
  readonly #serial = new Serial();
  #child: Child | null = null;
  #startedMs = 0;
  #againMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #rest = new Uint8Array();
  #printed = '';
  #sequence = 0;
  #waiting: Waiting | null = null;
  #cancelLimit: Cancel = () => {};

  constructor(system: Pick<System, 'clock' | 'processes' | 'timers'>, options: NetlinkOptions) {
    this.#system = system;
    this.#options = options;
  }

  /** Ends socat; nothing is asked or told any more until {@link NetlinkSocket.open}. */
  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  /** Starts at the next question, whatever has become of it before. */
  open(): void {
    this.#isClosed = false;
    this.#againMs = Number.NEGATIVE_INFINITY;
  }

  /** Tells the kernel something that it does not answer, unless it refuses it. */
  tell(messages: Uint8Array): void {
    this.#start()?.write(messages);
  }

  /** Asks for what has many messages; null where it is refused, or not answered. */
  async dump(ask: (sequence: number) => Uint8Array): Promise<NetlinkMessage[] | null> {
    const isEnd = ({ type }: NetlinkMessage): boolean =>
      type === NLMSG_DONE || type === NLMSG_ERROR;
    const answer = await this.exchange(ask, isEnd);
    const end = answer?.at(-1);
    return answer && end?.type === NLMSG_DONE && readError(end.payload) === 0 ? answer : null;
  }

  /** Asks one thing after the other; null is what is not answered. */
  exchange(
    ask: (sequence: number) => Uint8Array,
    isLast: (message: NetlinkMessage) => boolean,
  ): Promise<NetlinkMessage[] | null> {
    return this.#serial.run(() => this.#exchange(ask, isLast));
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
      this.#cancelLimit = this.#system.timers.after(ANSWER_MS, () => this.#lose(null));
      child.write(ask(sequence));
    });
  }

  #start(): Child | null {
    const { clock, processes } = this.#system;
    if (this.#child || this.#isClosed) return this.#child;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#againMs) return null;
    const child: Child = processes.spawn(argvOf(this.#options.protocol), {
      onOutput: (piece) => {
        if (child === this.#child) this.#hear(piece);
      },
      onErrorOutput: (piece) => {
        if (child === this.#child) this.#printed = new TextDecoder().decode(piece);
      },
      onExit: (end) => {
        if (child === this.#child) this.#lose(end);
      },
    });
    this.#startedMs = nowMs;
    this.#printed = '';
    this.#child = child;
    return child;
  }

  #hear(piece: Uint8Array): void {
    try {
      const { messages, rest } = readMessages(join([this.#rest, piece]));
      this.#rest = Uint8Array.from(rest);
      for (const message of messages) this.#take(message);
    } catch {
      this.#lose(null);
    }
  }

  #take(message: NetlinkMessage): void {
    const waiting = this.#waiting;
    // What is left of an answer that was a refusal, or a refusal of what nobody waits for.
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

  /** One that ran for a while is started again with what is asked or told next. */
  #lose(end: ChildEnd | null): void {
    const nowMs = this.#system.clock.monotonicMs();
    const isGood = nowMs - this.#startedMs >= GOOD_RUN_MS;
    if (!isGood) this.#againMs = nowMs + AGAIN_MS;
    this.#end();
    if (isGood) return;
    const why = end?.failure ?? this.#printed.trim();
    this.#options.onFailed?.(why === '' ? 'no answer' : why);
  }

  #end(): void {
    const child = this.#child;
    this.#child = null;
    this.#rest = new Uint8Array();
    child?.kill('SIGKILL');
    this.#settle(null);
  }
}
