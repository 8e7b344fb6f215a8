// QuickJS's own modules, and ours in C (native/quickjs/machine.c), as far as they are used.

declare module 'quickjs:std' {
  export function exit(status: number): never;
  export function getenv(name: string): string | undefined;
  export function getenviron(): Record<string, string>;
  export function setenv(name: string, value: string): void;
}

declare module 'quickjs:os' {
  export const O_RDONLY: number;
  export const O_WRONLY: number;
  export const O_CREAT: number;
  export const O_EXCL: number;
  export const O_TRUNC: number;
  /** Milliseconds of a clock that only goes on, one for all processes. */
  export function now(): number;
  /** A descriptor, or the negative number of the error: as all that return one number. */
  export function open(path: string, flags: number, mode?: number): number;
  export function close(fd: number): number;
  export function seek(fd: number, offset: number, whence: number): number;
  export function remove(path: string): number;
  export function rename(from: string, to: string): number;
  export function mkdir(path: string, mode?: number): number;
  /** What was asked for, and the number of the error. */
  export function readdir(path: string): [string[], number];
  export function readlink(path: string): [string, number];
  export function stat(path: string): [Facts | null, number];
  export function lstat(path: string): [Facts | null, number];
  export function isatty(fd: number): boolean;
  export function getpid(): number;
  export function kill(pid: number, signal: number): number;

  interface Facts {
    mode: number;
    uid: number;
    size: number;
  }
}

/** Whatever returns a number returns the negative number of an error instead. */
declare module 'quickjs:machine' {
  export const O_CLOEXEC: number;
  export const SIGTERM: number;
  export const SIGKILL: number;
  export const SIGINT: number;
  export const SIGHUP: number;
  export const SIGUSR2: number;
  export const EAGAIN: number;
  /** Waits for one of `count` struct pollfd; for ever where the time is negative. */
  export function wait(polls: Uint8Array, count: number, timeoutMs: number): number;
  /** Does what promises have made due. */
  export function runJobs(): void;
  export function encode(text: string): ArrayBuffer;
  export function decode(bytes: Uint8Array): string;
  export function read(fd: number, bytes: Uint8Array): number;
  export function write(fd: number, bytes: Uint8Array): number;
  export function udp(
    address: string,
    port: number,
    peer: string,
    peerPort: number,
    reuse: number,
  ): number;
  export function sendTo(fd: number, bytes: Uint8Array, address: string, port: number): number;
  export function receiveFrom(fd: number, bytes: Uint8Array): number | [number, string, number];
  export function bufferBytes(fd: number, isSending: number, wanted: number): number;
  export function unix(path: string, listens: number): number;
  export function accept(fd: number): number;
  /** Process, descriptor that is readable once it has ended, and its standard input, output and error output. */
  export function spawn(
    argv: readonly string[],
    environment: readonly string[],
  ): number | [number, number, number, number, number];
  /** Its status, or 256 and the signal that ended it. */
  export function reap(pid: number): number;
  export function signals(...numbers: number[]): number;
  export function nextSignal(fd: number): number;
  export function watch(folder: string): number;
  export function setMode(path: string, mode: number): number;
  export function sync(fd: number): number;
  export function user(): number;
  export function mask(mode: number): number;
  export function priority(nice: number): number;
  export function unblock(fd: number): number;
  export function random(bytes: Uint8Array): number;
  /** Netdev, address, bits of its network, one after the other; -1 bits where the address is its MAC. */
  export function addresses(): number | (string | number)[];
}

/** What was typed behind `qjs`, beginning with the program. */
declare const scriptArgs: readonly string[];
