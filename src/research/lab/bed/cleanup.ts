// Remembers how to undo what was done, and undoes it once, last thing first.

type Undo = () => Promise<unknown> | unknown;

/** A stack of undos; `run` may be called any number of times, by whoever comes first. */
export class Cleanup {
  readonly #undos: Undo[] = [];
  readonly #onFault: (fault: unknown) => void;
  #running: Promise<void> | null = null;

  /** @param onFault told what went wrong in an undo; the others still run */
  constructor(onFault: (fault: unknown) => void) {
    this.#onFault = onFault;
  }

  add(undo: Undo): void {
    this.#undos.push(undo);
  }

  /** Undoes everything, last thing first; a fault in one undo does not keep the others from running. */
  run(): Promise<void> {
    this.#running ??= this.#drain();
    return this.#running;
  }

  async #drain(): Promise<void> {
    for (let undo = this.#undos.pop(); undo; undo = this.#undos.pop()) {
      try {
        await undo();
      } catch (fault) {
        this.#onFault(fault);
      }
    }
    this.#running = null;
  }
}
