// UTF-8 as the Encoding standard has it, as far as the service asks for it.
import * as machine from 'quickjs:machine';

const MARK = '\ufeff';

export class Encoder {
  encode(text = ''): Uint8Array {
    return new Uint8Array(machine.encode(text));
  }
}

export class Decoder {
  readonly #isFatal: boolean;
  readonly #keepsMark: boolean;
  #rest = new Uint8Array(0);

  constructor(_encoding = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    this.#isFatal = fatal;
    this.#keepsMark = ignoreBOM;
  }

  /** @throws {TypeError} where bytes are no UTF-8, if asked for */
  decode(piece: Uint8Array = new Uint8Array(0), { stream = false } = {}): string {
    let bytes = piece;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + piece.length);
      bytes.set(this.#rest);
      bytes.set(piece, this.#rest.length);
    }
    const end = stream ? bytes.length - openBytes(bytes) : bytes.length;
    this.#rest = bytes.slice(end);
    const text = machine.decode(bytes.subarray(0, end));
    if (this.#isFatal && !isSame(new Uint8Array(machine.encode(text)), bytes.subarray(0, end))) {
      throw new TypeError('these bytes are no UTF-8');
    }
    return text.startsWith(MARK) && !this.#keepsMark ? text.slice(1) : text;
  }
}

/** How many bytes at the end belong to a character whose others are still to come. */
function openBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? back : 0;
  }
  return 0;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
