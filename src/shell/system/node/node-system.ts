// The door to a real machine, by Node.js.
import { randomFillSync } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { everyShared } from '../../../core/pacing/shared-moments.ts';
import type { System, Timers } from '../system.ts';
import { nodeFiles } from './files.ts';
import { nodeProcesses } from './processes.ts';
import { nodeSockets } from './sockets.ts';

/** Bounds of a thread's memory: it keeps next to nothing. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

// One for all threads; performance.now() begins anew in each.
const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const after: Timers['after'] = (delayMs, work) => {
  const timer = setTimeout(work, delayMs);
  return () => clearTimeout(timer);
};

/** Nobody wakes who sleeps on it. */
const pillow = new Int32Array(new SharedArrayBuffer(4));

export const nodeSystem: System = {
  clock: { monotonicMs, unixMs: () => Date.now() },
  timers: {
    after,
    every: (periodMs, work) => everyShared(after, monotonicMs, periodMs, work),
    soon: (work) => void setImmediate(work),
    oversleep: (delayMs) => {
      const fromMs = monotonicMs();
      Atomics.wait(pillow, 0, 0, delayMs);
      return monotonicMs() - fromMs - delayMs;
    },
  },
  files: nodeFiles,
  sockets: nodeSockets,
  processes: nodeProcesses,
  randomBytes: (count) => randomFillSync(new Uint8Array(count)),
  startThread: ({ address, role }, { onMessage, onError, onEnd }) => {
    const worker = new Worker(new URL(address), {
      workerData: { role },
      resourceLimits: THREAD_LIMITS,
    });
    worker.on('message', onMessage);
    worker.on('error', (error) => onError((error as Error).message));
    worker.on('exit', onEnd);
    return { post: (message) => worker.postMessage(message) };
  },
};
