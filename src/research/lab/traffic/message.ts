// The lab's application messages: a header that names the message and says what answer is wanted, then filler.

/** What the first bytes of a message say. */
export interface MessageHeader {
  /** The exchange's number, the same in the message and its answer. */
  id: number;
  /** 0 = the device's message; 1… = parts of the server's answer. */
  part: number;
  /** Whole message, header included. */
  totalBytes: number;
  /** Application bytes wanted as an answer. */
  replyBytes: number;
}

export const HEADER_BYTES = 16;
/** Answers over UDP are cut into datagrams of at most so many bytes. */
export const MAX_DATAGRAM_BYTES = 1400;
const MAGIC = 0x494c;
/** A larger length is not ours: refuse it before a buffer grows. */
const MAX_MESSAGE_BYTES = 1 << 20;

/** The name under which both ends log a message. */
export function messageKey(id: number, part: number): number {
  return id * 65536 + part;
}

/** @returns the whole message: header and `totalBytes` less its size of pseudo-random filler, as ciphertext would look */
export function encodeMessage({ id, part, totalBytes, replyBytes }: MessageHeader): Buffer {
  const message = Buffer.alloc(Math.max(totalBytes, HEADER_BYTES));
  message.writeUInt16BE(MAGIC, 0);
  message.writeUInt16BE(part, 2);
  message.writeUInt32BE(id, 4);
  message.writeUInt32BE(message.length, 8);
  message.writeUInt32BE(replyBytes, 12);
  let state = (id * 65536 + part) | 1;
  for (let offset = HEADER_BYTES; offset < message.length; offset++) {
    state = Math.imul(state, 1664525) + 1013904223; // Numerical Recipes' generator: cheap, and nothing depends on it
    message[offset] = state >>> 24;
  }
  return message;
}

/** @returns the header, or null where these bytes do not begin one of our messages */
export function decodeMessage(bytes: Buffer): MessageHeader | null {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) !== MAGIC) return null;
  const totalBytes = bytes.readUInt32BE(8);
  if (totalBytes < HEADER_BYTES || totalBytes > MAX_MESSAGE_BYTES) return null;
  return {
    part: bytes.readUInt16BE(2),
    id: bytes.readUInt32BE(4),
    totalBytes,
    replyBytes: bytes.readUInt32BE(12),
  };
}

/** @returns the answer's messages: one over TCP, datagrams over UDP; empty where none is wanted */
export function answerMessage(header: MessageHeader, protocol: 'tcp' | 'udp'): MessageHeader[] {
  const answers: MessageHeader[] = [];
  let left = header.replyBytes;
  while (left > 0) {
    const totalBytes = protocol === 'tcp' ? left : Math.min(left, MAX_DATAGRAM_BYTES);
    answers.push({
      id: header.id,
      part: answers.length + 1,
      totalBytes: Math.max(totalBytes, HEADER_BYTES),
      replyBytes: 0,
    });
    left -= totalBytes;
  }
  return answers;
}

/** Cuts a TCP stream into messages without keeping their filler. */
export class MessageStream {
  #header = Buffer.alloc(0);
  #left = 0;
  #current: MessageHeader | null = null;

  /**
   * @returns headers of the messages whose last byte is in `chunk`
   * @throws Error where the stream holds something else than messages
   */
  push(chunk: Buffer): MessageHeader[] {
    const complete: MessageHeader[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (!this.#current) {
        const missing = HEADER_BYTES - this.#header.length;
        this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (this.#header.length < HEADER_BYTES) break;
        this.#current = decodeMessage(this.#header);
        if (!this.#current) throw new Error('the stream holds something else than lab messages');
        this.#left = this.#current.totalBytes - HEADER_BYTES;
        this.#header = Buffer.alloc(0);
      }
      const taken = Math.min(this.#left, rest.length);
      this.#left -= taken;
      rest = rest.subarray(taken);
      if (this.#left === 0) {
        complete.push(this.#current);
        this.#current = null;
      }
    }
    return complete;
  }
}
