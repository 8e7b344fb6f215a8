// What is to be done when, in simulated time.

/** Does things in order of time; what is for the same moment, in the order in which it was put down. */
export class Agenda {
  /** The next thing stands last. */
  readonly #items: { timeMs: number; act: (timeMs: number) => void }[] = [];

  /** Infinity where nothing is to be done. */
  get nextMs(): number {
    return this.#items.at(-1)?.timeMs ?? Infinity;
  }

  add(timeMs: number, act: (timeMs: number) => void): void {
    let at = this.#items.length;
    let from = 0;
    while (from < at) {
      const middle = (from + at) >>> 1;
      if (this.#items[middle]!.timeMs > timeMs) from = middle + 1;
      else at = middle;
    }
    this.#items.splice(at, 0, { timeMs, act });
  }

  doNext(): void {
    const item = this.#items.pop();
    item?.act(item.timeMs);
  }
}
