// Sockets in the file system of the stand-in machine.
import { type Connection, type Listener, SystemError } from '../../../src/shell/system/system.ts';
import { type Door, refusal } from './door.ts';
import type { FilesModel } from './files-model.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Listeners by path, and both ends of every connection. */
export class UnixSockets {
  readonly #door: Door;
  readonly #files: FilesModel;
  readonly #time: VirtualTime;
  readonly #listeners = new Map<string, (connection: Connection) => void>();

  constructor(door: Door, files: FilesModel, time: VirtualTime) {
    this.#door = door;
    this.#files = files;
    this.#time = time;
  }

  listen(path: string, onConnection: (connection: Connection) => void): Promise<Listener> {
    const what = `listen ${path}`;
    return this.#door.pass(
      what,
      () => {
        this.#files.plantSocket(path);
        const open = new Set<End>();
        const accept = (connection: Connection): void => {
          open.add(connection as End);
          onConnection(connection);
        };
        this.#listeners.set(path, accept);
        return {
          close: async () => {
            if (this.#listeners.get(path) === accept) {
              this.#listeners.delete(path);
              if (this.#files.isSocket(path)) this.#files.remove(path);
            }
            for (const end of open) end.close();
          },
        };
      },
      () => refusal(what),
      0,
      (listener) => void listener.close(),
    );
  }

  connect(path: string): Promise<Connection> {
    const what = `connect ${path}`;
    return this.#door.pass(
      what,
      () => this.open(path),
      () => refusal(what),
    );
  }

  /** The same without the door, as others on the machine do. */
  open(path: string): Connection {
    const accept = this.#listeners.get(path);
    if (!this.#files.isSocket(path)) throw new SystemError('ENOENT', `connect ENOENT ${path}`);
    if (!accept) throw new SystemError('ECONNREFUSED', `connect ECONNREFUSED ${path}`);
    const [ours, theirs] = [new End(this.#time), new End(this.#time)];
    ours.far = theirs;
    theirs.far = ours;
    this.#time.timers.soon(() => accept(theirs));
    return ours;
  }

  print(): string {
    return [...this.#listeners.keys()].sort().join('\n');
  }
}

/** One end; what is written at the other comes in here. */
class End implements Connection {
  far!: End;
  readonly queuedBytes = 0;
  readonly #time: VirtualTime;
  #onData: ((piece: Uint8Array) => void) | null = null;
  #onClose: ((error: SystemError | null) => void) | null = null;
  #isOver = false;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  write(content: string | Uint8Array): void {
    const piece = typeof content === 'string' ? new TextEncoder().encode(content) : content.slice();
    const { far } = this;
    if (this.#isOver) return;
    this.#time.timers.soon(() => {
      if (!far.#isOver) far.#onData?.(piece);
    });
  }

  onData(listener: (piece: Uint8Array) => void): void {
    this.#onData = listener;
  }

  onClose(listener: (error: SystemError | null) => void): void {
    this.#onClose = listener;
  }

  end(): void {
    // After what was written before.
    this.#time.timers.soon(() => this.close());
  }

  close(): void {
    for (const end of [this, this.far]) {
      if (end.#isOver) continue;
      end.#isOver = true;
      this.#time.timers.soon(() => end.#onClose?.(null));
    }
  }
}
