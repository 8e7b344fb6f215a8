// Connections by sockets in the file system, and standard streams of children, which behave alike.
import * as machine from 'quickjs:machine';
import { close, remove } from 'quickjs:os';
import type { Connection, Listener, SystemError } from '../system.ts';
import { checked, systemError } from './errors.ts';
import { loop } from './loop.ts';

const space = new Uint8Array(1 << 16);

export async function connect(path: string): Promise<Connection> {
  return new Stream(checked(machine.unix(path, 0), path));
}

export async function listen(
  path: string,
  onConnection: (connection: Connection) => void,
): Promise<Listener> {
  const fd = checked(machine.unix(path, 1), path);
  const open = new Set<Stream>();
  loop.onReadable(fd, () => {
    const peer = machine.accept(fd);
    if (peer < 0) return;
    const stream = new Stream(peer);
    open.add(stream);
    stream.onClose(() => open.delete(stream));
    onConnection(stream);
  });
  return {
    close: async () => {
      loop.forget(fd);
      close(fd);
      if (!path.startsWith('\0')) remove(path);
      for (const stream of open) stream.close();
    },
  };
}

/** Reads what comes and writes what is taken, until either end has enough. */
export class Stream implements Connection {
  readonly #fd: number;
  readonly #waiting: Uint8Array[] = [];
  #queuedBytes = 0;
  #onData: (piece: Uint8Array) => void = () => {};
  readonly #onClose: ((error: SystemError | null) => void)[] = [];
  #isEnding = false;
  #isClosed = false;

  constructor(fd: number) {
    this.#fd = fd;
    loop.onReadable(fd, () => this.#read());
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  onData(listener: (piece: Uint8Array) => void): void {
    this.#onData = listener;
  }

  onClose(listener: (error: SystemError | null) => void): void {
    this.#onClose.push(listener);
  }

  write(content: string | Uint8Array): void {
    if (this.#isClosed || this.#isEnding) return;
    const bytes =
      typeof content === 'string' ? new Uint8Array(machine.encode(content)) : content.slice();
    if (bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#flush();
  }

  end(): void {
    this.#isEnding = true;
    if (this.#waiting.length === 0) this.close();
  }

  close(): void {
    this.#close(null);
  }

  #read(): void {
    const got = machine.read(this.#fd, space);
    if (got === -machine.EAGAIN) return;
    if (got < 0) this.#close(systemError(got, 'read'));
    else if (got === 0) {
      // What was written before is still sent.
      loop.onReadable(this.#fd, null);
      this.end();
    } else this.#onData(space.slice(0, got));
  }

  #flush(): void {
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      const taken = machine.write(this.#fd, first);
      if (taken === -machine.EAGAIN) {
        loop.onWritable(this.#fd, () => this.#flush());
        return;
      }
      if (taken < 0) {
        this.#close(systemError(taken, 'write'));
        return;
      }
      this.#queuedBytes -= taken;
      if (taken === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(taken);
    }
    if (this.#isEnding) this.close();
    else loop.onWritable(this.#fd, null);
  }

  #close(error: SystemError | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    loop.forget(this.#fd);
    close(this.#fd);
    this.#waiting.length = 0;
    this.#queuedBytes = 0;
    loop.soon(() => {
      for (const listener of this.#onClose) listener(error);
    });
  }
}
