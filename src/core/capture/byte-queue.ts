// Bytes that arrive in chunks and are taken in other lengths.

/** A first-in first-out queue of bytes that copies only what spans chunks. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Takes `count` bytes, or all there are if fewer. */
  take(count: number): Uint8Array {
    const wanted = Math.min(count, this.#length);
    const first = this.#chunks[0];
    this.#length -= wanted;
    if (first !== undefined && first.length > wanted) {
      this.#chunks[0] = first.subarray(wanted);
      return first.subarray(0, wanted);
    }
    const taken = new Uint8Array(wanted);
    let filled = 0;
    let used = 0;
    while (filled < wanted) {
      const chunk = this.#chunks[used]!;
      const part = chunk.subarray(0, wanted - filled);
      taken.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) used++;
      else this.#chunks[used] = chunk.subarray(part.length);
    }
    this.#chunks.splice(0, used);
    return taken;
  }
}
