// libubox's blob attributes: reading and writing them, nothing about what they mean.

/** Largest message (padded blob, without the 8-byte header) libubus and ubusd accept: UBUS_MAX_MSGLEN. */
export const maxMessageBytes = 1_048_576;

/** Bytes of an attribute's own header: flag, 7-bit id, 24-bit length (which counts the header). */
export const attributeHeaderBytes = 4;

const extendedFlag = 0x80000000;

/** What arrived, or what was to be sent, is not in the format; the message says where and why. */
export class CodecError extends Error {
  override name = 'CodecError';
}

export interface BlobAttribute {
  id: number;
  /** Set on blobmsg attributes, whose payload begins with a name. */
  extended: boolean;
  payload: Buffer;
  /** Where the payload begins, counted as `base` was. */
  offset: number;
}

/** Bytes up to the next multiple of four, to which every attribute is padded. */
export function padLength(length: number): number {
  return (length + 3) & ~3;
}

/**
 * Splits a container's payload into its attributes (payloads are views, nothing is copied).
 * Stricter than libubox, which silently stops at the first attribute that does not fit.
 *
 * @param base what to add to offsets in errors, so that they count from the message's start
 * @throws CodecError naming the byte at which it is malformed
 */
export function readAttributes(bytes: Buffer, base = 0): BlobAttribute[] {
  const attributes: BlobAttribute[] = [];
  let at = 0;
  while (at < bytes.length) {
    const left = bytes.length - at;
    if (left < attributeHeaderBytes) {
      throw new CodecError(`byte ${base + at}: ${left} stray bytes where an attribute should be`);
    }
    const head = bytes.readUInt32BE(at);
    const length = head & 0xffffff;
    if (length < attributeHeaderBytes) {
      throw new CodecError(
        `byte ${base + at}: attribute length ${length} is less than its own header (4)`,
      );
    }
    if (padLength(length) > left) {
      throw new CodecError(
        `byte ${base + at}: attribute of ${padLength(length)} bytes runs past its container (${left} left)`,
      );
    }
    attributes.push({
      id: (head >>> 24) & 0x7f,
      extended: (head & extendedFlag) !== 0,
      payload: bytes.subarray(at + attributeHeaderBytes, at + length),
      offset: base + at + attributeHeaderBytes,
    });
    at += padLength(length);
  }
  return attributes;
}

/** Reads a NUL-terminated UTF-8 string; bytes that are no UTF-8 become U+FFFD. */
export function readString(payload: Buffer, what: string): string {
  if (payload.length === 0 || payload[payload.length - 1] !== 0) {
    throw new CodecError(`${what}: string without its terminating NUL`);
  }
  const text = payload.subarray(0, -1);
  // C would see a shorter string than we do: two readers of one message must not disagree.
  if (text.includes(0)) throw new CodecError(`${what}: string with a NUL inside`);
  return text.toString('utf8');
}

/** Grows a buffer of nested attributes; never larger than one message may be. */
export class BlobWriter {
  #bytes = Buffer.alloc(256);
  #length = 0;

  /** Begins an attribute and returns the mark to {@link close} it with. */
  open(id: number, extended = false): number {
    const mark = this.#length;
    this.uint32(((extended ? extendedFlag : 0) | (id << 24)) >>> 0);
    return mark;
  }

  /** Ends the attribute begun at `mark`: sets its length, pads with zeros. */
  close(mark: number): void {
    const length = this.#length - mark;
    this.#bytes.writeUInt32BE((this.#bytes.readUInt32BE(mark) | length) >>> 0, mark);
    this.pad();
  }

  /** Zeros up to the next multiple of four. */
  pad(): void {
    this.#reserve(padLength(this.#length) - this.#length);
  }

  uint8(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  uint16(value: number): void {
    const at = this.#reserve(2);
    this.#bytes.writeUInt16BE(value & 0xffff, at);
  }

  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32BE(value >>> 0, at);
  }

  int64(value: bigint): void {
    const at = this.#reserve(8);
    this.#bytes.writeBigInt64BE(value, at);
  }

  double(value: number): void {
    const at = this.#reserve(8);
    this.#bytes.writeDoubleBE(value, at);
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  /** UTF-8 and its NUL. */
  string(value: string, what: string): void {
    if (value.includes('\0')) throw new CodecError(`${what}: string with a NUL inside`);
    this.bytes(Buffer.from(value, 'utf8'));
    this.uint8(0);
  }

  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  #reserve(count: number): number {
    const at = this.#length;
    const wanted = at + count;
    if (wanted > maxMessageBytes - attributeHeaderBytes) {
      throw new CodecError(`message would exceed the ${maxMessageBytes} bytes ubusd accepts`);
    }
    if (wanted > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(wanted, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#length = wanted;
    return at;
  }
}
