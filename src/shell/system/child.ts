// A child process that is kept running: restarted with growing pauses, ended by TERM, then KILL.
import { type Notice, notice } from '../../core/notices/notice.ts';
import { lineReader } from './lines.ts';
import type { Cancel, Child, ChildEnd, System } from './system.ts';

export interface ChildOptions {
  system: System;
  /** Asked before every start, so that a restart takes what has changed. */
  argv: () => readonly string[];
  /** Called with each line the child prints on either stream. */
  onLine?: (line: string) => void;
  /** Called when a child has ended of its own accord; the restart follows by itself. */
  onExit?: (why: Notice) => void;
  onStart?: () => void;
  /** Pause before the first restart; doubles up to {@link ChildOptions.maxPauseMs} and starts over after a good minute. */
  minPauseMs?: number;
  maxPauseMs?: number;
  /** How long TERM may take before KILL. */
  graceMs?: number;
}

const GOOD_RUN_MS = 60_000;
/** What is kept of a line that never ends. */
const LONGEST_LINE = 4096;

/** Keeps one command running until {@link SupervisedChild.stop}. */
export class SupervisedChild {
  readonly #options: ChildOptions;
  #child: Child | null = null;
  /** Called once the running child has ended. */
  readonly #onEnd: (() => void)[] = [];
  #cancelRestart: Cancel | null = null;
  #pauseMs: number;
  #wanted = false;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#pauseMs = options.minPauseMs ?? 250;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the command; does nothing while it runs. */
  start(): void {
    this.#wanted = true;
    if (!this.#child && !this.#cancelRestart) this.#spawn();
  }

  /** Ends the running child; it is started again at once with new arguments. @param graceMs as {@link ChildOptions.graceMs} */
  async restart(graceMs?: number): Promise<void> {
    await this.stop(graceMs);
    this.#pauseMs = this.#options.minPauseMs ?? 250;
    this.start();
  }

  /** Ends the command for good; resolves when it is gone. */
  async stop(graceMs = this.#options.graceMs ?? 3000): Promise<void> {
    this.#wanted = false;
    this.#cancelRestart?.();
    this.#cancelRestart = null;
    const child = this.#child;
    if (!child) return;
    const { system } = this.#options;
    const ended = new Promise<void>((resolve) => this.#onEnd.push(resolve));
    const cancelKill = system.timers.after(graceMs, () => child.kill('SIGKILL'));
    child.kill('SIGTERM');
    await ended;
    cancelKill();
  }

  #spawn(): void {
    const { system, argv, onLine, onStart } = this.#options;
    const startedMs = system.clock.monotonicMs();
    const read = () => (onLine ? lineReader(onLine, LONGEST_LINE) : () => {});
    this.#child = system.processes.spawn(argv(), {
      onOutput: read(),
      onErrorOutput: read(),
      onExit: (end) => this.#onExit(end, system.clock.monotonicMs() - startedMs),
    });
    // Nothing is ever said to it.
    this.#child.endInput();
    onStart?.();
  }

  #onExit(end: ChildEnd, ranMs: number): void {
    const { system, onExit, minPauseMs = 250, maxPauseMs = 30_000 } = this.#options;
    this.#child = null;
    for (const resolve of this.#onEnd.splice(0)) resolve();
    if (!this.#wanted) return;
    if (ranMs > GOOD_RUN_MS) this.#pauseMs = minPauseMs;
    onExit?.(endNotice(end));
    this.#cancelRestart = system.timers.after(this.#pauseMs, () => {
      this.#cancelRestart = null;
      if (this.#wanted) this.#spawn();
    });
    this.#pauseMs = Math.min(this.#pauseMs * 2, maxPauseMs);
  }
}

/** How a child has ended, as a clause. */
function endNotice({ failure, signal, status }: ChildEnd): Notice {
  if (failure !== null) return notice('unexpected-error', { error: failure });
  if (signal !== null) return notice('process-signalled', { signal });
  return notice('process-exit-status', { status: `${status}` });
}
