// A number that the kernel keeps in a file, read over and over by one descriptor.
import type { Counter } from './system.ts';

/** An open file with a number in it. */
export interface NumberFile {
  /** From its beginning. @throws where it is gone. */
  read(): number;
  close(): void;
}

export class FileCounter implements Counter {
  /** Throws where there is no such file. */
  readonly #open: () => NumberFile;
  #file: NumberFile | null = null;

  constructor(open: () => NumberFile) {
    this.#open = open;
  }

  read(): number | null {
    // A netdev made again under the same name invalidates the open file: one more try opens the new one.
    return this.#tryRead() ?? this.#tryRead();
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  #tryRead(): number | null {
    try {
      this.#file ??= this.#open();
      return this.#file.read();
    } catch {
      this.close();
      return null;
    }
  }
}
