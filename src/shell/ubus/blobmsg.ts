// blobmsg: named, typed fields in blob attributes, exactly as they stand on the wire.

import { type BlobAttribute, BlobWriter, CodecError, readAttributes, readString } from './blob.ts';

/** Numbers of the types, from libubox's blobmsg.h. `int8` is what ubus calls a Boolean. */
export const blobmsgType = {
  unspec: 0,
  array: 1,
  table: 2,
  string: 3,
  int64: 4,
  int32: 5,
  int16: 6,
  int8: 7,
  double: 8,
} as const;

export type BlobmsgTypeName = keyof typeof blobmsgType;

/** A field's type and value; integers are signed except `int8`, which is the byte itself. */
export type BlobmsgValue =
  | { type: 'unspec'; value: Uint8Array }
  | { type: 'array' | 'table'; value: BlobmsgField[] }
  | { type: 'string'; value: string }
  | { type: 'int64'; value: bigint }
  | { type: 'int32' | 'int16' | 'int8' | 'double'; value: number };

/** Elements of an array have the name ''. */
export type BlobmsgField = { name: string } & BlobmsgValue;

/** Deepest nesting read or written; json-c, which every ubus program prints with, stops here too. */
export const maxDepth = 32;

const typeNames = Object.keys(blobmsgType) as BlobmsgTypeName[];
const fixedBytes: Partial<Record<BlobmsgTypeName, number>> = {
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  double: 8,
};

/**
 * Reads the fields of a table's payload (a message's data, an object's signature).
 *
 * @throws CodecError naming byte and fault; nothing of a malformed table is returned
 */
export function decodeBlobmsg(bytes: Buffer): BlobmsgField[] {
  return readFields(bytes, 0, 1);
}

/**
 * Writes fields as a table's payload; `decodeBlobmsg` gives them back.
 *
 * @throws CodecError when a value does not fit its type or all of it no message
 */
export function encodeBlobmsg(fields: readonly BlobmsgField[]): Buffer {
  const writer = new BlobWriter();
  for (const field of fields) writeField(writer, field, 1);
  return writer.finish();
}

function readFields(bytes: Buffer, base: number, depth: number): BlobmsgField[] {
  if (depth > maxDepth) throw new CodecError(`byte ${base}: nested deeper than ${maxDepth} levels`);
  return readAttributes(bytes, base).map((attribute) => readField(attribute, depth));
}

function readField(attribute: BlobAttribute, depth: number): BlobmsgField {
  const { id, extended, payload, offset } = attribute;
  const where = `byte ${offset - 4}`;
  if (!extended) throw new CodecError(`${where}: blobmsg field without the flag of a named one`);
  const type = typeNames[id];
  if (type === undefined) throw new CodecError(`${where}: unknown blobmsg type ${id}`);
  if (payload.length < 4) throw new CodecError(`${where}: blobmsg field too short for a name`);
  const nameBytes = payload.readUInt16BE(0);
  const dataAt = (2 + nameBytes + 1 + 3) & ~3;
  if (dataAt > payload.length) {
    throw new CodecError(
      `${where}: name of ${nameBytes} bytes in a field of ${payload.length + 4} bytes`,
    );
  }
  const name = readString(payload.subarray(2, 2 + nameBytes + 1), `${where}: name`);
  const data = payload.subarray(dataAt);
  const expected = fixedBytes[type];
  if (expected !== undefined && data.length !== expected) {
    throw new CodecError(`${where}: ${type} of ${data.length} bytes, expected ${expected}`);
  }
  switch (type) {
    case 'unspec':
      return { name, type, value: Uint8Array.from(data) };
    case 'array':
    case 'table':
      return { name, type, value: readFields(data, offset + dataAt, depth + 1) };
    case 'string':
      return { name, type, value: readString(data, where) };
    case 'int64':
      return { name, type, value: data.readBigInt64BE(0) };
    case 'int32':
      return { name, type, value: data.readInt32BE(0) };
    case 'int16':
      return { name, type, value: data.readInt16BE(0) };
    case 'int8':
      return { name, type, value: data.readUInt8(0) };
    case 'double':
      return { name, type, value: data.readDoubleBE(0) };
  }
}

function writeField(writer: BlobWriter, field: BlobmsgField, depth: number): void {
  const what = `field "${field.name}"`;
  if (depth > maxDepth) throw new CodecError(`${what}: nested deeper than ${maxDepth} levels`);
  const nameBytes = Buffer.byteLength(field.name, 'utf8');
  if (nameBytes > 0xffff) throw new CodecError(`name of ${nameBytes} bytes, at most 65535 fit`);
  const mark = writer.open(blobmsgType[field.type], true);
  writer.uint16(nameBytes);
  writer.string(field.name, 'name');
  writer.pad();
  switch (field.type) {
    case 'unspec':
      writer.bytes(field.value);
      break;
    case 'array':
    case 'table':
      for (const inner of field.value) writeField(writer, inner, depth + 1);
      break;
    case 'string':
      writer.string(field.value, what);
      break;
    case 'int64':
      if (BigInt.asIntN(64, field.value) !== field.value) {
        throw new CodecError(`${what}: ${field.value} does not fit int64`);
      }
      writer.int64(field.value);
      break;
    case 'int32':
      writer.uint32(fit(field.value, -0x80000000, 0x7fffffff, `${what}: int32`));
      break;
    case 'int16':
      writer.uint16(fit(field.value, -0x8000, 0x7fff, `${what}: int16`));
      break;
    case 'int8':
      writer.uint8(fit(field.value, 0, 0xff, `${what}: int8`));
      break;
    case 'double':
      writer.double(field.value);
      break;
  }
  writer.close(mark);
}

function fit(value: number, low: number, high: number, what: string): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new CodecError(`${what} must be a whole number from ${low} to ${high}, got ${value}`);
}
