// The main thread's hold on the shaping thread.
import { type Notice, notice } from '../../core/notices/notice.ts';
import type { System, Thread } from '../system/system.ts';
import {
  type FromShaper,
  SHAPER_ROLE,
  type ShapedStream,
  type ShaperReport,
  type ToShaper,
} from './messages.ts';
import { SHAPER_THREAD_URL } from './thread-entry.ts';

export interface ShaperOptions {
  system: System;
  onReport: (report: ShaperReport) => void;
  /** `minor` 0 stands for all streams. */
  onFault: (minor: number, fault: Notice) => void;
}

/** Starts the shaping thread with the first streams and ends it with {@link Shaper.stop}. */
export class Shaper {
  readonly #options: ShaperOptions;
  #thread: Thread | null = null;
  /** Called once the thread that is to stop has ended. */
  #onStopped: (() => void) | null = null;
  #streams: readonly ShapedStream[] = [];
  #lastId = 0;
  readonly #waiting = new Map<number, () => void>();
  /** The newest report that was not handed on yet. */
  #report: ShaperReport | null = null;

  constructor(options: ShaperOptions) {
    this.#options = options;
  }

  /** Paces and covers exactly these streams from now on; resolves when they stand. */
  apply(streams: readonly ShapedStream[], fresh: boolean): Promise<void> {
    this.#streams = streams;
    const thread = this.#thread ?? this.#start();
    const id = ++this.#lastId;
    const applied = new Promise<void>((resolve) => this.#waiting.set(id, resolve));
    thread.post({ kind: 'streams', id, streams: [...streams], fresh } satisfies ToShaper);
    return applied;
  }

  /** Stops cover, so that none leaves while its class is made again: of these streams, or of all. */
  async pause(minors: readonly number[] | null = null): Promise<void> {
    const others = this.#streams.filter(({ minor }) => minors && !minors.includes(minor));
    if (this.#thread) await this.apply(others, false);
  }

  async stop(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    if (!thread) return;
    const stopped = new Promise<void>((resolve) => {
      this.#onStopped = resolve;
    });
    thread.post({ kind: 'stop' } satisfies ToShaper);
    await stopped;
  }

  #start(): Thread {
    const { system, onFault } = this.#options;
    const thread = system.startThread(
      { address: SHAPER_THREAD_URL.href, role: SHAPER_ROLE },
      {
        onMessage: (message) => this.#receive(message as FromShaper),
        onError: (error) => onFault(0, notice('shaping-thread-failed', { error })),
        onEnd: () => this.#onEnd(thread),
      },
    );
    this.#thread = thread;
    return thread;
  }

  #receive(message: FromShaper): void {
    if (message.kind === 'report') this.#keep(message);
    else if (message.kind === 'applied') this.#settle(message.id);
    else this.#options.onFault(message.minor, message.fault);
  }

  /** Of reports that come at once, as after this thread was held up, the last one says all that the others do. */
  #keep(report: ShaperReport): void {
    const isFirst = this.#report === null;
    this.#report = report;
    if (!isFirst) return;
    this.#options.system.timers.soon(() => {
      const newest = this.#report;
      this.#report = null;
      if (newest) this.#options.onReport(newest);
    });
  }

  #onEnd(thread: Thread): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id);
    if (this.#thread === thread) {
      this.#thread = null;
      this.#options.onFault(0, notice('shaping-thread-ended'));
    }
    this.#onStopped?.();
    this.#onStopped = null;
  }

  #settle(id: number): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }
}
