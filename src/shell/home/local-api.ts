// A unix socket on which the command line asks the running service: one JSON line each way.
import { chmod, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';

/** Longest request or answer taken. */
const MAX_BYTES = 4 << 20;
const TIMEOUT_MS = 5000;

/** Answers requests by name; what a method throws is told to the caller as its message alone. */
export type Methods = Record<string, (request: Record<string, unknown>) => unknown>;

interface Answer {
  ok: boolean;
  result?: unknown;
  error?: string;
}

/** Listens on `path`, readable and writable by this user only. */
export async function serveLocalApi(path: string, methods: Methods): Promise<Server> {
  await rm(path, { force: true });
  const server = createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('error', () => {}); // the caller went away
    socket.on('data', (piece) => {
      text += String(piece);
      const end = text.indexOf('\n');
      if (end < 0) {
        if (text.length > MAX_BYTES) socket.destroy();
        return;
      }
      void answer(text.slice(0, end), methods).then((reply) =>
        socket.end(`${JSON.stringify(reply)}\n`),
      );
      text = '';
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return server;
}

async function answer(line: string, methods: Methods): Promise<Answer> {
  try {
    const request = asRecord(JSON.parse(line));
    const method = Object.hasOwn(methods, String(request.method))
      ? methods[String(request.method)]
      : undefined;
    if (!method) return { ok: false, error: `there is no method "${request.method}"` };
    return { ok: true, result: (await method(request)) ?? null };
  } catch (error) {
    return { ok: false, error: (error as Error).message };
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error('a request is a JSON object');
  return value as Record<string, unknown>;
}

/** The service is not running, or did not answer. */
export class NotRunningError extends Error {
  override name = 'NotRunningError';
}

/**
 * Asks the service that listens on `path`.
 *
 * @throws {NotRunningError} when nobody answers; Error with the service's own words when it refuses.
 */
export function askLocalApi(
  path: string,
  request: { method: string; [key: string]: unknown },
  timeoutMs = TIMEOUT_MS,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = createConnection(path);
    const gone = (): void => reject(new NotRunningError('iotshaper is not running'));
    socket.setTimeout(timeoutMs, () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (piece) => {
      text += String(piece);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES') reject(new Error(`${path}: permission denied; run as root`));
      else gone();
    });
    socket.on('close', () => {
      if (!text.endsWith('\n')) return gone(); // it ended half-way
      const reply = JSON.parse(text) as Answer;
      if (reply.ok) resolve(reply.result);
      else reject(new Error(reply.error));
    });
  });
}
