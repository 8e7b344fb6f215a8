// The line buffer of libuci: what fgets(3) leaves in it, byte for byte, is what uci parses.

const newline = 0x0a;
/** libuci's LINEBUF. */
const initialSize = 32;
/** Where a real router has no more memory; every NUL byte in a line doubles the size. */
const largestSize = 2 ** 30;

/**
 * A growing buffer that holds one logical line (more, where a quoted value or a backslash runs
 * over the end of a line). The parser writes to it while it reads, as libuci does; bytes behind
 * the end read as 0 or as what an earlier line left there.
 *
 * Source: openwrt/uci file.c, `uci_getln`. The size is kept apart from what is allocated because
 * it decides how much fgets takes at a time, hence what a NUL byte makes it lose.
 */
export class UciLines {
  bytes = new Uint8Array(1024);
  /** Bytes in use after the last line that brought any. */
  filled = 0;
  /** Lines ended so far: the number of the line being read. */
  line = 0;
  atEnd = false;
  readonly #input: Uint8Array;
  #next = 0;
  #size = initialSize;

  constructor(input: Uint8Array) {
    this.#input = input;
  }

  /**
   * Reads the next line to `offset`; leaves a 0 there at the end of the input.
   *
   * @throws RangeError when libuci would run out of memory
   */
  read(offset: number): void {
    if (offset >= this.#size - 1) this.#grow();
    let at = offset;
    while (true) {
      const got = this.#get(at, this.#size - at);
      if (!got || this.bytes[at] === 0) return;
      at = this.bytes.indexOf(0, at);
      this.filled = at;
      if (this.bytes[at - 1] === newline) {
        this.line++;
        return;
      }
      this.#grow();
    }
  }

  #grow(): void {
    this.#size *= 2;
    if (this.#size > largestSize) throw new RangeError('Out of memory');
  }

  /** fgets(3): at most `size - 1` bytes, up to and with the newline; whether there were any. */
  #get(at: number, size: number): boolean {
    const limit = Math.min(this.#input.length, this.#next + size - 1);
    const found = this.#input.subarray(this.#next, limit).indexOf(newline);
    const end = found < 0 ? limit : this.#next + found + 1;
    if (found < 0 && this.#input.length < this.#next + size - 1) this.atEnd = true;
    const chunk = this.#input.subarray(this.#next, end);
    // One more byte than fgets writes stays free, so that a look ahead finds a 0.
    if (at + chunk.length + 2 > this.bytes.length) {
      const larger = new Uint8Array(2 * (at + chunk.length + 2));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[at] = 0;
    if (chunk.length === 0) return false;
    this.bytes.set(chunk, at);
    this.bytes[at + chunk.length] = 0;
    this.#next = end;
    return true;
  }
}
