// The event loop: timers, then what descriptors have, then what was put off, each followed by what promises make of it.
import * as machine from 'quickjs:machine';
import { now } from 'quickjs:os';
import { everyShared } from '../../../core/pacing/shared-moments.ts';
import type { Cancel, Timers } from '../system.ts';

/** As poll(2) has them. */
const READABLE = 1;
const WRITABLE = 4;
/** A struct pollfd: the descriptor, what is awaited, what there is. */
const POLL_BYTES = 8;

interface Watched {
  fd: number;
  /** Whether the program goes on for it alone. */
  isLasting: boolean;
  onReadable: (() => void) | null;
  onWritable: (() => void) | null;
}

interface Timer {
  /** In whole milliseconds, as Node.js has them: whoever computes a pause counts on that. */
  dueMs: number;
  work: () => void;
}

/** Where this process waits, once for all that it waits for. */
export class Loop {
  readonly #watched = new Map<number, Watched>();
  /** Of {@link #watched}, in the order in which they stand in {@link #polls}; null where it is to be made anew. */
  #order: Watched[] | null = null;
  #polls = new Uint8Array(0);
  /** Soonest last. */
  readonly #timers: Timer[] = [];
  #soon: (() => void)[] = [];

  readonly timers: Timers = {
    after: (delayMs, work) => this.#after(delayMs, work),
    every: (periodMs, work) => everyShared(this.timers.after, now, periodMs, work),
    soon: (work) => this.soon(work),
    oversleep: (delayMs) => {
      const fromMs = now();
      machine.wait(new Uint8Array(POLL_BYTES), 0, delayMs);
      return now() - fromMs - delayMs;
    },
  };

  /** Once what has arrived already was handled. */
  soon(work: () => void): void {
    this.#soon.push(work);
  }

  /** Calls back as long as the descriptor has something to read, or has ended; null ends it. */
  onReadable(fd: number, work: (() => void) | null): void {
    this.#watch(fd).onReadable = work;
    this.#tidy(fd);
  }

  /** Calls back as long as the descriptor takes something; null ends it. */
  onWritable(fd: number, work: (() => void) | null): void {
    this.#watch(fd).onWritable = work;
    this.#tidy(fd);
  }

  /** Without anything else that can happen, the program ends in spite of it. */
  release(fd: number): void {
    this.#watch(fd).isLasting = false;
  }

  /** To be called before a descriptor is closed. */
  forget(fd: number): void {
    const watched = this.#watched.get(fd);
    if (!watched) return;
    watched.onReadable = null;
    watched.onWritable = null;
    this.#tidy(fd);
  }

  /** Returns once nothing can happen any more. */
  run(): void {
    machine.runJobs();
    for (;;) {
      this.#fireTimers();
      const isIdle = this.#soon.length === 0 && this.#timers.length === 0;
      if (isIdle && ![...this.#watched.values()].some(({ isLasting }) => isLasting)) return;
      this.#poll();
      const put = this.#soon;
      this.#soon = [];
      for (const work of put) this.#call(work);
    }
  }

  #call(work: () => void): void {
    work();
    machine.runJobs();
  }

  #after(delayMs: number, work: () => void): Cancel {
    const timer = { dueMs: Math.floor(now()) + Math.max(1, Math.ceil(delayMs)), work };
    let at = this.#timers.length;
    while (at > 0 && this.#timers[at - 1]!.dueMs <= timer.dueMs) at--;
    this.#timers.splice(at, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  #fireTimers(): void {
    const untilMs = now();
    for (;;) {
      const next = this.#timers.at(-1);
      if (!next || next.dueMs > untilMs) return;
      this.#timers.pop();
      this.#call(next.work);
    }
  }

  #pauseMs(): number {
    if (this.#soon.length > 0) return 0;
    const next = this.#timers.at(-1);
    return next ? Math.max(0, next.dueMs - now()) : -1;
  }

  #poll(): void {
    const order = this.#prepared();
    if (machine.wait(this.#polls, order.length, this.#pauseMs()) <= 0) return;
    const events = new Int16Array(this.#polls.buffer);
    // Taken down before anybody is called, who may have it made anew.
    const ready = order.flatMap((watched, index) => {
      const found = events[index * 4 + 3]!;
      return found === 0 ? [] : [{ watched, found }];
    });
    for (const { watched, found } of ready) {
      if (found & ~WRITABLE && watched.onReadable) this.#call(watched.onReadable);
      if (found & ~READABLE && watched.onWritable) this.#call(watched.onWritable);
    }
  }

  #prepared(): Watched[] {
    if (this.#order) return this.#order;
    this.#order = [...this.#watched.values()];
    this.#polls = new Uint8Array(this.#order.length * POLL_BYTES);
    const fds = new Int32Array(this.#polls.buffer);
    const events = new Int16Array(this.#polls.buffer);
    for (const [index, { fd, onReadable, onWritable }] of this.#order.entries()) {
      fds[index * 2] = fd;
      events[index * 4 + 2] = (onReadable ? READABLE : 0) | (onWritable ? WRITABLE : 0);
    }
    return this.#order;
  }

  #watch(fd: number): Watched {
    const watched = this.#watched.get(fd) ?? {
      ...{ fd, isLasting: true, onReadable: null, onWritable: null },
    };
    this.#watched.set(fd, watched);
    this.#order = null;
    return watched;
  }

  #tidy(fd: number): void {
    const watched = this.#watched.get(fd);
    if (watched && !watched.onReadable && !watched.onWritable) this.#watched.delete(fd);
    this.#order = null;
  }
}

/** This process's. */
export const loop = new Loop();
