// ubus messages in a byte stream: header and length, cut out of reads that split anywhere.

import { attributeHeaderBytes, CodecError, maxMessageBytes, padLength } from './blob.ts';

/** Message types, from ubus's ubusmsg.h. */
export const messageType = {
  hello: 0,
  status: 1,
  data: 2,
  ping: 3,
  lookup: 4,
  invoke: 5,
  addObject: 6,
  removeObject: 7,
  subscribe: 8,
  unsubscribe: 9,
  notify: 10,
  monitor: 11,
} as const;

/** One message; `body` holds its attributes undecoded. */
export interface Frame {
  /** One of {@link messageType}, or a number newer than this list. */
  type: number;
  /** 16 bits; the answer to a request carries the request's. */
  seq: number;
  /** 32 bits: client id in a hello, object id in a call and its answer, else 0. */
  peer: number;
  body: Buffer;
}

/** What one read completed. After an error nothing more comes: the stream's boundaries are lost. */
export interface ParsedFrames {
  frames: Frame[];
  error: CodecError | null;
}

/** version, type, sequence, peer. */
const messageHeaderBytes = 8;
const headBytes = messageHeaderBytes + attributeHeaderBytes;
const keptBytes = 65_536;

/** The bytes of a message, ready for the socket. @throws CodecError when it is longer than ubusd accepts */
export function encodeFrame(frame: Frame): Buffer {
  const length = attributeHeaderBytes + frame.body.length;
  if (padLength(length) > maxMessageBytes) {
    throw new CodecError(`message would exceed the ${maxMessageBytes} bytes ubusd accepts`);
  }
  const bytes = Buffer.alloc(messageHeaderBytes + length);
  bytes[1] = frame.type;
  bytes.writeUInt16BE(frame.seq, 2);
  bytes.writeUInt32BE(frame.peer, 4);
  bytes.writeUInt32BE(length, messageHeaderBytes);
  bytes.set(frame.body, headBytes);
  return bytes;
}

/** Collects reads and cuts messages out of them. Holds one message (1 MiB) and one read at most. */
export class FrameParser {
  #bytes = Buffer.alloc(0);
  #length = 0;
  #error: CodecError | null = null;

  /** Takes what a read gave; returns the messages it completed, in order, and the first fault. */
  push(chunk: Uint8Array): ParsedFrames {
    const frames: Frame[] = [];
    if (this.#error) return { frames, error: this.#error };
    this.#append(chunk);
    let at = 0;
    while (this.#length - at >= headBytes) {
      const length = this.#checkHead(at);
      if (length === null || this.#length - at < messageHeaderBytes + length) break;
      const end = at + messageHeaderBytes + length;
      frames.push({
        type: this.#bytes.readUInt8(at + 1),
        seq: this.#bytes.readUInt16BE(at + 2),
        peer: this.#bytes.readUInt32BE(at + 4),
        body: Buffer.from(this.#bytes.subarray(at + headBytes, end)),
      });
      at = end;
    }
    this.#drop(this.#error ? this.#length : at);
    return { frames, error: this.#error };
  }

  /** Length of the message's blob, or null once the head is refused. */
  #checkHead(at: number): number | null {
    const version = this.#bytes.readUInt8(at);
    const outer = this.#bytes.readUInt32BE(at + messageHeaderBytes);
    const length = outer & 0xffffff;
    const id = (outer >>> 24) & 0x7f;
    const fault =
      version !== 0
        ? `message version ${version}, expected 0`
        : outer >>> 31
          ? 'extended attribute where a message begins'
          : id !== 0
            ? `attribute ${id} where a message begins, expected 0`
            : length < attributeHeaderBytes
              ? `message length ${length} is less than its own header (4)`
              : padLength(length) > maxMessageBytes
                ? `message of ${length} bytes exceeds the ${maxMessageBytes} libubus accepts`
                : null;
    if (fault === null) return length;
    this.#error = new CodecError(fault);
    return null;
  }

  #append(chunk: Uint8Array): void {
    const wanted = this.#length + chunk.length;
    if (wanted > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(wanted, Math.min(this.#bytes.length * 2, 2 ** 21)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = wanted;
  }

  #drop(count: number): void {
    this.#bytes.copyWithin(0, count, this.#length);
    this.#length -= count;
    // A large message must not hold its memory for the life of the connection.
    if (this.#bytes.length > keptBytes && this.#length <= keptBytes) {
      this.#bytes = Buffer.from(this.#bytes.subarray(0, this.#length));
    }
  }
}
