// Messages of netlink as bytes: what the kernel is asked, and what it answers. Pure.

/** Whoever runs this has the kernel's own byte order: no router that Node.js is built for has the other one. */
export const IS_LITTLE = true;
export const HEADER_BYTES = 16;
const ATTRIBUTE_BYTES = 4;
/** The two high bits of an attribute's type say how its value is to be read. */
const TYPE_MASK = 0x3fff;
export const NESTED = 0x8000;

/** Types of answers (linux/netlink.h). */
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const REQUEST = 1;
export const ACK = 4;
/** NLM_F_ROOT and NLM_F_MATCH. */
export const DUMP = 0x300;
export const CREATE = 0x400;

export interface NetlinkMessage {
  type: number;
  flags: number;
  sequence: number;
  payload: Uint8Array;
}

const aligned = (bytes: number): number => (bytes + 3) & ~3;

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** One message; its length is a multiple of four where those of its attributes are. */
export function encodeMessage({ type, flags, sequence, payload }: NetlinkMessage): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + payload.length);
  const view = viewOf(message);
  view.setUint32(0, message.length, IS_LITTLE);
  view.setUint16(4, type, IS_LITTLE);
  view.setUint16(6, flags, IS_LITTLE);
  view.setUint32(8, sequence, IS_LITTLE);
  message.set(payload, HEADER_BYTES);
  return message;
}

export function encodeAttribute(type: number, value: Uint8Array): Uint8Array {
  const attribute = new Uint8Array(aligned(ATTRIBUTE_BYTES + value.length));
  const view = viewOf(attribute);
  view.setUint16(0, ATTRIBUTE_BYTES + value.length, IS_LITTLE);
  view.setUint16(2, type, IS_LITTLE);
  attribute.set(value, ATTRIBUTE_BYTES);
  return attribute;
}

/** A name, as the kernel ends it. */
export function encodeName(type: number, name: string): Uint8Array {
  return encodeAttribute(type, new TextEncoder().encode(`${name}\0`));
}

/**
 * The messages that stand whole in these bytes, and what is left of them.
 *
 * @throws RangeError for a length that none has: what follows can't be read.
 */
export function readMessages(bytes: Uint8Array): { messages: NetlinkMessage[]; rest: Uint8Array } {
  const messages: NetlinkMessage[] = [];
  const view = viewOf(bytes);
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const length = view.getUint32(at, IS_LITTLE);
    if (length < HEADER_BYTES) throw new RangeError(`a netlink message of ${length} bytes`);
    if (at + length > bytes.length) break;
    messages.push({
      type: view.getUint16(at + 4, IS_LITTLE),
      flags: view.getUint16(at + 6, IS_LITTLE),
      sequence: view.getUint32(at + 8, IS_LITTLE),
      payload: bytes.subarray(at + HEADER_BYTES, at + length),
    });
    at += aligned(length);
  }
  return { messages, rest: bytes.subarray(Math.min(at, bytes.length)) };
}

/** Attributes in the order they stand in; what is cut off is left out. */
export function readAttributes(bytes: Uint8Array): [type: number, value: Uint8Array][] {
  const attributes: [number, Uint8Array][] = [];
  const view = viewOf(bytes);
  for (let at = 0; bytes.length - at >= ATTRIBUTE_BYTES; ) {
    const length = view.getUint16(at, IS_LITTLE);
    if (length < ATTRIBUTE_BYTES || at + length > bytes.length) break;
    const type = view.getUint16(at + 2, IS_LITTLE) & TYPE_MASK;
    attributes.push([type, bytes.subarray(at + ATTRIBUTE_BYTES, at + length)]);
    at += aligned(length);
  }
  return attributes;
}

export function attributeOf(bytes: Uint8Array, type: number): Uint8Array | null {
  return readAttributes(bytes).find(([one]) => one === type)?.[1] ?? null;
}

export function readName(value: Uint8Array | null): string {
  return new TextDecoder().decode(value ?? new Uint8Array()).replace(/\0.*$/s, '');
}

/** A number of the kernel's, which its attributes have in the network's order; 0 where there is none. */
export function readNumber(value: Uint8Array | null): number {
  return (value ?? new Uint8Array()).reduce((sum, byte) => sum * 256 + byte, 0);
}

/** What an answer of type {@link NLMSG_ERROR} or {@link NLMSG_DONE} says: 0, or a negative error number. */
export function readError(payload: Uint8Array): number {
  return payload.length < 4 ? 0 : viewOf(payload).getInt32(0, IS_LITTLE);
}
