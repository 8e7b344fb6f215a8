// The main thread's hold on the shaping thread.
import { Worker } from 'node:worker_threads';
import { type Notice, notice } from '../../core/notices/notice.ts';
import type { FromShaper, ShapedStream, ShaperReport, ToShaper } from './messages.ts';
import { SHAPER_ROLE, SHAPER_THREAD_URL } from './thread.ts';

export interface ShaperOptions {
  onReport: (report: ShaperReport) => void;
  /** `minor` 0 stands for all streams. */
  onFault: (minor: number, fault: Notice) => void;
}

/** Starts the shaping thread with the first streams and ends it with {@link Shaper.stop}. */
export class Shaper {
  readonly #options: ShaperOptions;
  #worker: Worker | null = null;
  #lastId = 0;
  readonly #waiting = new Map<number, () => void>();

  constructor(options: ShaperOptions) {
    this.#options = options;
  }

  /** Paces and covers exactly these streams from now on; resolves when they stand. */
  apply(streams: ShapedStream[], fresh: boolean): Promise<void> {
    const worker = this.#worker ?? this.#start();
    const id = ++this.#lastId;
    const applied = new Promise<void>((resolve) => this.#waiting.set(id, resolve));
    worker.postMessage({ kind: 'streams', id, streams, fresh } satisfies ToShaper);
    return applied;
  }

  /** Stops all cover, so that none leaves while the queue is made anew. */
  async pause(): Promise<void> {
    if (this.#worker) await this.apply([], false);
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    if (!worker) return;
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage({ kind: 'stop' } satisfies ToShaper);
    await gone;
  }

  #start(): Worker {
    const worker = new Worker(SHAPER_THREAD_URL, {
      workerData: { role: SHAPER_ROLE },
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    worker.on('message', (message: FromShaper) => {
      if (message.kind === 'report') this.#options.onReport(message);
      else if (message.kind === 'applied') this.#settle(message.id);
      else this.#options.onFault(message.minor, message.fault);
    });
    worker.on('error', (error) =>
      this.#options.onFault(0, notice('shaping-thread-failed', { error: error.message })),
    );
    worker.on('exit', () => {
      for (const id of [...this.#waiting.keys()]) this.#settle(id);
      if (this.#worker === worker) {
        this.#worker = null;
        this.#options.onFault(0, notice('shaping-thread-ended'));
      }
    });
    this.#worker = worker;
    return worker;
  }

  #settle(id: number): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }
}
