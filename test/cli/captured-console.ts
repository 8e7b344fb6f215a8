// A console that keeps what it is told, for commands that run in the test's own process.
import type { Console, ConsoleSignal } from '../../src/shell/system/console.ts';

export class CapturedConsole implements Console {
  readonly words: readonly string[];
  readonly isTerminal = false;
  out = '';
  err = '';
  status: number | null = null;
  /** Whether files are kept private from others. */
  isPrivate = false;
  readonly #listeners = new Map<ConsoleSignal, Set<() => void>>();
  #onExit: (status: number) => void = () => {};
  /** The status with which the program ended itself. */
  readonly exited = new Promise<number>((resolve) => {
    this.#onExit = resolve;
  });

  constructor(...words: readonly string[]) {
    this.words = words;
  }

  write(text: string | Uint8Array): void {
    this.out += typeof text === 'string' ? text : new TextDecoder('latin1').decode(text);
  }

  writeError(text: string): void {
    this.err += text;
  }

  onSignal(name: ConsoleSignal, work: () => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(work));
    return () => void listeners.delete(work);
  }

  /** Sends the program a signal; tells how many parts of it listened. */
  signal(name: ConsoleSignal): number {
    const listeners = [...(this.#listeners.get(name) ?? [])];
    for (const listener of listeners) listener();
    return listeners.length;
  }

  setExitStatus(status: number): void {
    this.status = status;
  }

  exit(status: number): never {
    this.#onExit(status);
    return undefined as never;
  }

  outliveReaders(): void {}

  keepFilesPrivate(): void {
    this.isPrivate = true;
  }
}
