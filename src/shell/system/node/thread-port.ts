// A thread's own end of the door.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { ThreadPort } from '../system.ts';

/** The port to whoever started this thread; null where this is no thread, or one of another role. */
export function threadPort(role: string): ThreadPort | null {
  const port = parentPort;
  if (isMainThread || !port || workerData?.role !== role) return null;
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on('message', listener),
    close: () => port.close(),
  };
}
