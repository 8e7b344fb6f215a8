// The one door: whatever the shell does to the machine, and whatever it asks it, goes through a value of this type.
import type { CommandOptions, CommandResult } from './command.ts';

/** Undoes a timer, a watch or a subscription; harmless when repeated. */
export type Cancel = () => void;

/** What the service is to the machine it runs on. The real one is `node-system.ts`; tests hand in one that can fail at any step. */
export interface System {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly files: Files;
  readonly sockets: Sockets;
  readonly processes: Processes;
  /** Bytes nobody can guess. */
  randomBytes(count: number): Uint8Array;
  /** Starts one of the program's own threads. */
  startThread(program: ThreadProgram, events: ThreadEvents): Thread;
}

export interface Clock {
  /** Milliseconds of a clock that only goes on; its zero means nothing. */
  monotonicMs(): number;
  /** Milliseconds since 1970 as the machine has it, right or wrong. */
  unixMs(): number;
}

export interface Timers {
  after(delayMs: number, work: () => void): Cancel;
  /** At whole multiples of the period, as far as timers have them: first after half of one at least. */
  every(periodMs: number, work: () => void): Cancel;
  /** Once what has arrived already was handled. */
  soon(work: () => void): void;
  /** Stops this thread for so long, parts of a millisecond too; returns how many milliseconds more it took. */
  oversleep(delayMs: number): number;
}

export interface Files {
  /** @throws {SystemError} with `ENOENT` and the like. */
  readText(path: string): Promise<string>;
  readBytes(path: string): Promise<Uint8Array>;
  /** The bytes of a file, or with `-` of standard input, piece by piece; unpacked where gzip packed them. */
  readPieces(path: string): AsyncIterable<Uint8Array>;
  /** Writes in place, as /proc and /sys want it; `mode` counts where the file is made. */
  write(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  /** Writes beside it and renames: a reader sees the old or the new one, never half. `mode` as given, 0600 without. */
  replace(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  /** Removes a file, or a folder with all that is in it; nothing where there is none. */
  remove(path: string): Promise<void>;
  makeFolder(path: string, mode?: number): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  /** Names in a folder, sorted. */
  list(path: string): Promise<string[]>;
  readLink(path: string): Promise<string>;
  /** Null where there is none. */
  stat(path: string): Promise<FileFacts | null>;
  exists(path: string): boolean;
  /** A small file at once; null where it can't be read. */
  readNow(path: string): Uint8Array | null;
  /** Calls back whenever something in the folder changed. */
  watch(folder: string, onChange: () => void): Cancel;
  /** A number that the kernel keeps in a file, read cheaply and often. */
  openCounter(path: string): Counter;
}

export interface FileFacts {
  mode: number;
  uid: number;
  bytes: number;
  isFolder: boolean;
}

export interface Counter {
  /** Null while there is no such file. */
  read(): number | null;
  close(): void;
}

export interface Sockets {
  /** @throws {SystemError} with `EADDRINUSE` and the like. */
  openUdp(options: UdpOptions): Promise<UdpSocket>;
  /** Serves a socket in the file system. */
  listen(path: string, onConnection: (connection: Connection) => void): Promise<Listener>;
  /** Connects to a socket in the file system. */
  connect(path: string): Promise<Connection>;
  /** Addresses of this machine. */
  netdevAddresses(): NetdevAddress[];
  /** Serves pages over TLS; what comes without it is told where to go. @throws {SystemError} with `EADDRINUSE` and the like. */
  serveWeb(options: WebOptions): Promise<Listener>;
}

export interface WebOptions {
  address: string;
  port: number;
  /** PEM. */
  certificate: string;
  key: string;
  /** Longer requests are refused. */
  maxBodyBytes: number;
  /** Must not fail. */
  answer: (request: WebRequest) => Promise<WebAnswer>;
}

export interface WebRequest {
  method: string;
  /** As it was asked for, beginning with a slash where the browser is sane. */
  target: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: string;
  /** The address it came from. */
  from: string;
}

export interface WebAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
}

export interface NetdevAddress {
  netdev: string;
  /** As IPv4 dotted quad or IPv6 text, without its length. */
  address: string;
  /** Bits of its network. */
  length: number;
  mac: string;
}

export interface UdpOptions {
  local: { address: string; port: number };
  /** Only datagrams from there are taken, and all go there. */
  peer?: { address: string; port: number };
  /** Another socket of this machine may have the same address. */
  reuse?: boolean;
  receiveBufferBytes?: number;
  sendBufferBytes?: number;
  onMessage?: (datagram: Uint8Array, from: { address: string; port: number }) => void;
}

export interface UdpSocket {
  /** Sends to the peer; `done` is called once the kernel has taken it, or with why it did not. */
  send(datagram: Uint8Array, done?: (error: SystemError | null) => void): void;
  sendTo(datagram: Uint8Array, address: string, port: number): void;
  setSendBuffer(bytes: number): void;
  /** What the kernel made of it. */
  sendBufferBytes(): number;
  close(): void;
}

export interface Listener {
  /** Resolves when it is gone and its connections are closed. */
  close(): Promise<void>;
}

export interface Connection {
  write(content: string | Uint8Array): void;
  /** Written, and not taken by the other side yet. */
  readonly queuedBytes: number;
  /** What comes in, from now on; to be called in the turn in which the connection was had. */
  onData(listener: (piece: Uint8Array) => void): void;
  /** Once, when it is over: with the error that ended it, or null. */
  onClose(listener: (error: SystemError | null) => void): void;
  /** Ends it once what was written is sent. */
  end(): void;
  /** Ends it at once. */
  close(): void;
}

export interface Processes {
  /** This process. */
  readonly pid: number;
  /** The user it runs as; 0 is root. */
  readonly uid: number;
  /** Starts this program again, once words for its command line follow. */
  readonly program: readonly string[];
  environment(name: string): string | undefined;
  /**
   * Runs a command to its end.
   *
   * @throws {CommandError} quoting the command and its standard error, when it can't be started, ends with another status
   * than 0, or runs out of time.
   */
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Starts a command that goes on; that it could not be started is told as its exit. */
  spawn(argv: readonly string[], events: ChildEvents): Child;
  /** Sends a signal to any process; 0 only asks. False when there is none. */
  signal(pid: number, name: Signal): boolean;
  /** Puts this thread ahead of others, where the system lets it. */
  raisePriority(nice: number): void;
}

export type Signal = 'SIGTERM' | 'SIGKILL' | 'SIGINT' | 0;

export interface ChildEvents {
  /** Bytes it printed on standard output. */
  onOutput?: (piece: Uint8Array) => void;
  onErrorOutput?: (piece: Uint8Array) => void;
  /** Once, when it has ended and all it printed was told. */
  onExit: (end: ChildEnd) => void;
}

export interface ChildEnd {
  status: number | null;
  signal: string | null;
  /** Why it could not be started; null when it was. */
  failure: string | null;
}

export interface Child {
  readonly pid: number | undefined;
  write(content: string | Uint8Array): void;
  endInput(): void;
  kill(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): void;
}

export interface ThreadProgram {
  /** Address of the module that is run; in a bundle all modules have one. */
  address: string;
  /** By which the module knows that it is to be this thread. */
  role: string;
}

export interface Thread {
  post(message: unknown): void;
}

export interface ThreadEvents {
  onMessage: (message: unknown) => void;
  /** It threw; its end follows. */
  onError: (text: string) => void;
  onEnd: () => void;
}

/** The other side, as the thread itself holds it. */
export interface ThreadPort {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Lets the thread end. */
  close(): void;
}

/** What the machine refused, by the name the C library gives it. */
export class SystemError extends Error {
  /** By its name: each bundle has its own class, and the door may be another bundle's. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'SystemError';
  }

  override name = 'SystemError';
  /** `ENOENT`, `EADDRINUSE`, … */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Resolves after `delayMs`, or as soon as `signal` says so. */
export function pause(timers: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = (): void => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = timers.after(delayMs, end);
    signal?.addEventListener('abort', end);
  });
}
