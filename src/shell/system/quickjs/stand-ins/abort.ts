// What may be told to end, as far as the service asks for it.

export class Signal {
  readonly #listeners = new Set<() => void>();
  aborted = false;

  addEventListener(_name: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_name: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** For its controller. */
  fire(): void {
    if (this.aborted) return;
    this.aborted = true;
    for (const listener of this.#listeners) listener();
  }
}

export class Controller {
  readonly signal = new Signal();

  abort(): void {
    this.signal.fire();
  }
}
