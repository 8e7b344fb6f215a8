// A unix socket on which the command line asks the running service: one JSON line each way.
import { notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { Log } from '../system/log.ts';
import { type Connection, type Listener, type System, SystemError } from '../system/system.ts';

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
export async function serveLocalApi(
  { files, sockets }: Pick<System, 'files' | 'sockets'>,
  path: string,
  methods: Methods,
): Promise<Listener> {
  await files.remove(path);
  const listener = await sockets.listen(path, (connection) => serve(connection, methods));
  try {
    await files.setMode(path, 0o600);
  } catch (error) {
    await listener.close();
    throw error;
  }
  return listener;
}

/** The home's own, which goes without where it can't be had: devices are guarded whether commands can ask about it or not. */
export class LocalApi {
  readonly #listen: () => Promise<Listener>;
  readonly #log: Log;
  #listener: Listener | null = null;
  #isOpening = false;

  constructor(system: Pick<System, 'files' | 'sockets'>, path: string, methods: Methods, log: Log) {
    this.#listen = () => serveLocalApi(system, path, methods);
    this.#log = log;
  }

  /** Listens, unless it does already. */
  async open(): Promise<void> {
    if (this.#listener || this.#isOpening) return;
    this.#isOpening = true;
    try {
      this.#listener = await this.#listen();
    } catch (error) {
      const { message } = error as Error;
      this.#log('warning', wordsOf(notice('commands-unheard', { error: message })));
    }
    this.#isOpening = false;
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    this.#listener = null;
  }
}

function serve(connection: Connection, methods: Methods): void {
  const decoder = new TextDecoder();
  let text = '';
  connection.onData((piece) => {
    text += decoder.decode(piece, { stream: true });
    const end = text.indexOf('\n');
    if (end < 0) {
      if (text.length > MAX_BYTES) connection.close();
      return;
    }
    void answer(text.slice(0, end), methods).then((reply) => {
      connection.write(`${JSON.stringify(reply)}\n`);
      connection.end();
    });
    text = '';
  });
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

  constructor() {
    super(
      'iotshaper is not running, so your devices are not protected; start it with: /etc/init.d/iotshaper start',
    );
  }
}

/**
 * Asks the service that listens on `path`.
 *
 * @throws {NotRunningError} when nobody answers; Error with the service's own words when it refuses.
 */
export async function askLocalApi(
  system: Pick<System, 'sockets' | 'timers'>,
  path: string,
  request: { method: string; [key: string]: unknown },
  timeoutMs = TIMEOUT_MS,
): Promise<unknown> {
  const connection = await connect(system, path);
  const cancelTimeout = system.timers.after(timeoutMs, () => connection.close());
  const text = await new Promise<string>((resolve) => {
    const decoder = new TextDecoder();
    let said = '';
    connection.onData((piece) => {
      said += decoder.decode(piece, { stream: true });
    });
    connection.onClose(() => resolve(said));
    connection.write(`${JSON.stringify(request)}\n`);
  });
  cancelTimeout();
  if (!text.endsWith('\n')) throw new NotRunningError(); // it ended half-way
  const reply = JSON.parse(text) as Answer;
  if (!reply.ok) throw new Error(reply.error);
  return reply.result;
}

async function connect({ sockets }: Pick<System, 'sockets'>, path: string): Promise<Connection> {
  try {
    return await sockets.connect(path);
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EACCES') {
      throw new Error(`${path}: permission denied; run as root`);
    }
    throw new NotRunningError();
  }
}
