// Node.js's Buffer, as far as what a home runs asks for it: the bus's messages, UCI's text, keys.
import * as machine from 'quickjs:machine';
import { decodeBase64, encodeBase64 } from './base64.ts';

/** Without what it makes others by, which Buffer has in ways of its own. */
const Base = Uint8Array as new (
  source: number | ArrayBuffer,
  at?: number,
  length?: number,
) => Uint8Array<ArrayBuffer>;

export class Bytes extends Base {
  static alloc(length: number): Bytes {
    return new Bytes(length);
  }

  static from(
    source: string | ArrayLike<number> | ArrayBuffer,
    how?: string | number,
    length?: number,
  ): Bytes {
    if (source instanceof ArrayBuffer) return new Bytes(source, how as number | undefined, length);
    if (typeof source !== 'string') {
      const copy = new Bytes(source.length);
      copy.set(source);
      return copy;
    }
    if (how === 'base64' || how === 'base64url') return Bytes.from(decodeBase64(source));
    if (how === 'hex')
      return Bytes.from((source.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
    if (how === 'latin1') return Bytes.from([...source].map((letter) => letter.charCodeAt(0)));
    return new Bytes(machine.encode(source));
  }

  static concat(parts: readonly Uint8Array[]): Bytes {
    const whole = new Bytes(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  static byteLength(text: string | Uint8Array): number {
    return typeof text === 'string' ? machine.encode(text).byteLength : text.length;
  }

  static compare(one: Uint8Array, other: Uint8Array): number {
    for (let at = 0; at < Math.min(one.length, other.length); at++) {
      if (one[at] !== other[at]) return Math.sign(one[at]! - other[at]!);
    }
    return Math.sign(one.length - other.length);
  }

  static isBuffer(value: unknown): boolean {
    return value instanceof Bytes;
  }

  override toString(encoding = 'utf8', start = 0, end = this.length): string {
    const part = this.subarray(start, end);
    if (encoding === 'base64') return encodeBase64(part);
    if (encoding === 'base64url')
      return encodeBase64(part).replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_');
    if (encoding === 'hex')
      return [...part].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    if (encoding === 'latin1') return [...part].map((byte) => String.fromCharCode(byte)).join('');
    return machine.decode(part);
  }

  override lastIndexOf(value: number | string, from = this.length - 1): number {
    return super.lastIndexOf(typeof value === 'string' ? value.charCodeAt(0) : value, from);
  }

  override indexOf(value: number | string, from = 0): number {
    return super.indexOf(typeof value === 'string' ? value.charCodeAt(0) : value, from);
  }

  /** Unlike an array's: no copy. */
  override slice(start?: number, end?: number): ReturnType<Uint8Array['slice']> {
    return this.subarray(start, end) as ReturnType<Uint8Array['slice']>;
  }

  equals(other: Uint8Array): boolean {
    return Bytes.compare(this, other) === 0;
  }

  copy(target: Uint8Array, at = 0, start = 0, end = this.length): number {
    target.set(this.subarray(start, end), at);
    return end - start;
  }

  write(text: string, at = 0): number {
    const bytes = new Uint8Array(machine.encode(text));
    this.set(bytes, at);
    return bytes.length;
  }

  get #view(): DataView {
    return new DataView(this.buffer, this.byteOffset, this.byteLength);
  }

  readUInt8(at = 0): number {
    return this.#view.getUint8(at);
  }

  readUInt16BE(at = 0): number {
    return this.#view.getUint16(at);
  }

  readUInt32BE(at = 0): number {
    return this.#view.getUint32(at);
  }

  readInt16BE(at = 0): number {
    return this.#view.getInt16(at);
  }

  readInt32BE(at = 0): number {
    return this.#view.getInt32(at);
  }

  readBigInt64BE(at = 0): bigint {
    return this.#view.getBigInt64(at);
  }

  readDoubleBE(at = 0): number {
    return this.#view.getFloat64(at);
  }

  writeUInt8(value: number, at = 0): number {
    this.#view.setUint8(at, value);
    return at + 1;
  }

  writeUInt16BE(value: number, at = 0): number {
    this.#view.setUint16(at, value);
    return at + 2;
  }

  writeUInt32BE(value: number, at = 0): number {
    this.#view.setUint32(at, value);
    return at + 4;
  }

  writeInt32BE(value: number, at = 0): number {
    this.#view.setInt32(at, value);
    return at + 4;
  }

  writeBigInt64BE(value: bigint, at = 0): number {
    this.#view.setBigInt64(at, value);
    return at + 8;
  }

  writeDoubleBE(value: number, at = 0): number {
    this.#view.setFloat64(at, value);
    return at + 8;
  }
}
