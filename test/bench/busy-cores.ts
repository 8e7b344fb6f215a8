// Other work on all of a machine's cores, for programs that measure what it does to a stream.
import { cpus } from 'node:os';
import { Worker } from 'node:worker_threads';

/** The cores are busy for so long, then idle for as long. */
export const BUSY_MS = 2000;

/** Keeps a core busy for {@link BUSY_MS} in twice as long. */
const LOOP = `
  const busyMs = ${BUSY_MS};
  for (;;) {
    while (Date.now() % (2 * busyMs) < busyMs);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * busyMs - (Date.now() % (2 * busyMs)));
  }`;

/** Starts a loop for each core. @returns ends them */
export function keepCoresBusy(): () => Promise<unknown> {
  const workers = cpus().map(() => new Worker(LOOP, { eval: true }));
  return () => Promise.all(workers.map((worker) => worker.terminate()));
}
