// Bursts side by side in columns: a month has a million of them, and as objects they took ten times as much.

/** Traffic above the background. */
export interface Burst {
  /** When the rate changed, and when it was back. */
  startS: number;
  endS: number;
  /** Bytes above the background, both directions. */
  bytes: number;
  upBytes: number;
  downBytes: number;
}

const FIRST_LENGTH = 64;
const WIDTH = 5;

/** Bursts in order of time. */
export class BurstList {
  #values = new Float64Array(FIRST_LENGTH * WIDTH);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push({ startS, endS, bytes, upBytes, downBytes }: Burst): void {
    const from = this.#length++ * WIDTH;
    if (from === this.#values.length) {
      const longer = new Float64Array(2 * this.#values.length);
      longer.set(this.#values);
      this.#values = longer;
    }
    const values = this.#values;
    values[from] = startS;
    values[from + 1] = endS;
    values[from + 2] = bytes;
    values[from + 3] = upBytes;
    values[from + 4] = downBytes;
  }

  /** Adds traffic that goes on to the last burst. */
  extendLast({ endS, bytes, upBytes, downBytes }: Burst): void {
    const from = (this.#length - 1) * WIDTH;
    const values = this.#values;
    values[from + 1] = endS;
    values[from + 2]! += bytes;
    values[from + 3]! += upBytes;
    values[from + 4]! += downBytes;
  }

  at(place: number): Burst {
    return {
      startS: this.startS(place),
      endS: this.endS(place),
      bytes: this.bytes(place),
      upBytes: this.upBytes(place),
      downBytes: this.downBytes(place),
    };
  }

  startS(place: number): number {
    return this.#values[place * WIDTH]!;
  }

  endS(place: number): number {
    return this.#values[place * WIDTH + 1]!;
  }

  bytes(place: number): number {
    return this.#values[place * WIDTH + 2]!;
  }

  upBytes(place: number): number {
    return this.#values[place * WIDTH + 3]!;
  }

  downBytes(place: number): number {
    return this.#values[place * WIDTH + 4]!;
  }
}
