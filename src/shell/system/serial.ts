// Runs asynchronous work one piece after another, in the order it was asked for.

/** A queue of one lane. */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `work` once all before it has ended, however that ended. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work, work);
    this.#tail = result.catch(() => {});
    return result;
  }
}
