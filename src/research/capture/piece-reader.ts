// Bytes that come in pieces, looked at before they are taken.

/** Reads a source of bytes in lengths of one's own; what was only looked at is read again. */
export class PieceReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);
  #isEnd = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** What comes next, `count` bytes of it or, at the end, fewer; it stays where it is. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#held.length < count && !this.#isEnd) {
      const { done, value } = await this.#source.next();
      if (done) this.#isEnd = true;
      else this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value]);
    }
    return this.#held.length > count ? this.#held.subarray(0, count) : this.#held;
  }

  /** The same, taken. */
  async take(count: number): Promise<Uint8Array> {
    const taken = await this.peek(count);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  /** All that was not taken. */
  async *rest(): AsyncGenerator<Uint8Array> {
    try {
      while (!this.#isEnd || this.#held.length > 0) {
        const held = this.#held;
        this.#held = new Uint8Array(0);
        if (held.length > 0) yield held;
        else await this.peek(1);
      }
    } finally {
      await this.#source.return?.();
    }
  }
}
