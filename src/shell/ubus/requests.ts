// Requests that wait for ubusd's answer: matched by sequence and peer, timed, bounded.

import type { Cancel, Timers } from '../system/system.ts';
import type { Attributes } from './attributes.ts';
import { messageType } from './frame.ts';
import { statusName, UbusError } from './status.ts';

const maxPending = 1024;
/** All data messages of one answer together: `ubus list -v` of a large router is some 100 kB. */
const maxReplyBytes = 4 * 1_048_576;

interface Pending {
  what: string;
  peer: number;
  replies: Attributes[];
  replyBytes: number;
  onReply: ((reply: Attributes) => void) | undefined;
  cancelTimeout: Cancel;
  settle(error: Error | null): void;
}

export interface Request {
  seq: number;
  /** The data messages of the answer once its status came. @throws UbusError */
  answer: Promise<Attributes[]>;
}

export class RequestTable {
  readonly #timers: Timers;
  #pending = new Map<number, Pending>();
  #lastSeq = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get size(): number {
    return this.#pending.size;
  }

  /**
   * Takes a free sequence number and waits for the answer to it.
   *
   * @param what the request in words, for errors
   * @param onReply sees each data message before the next message of the stream is looked at
   * @throws UbusError NO_MEMORY when too many wait already
   */
  start(
    what: string,
    peer: number,
    timeoutMs: number,
    onReply?: (reply: Attributes) => void,
  ): Request {
    if (this.#pending.size >= maxPending) throw new UbusError('NO_MEMORY', what);
    do this.#lastSeq = (this.#lastSeq + 1) & 0xffff;
    while (this.#lastSeq === 0 || this.#pending.has(this.#lastSeq));
    const seq = this.#lastSeq;
    const answer = new Promise<Attributes[]>((resolve, reject) => {
      const replies: Attributes[] = [];
      const settle = (error: Error | null) => {
        pending.cancelTimeout();
        this.#pending.delete(seq);
        if (error) reject(error);
        else resolve(replies);
      };
      const pending: Pending = {
        what,
        peer,
        replies,
        replyBytes: 0,
        onReply,
        cancelTimeout: this.#timers.after(timeoutMs, () => settle(new UbusError('TIMEOUT', what))),
        settle,
      };
      this.#pending.set(seq, pending);
    });
    return { seq, answer };
  }

  /** Takes a status or data message; one that answers nothing we wait for is passed over. */
  take(frame: { type: number; seq: number; peer: number; body: Buffer }, attributes: Attributes) {
    const pending = this.#find(frame);
    if (!pending) return;
    if (frame.type === messageType.data) {
      pending.replyBytes += frame.body.length;
      if (pending.replyBytes > maxReplyBytes) {
        pending.settle(new UbusError('NO_MEMORY', pending.what));
        return;
      }
      pending.replies.push(attributes);
      pending.onReply?.(attributes);
      return;
    }
    const status = statusName(attributes.status ?? -1);
    pending.settle(status === 'OK' ? null : new UbusError(status, pending.what));
  }

  /** Ends the request whose answer could not be read. */
  refuse(frame: { seq: number; peer: number }, reason: string): void {
    const pending = this.#find(frame);
    pending?.settle(new UbusError('PARSE_ERROR', `${pending.what}: ${reason}`));
  }

  failAll(reason: string): void {
    for (const pending of [...this.#pending.values()]) {
      pending.settle(new UbusError('CONNECTION_FAILED', `${pending.what}: ${reason}`));
    }
  }

  #find({ seq, peer }: { seq: number; peer: number }): Pending | undefined {
    const pending = this.#pending.get(seq);
    return pending?.peer === peer ? pending : undefined;
  }
}
