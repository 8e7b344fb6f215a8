// What a command has beside the machine: the words it was called with, where it prints, signals, its end.
import type { Cancel } from './system.ts';

/** The command line's end of the door. The real one is `node-console.ts`; tests hand in one that keeps what it is told. */
export interface Console {
  /** What was typed behind the program's name. */
  readonly words: readonly string[];
  /** Prints what was asked for. */
  write(text: string | Uint8Array): void;
  /** Prints what a person should know beside it. */
  writeError(text: string): void;
  /** Whether a person watches what {@link writeError} prints, so that a line may be written over. */
  readonly isTerminal: boolean;
  onSignal(name: ConsoleSignal, work: () => void): Cancel;
  /** How the program ends once nothing is left to do. */
  setExitStatus(status: number): void;
  /** Ends it now. */
  exit(status: number): never;
  /** From now on it goes on where nobody reads any more what it prints. */
  outliveReaders(): void;
  /** From now on only this user may read the files it makes, unless their mode is given. */
  keepFilesPrivate(): void;
}

export type ConsoleSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';
