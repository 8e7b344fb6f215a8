// A child process that is kept running: restarted with growing pauses, ended by TERM, then KILL.
import { type ChildProcess, spawn } from 'node:child_process';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { systemEnvironment } from './command.ts';

export interface ChildOptions {
  /** Made anew for every start, so that a restart takes what has changed. */
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

/** Keeps one command running until {@link SupervisedChild.stop}. */
export class SupervisedChild {
  readonly #options: ChildOptions;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
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
    if (!this.#child && !this.#timer) this.#spawn();
  }

  /** Ends the running child; it is started again at once with new arguments. */
  async restart(): Promise<void> {
    await this.stop();
    this.#pauseMs = this.#options.minPauseMs ?? 250;
    this.start();
  }

  /** Ends the command for good; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#wanted = false;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const kill = setTimeout(() => child.kill('SIGKILL'), this.#options.graceMs ?? 3000);
      child.once('close', () => {
        clearTimeout(kill);
        resolve();
      });
      child.kill('SIGTERM');
    });
  }

  #spawn(): void {
    const argv = this.#options.argv();
    const startedMs = performance.now();
    const child = spawn(argv[0]!, argv.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: systemEnvironment(),
    });
    this.#child = child;
    let failure: Notice | null = null;
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop()!.slice(-4096);
        for (const line of lines) this.#options.onLine?.(line);
      });
    }
    child.on('error', (error) => {
      failure = notice('unexpected-error', { error: error.message });
    });
    child.on('close', (status, signal) => {
      this.#child = null;
      if (!this.#wanted) return;
      if (performance.now() - startedMs > GOOD_RUN_MS)
        this.#pauseMs = this.#options.minPauseMs ?? 250;
      const ended = signal
        ? notice('process-signalled', { signal })
        : notice('process-exit-status', { status: `${status}` });
      this.#options.onExit?.(failure ?? ended);
      this.#timer = setTimeout(() => {
        this.#timer = null;
        if (this.#wanted) this.#spawn();
      }, this.#pauseMs);
      this.#pauseMs = Math.min(this.#pauseMs * 2, this.#options.maxPauseMs ?? 30_000);
    });
    this.#options.onStart?.();
  }
}
