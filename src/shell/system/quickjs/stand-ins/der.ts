// DER (X.690), read as far as certificates and keys need it, and written.

export interface Der {
  tag: number;
  /** What is in it. */
  body: Uint8Array;
  /** With its tag and length. */
  whole: Uint8Array;
}

export const tags = { integer: 2, bits: 3, octets: 4, oid: 6, sequence: 0x30 } as const;

/** What stands one after the other. @throws {RangeError} where that is no DER */
export function readDer(bytes: Uint8Array): Der[] {
  const found: Der[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    let length = bytes[at + 1] ?? 0;
    let head = 2;
    if (length >= 0x80) {
      const count = length - 0x80;
      if (count < 1 || count > 3) throw new RangeError('a length of DER is odd');
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0);
      head += count;
    }
    const end = at + head + length;
    if (end > bytes.length) throw new RangeError('DER is cut short');
    found.push({ tag, body: bytes.subarray(at + head, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}

/** The parts of the only thing there is, which has to have this tag. @throws {RangeError} */
export function partsOf(bytes: Uint8Array, tag: number = tags.sequence): Der[] {
  const [only, ...others] = readDer(bytes);
  if (only?.tag !== tag || others.length > 0) throw new RangeError('DER of another kind');
  return readDer(only.body);
}

export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  const whole = new Uint8Array(head.length + length);
  whole.set(head);
  let at = head.length;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
