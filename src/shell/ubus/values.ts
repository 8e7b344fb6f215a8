// Plain values to blobmsg fields and back: which type a JavaScript value becomes on the bus.

import { CodecError } from './blob.ts';
import { type BlobmsgField, type BlobmsgValue, maxDepth } from './blobmsg.ts';

/** What a reply, a notification or a call's arguments hold. */
export type Table = { [name: string]: unknown };

/**
 * Chooses types so that `ubus call` prints the value a person expects, as `ubus call` itself
 * chooses them for its JSON (libubox blobmsg_json.c): boolean → int8; whole number → int32 where
 * it fits, else int64; any other number → double; string, array, table as they are.
 * What has no value (null, undefined, NaN, infinities) is left out: old clients know no null.
 * A NUL inside a string becomes U+FFFD, since every C program would stop reading there.
 *
 * @throws CodecError naming the field for what cannot be sent: functions, symbols, class
 *   instances, bigints over 64 bits, nesting deeper than 32
 */
export function toBlobmsg(table: object): BlobmsgField[] {
  return tableFields(table, '', 1);
}

/** The plain value of fields: int8 → boolean, int64 → number where exact, else bigint; unspec → null. */
export function fromBlobmsg(fields: readonly BlobmsgField[]): Table {
  // fromEntries defines own properties, so a field named __proto__ is only a field.
  return Object.fromEntries(fields.map((field) => [field.name, plainValue(field)]));
}

function plainValue(field: BlobmsgValue): unknown {
  switch (field.type) {
    case 'unspec':
      return null;
    case 'array':
      return field.value.map(plainValue);
    case 'table':
      return fromBlobmsg(field.value);
    case 'int64': {
      const number = Number(field.value);
      return BigInt(number) === field.value ? number : field.value;
    }
    case 'int8':
      return field.value !== 0;
    default:
      return field.value;
  }
}

function tableFields(table: object, path: string, depth: number): BlobmsgField[] {
  if (depth > maxDepth) throw new CodecError(`${path}: nested deeper than ${maxDepth} levels`);
  const fields: BlobmsgField[] = [];
  for (const [name, value] of Object.entries(table)) {
    const typed = blobmsgValue(value, path === '' ? name : `${path}.${name}`, depth);
    if (typed) fields.push({ name: name.replaceAll('\0', '\uFFFD'), ...typed });
  }
  return fields;
}

function arrayFields(values: readonly unknown[], path: string, depth: number): BlobmsgField[] {
  if (depth > maxDepth) throw new CodecError(`${path}: nested deeper than ${maxDepth} levels`);
  const fields: BlobmsgField[] = [];
  values.forEach((value, index) => {
    const typed = blobmsgValue(value, `${path}[${index}]`, depth);
    if (typed) fields.push({ name: '', ...typed });
  });
  return fields;
}

function blobmsgValue(value: unknown, path: string, depth: number): BlobmsgValue | null {
  switch (typeof value) {
    case 'undefined':
      return null;
    case 'boolean':
      return { type: 'int8', value: value ? 1 : 0 };
    case 'string':
      return { type: 'string', value: value.replaceAll('\0', '\uFFFD') };
    case 'number':
      return numberValue(value);
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) {
        throw new CodecError(`${path}: ${value} does not fit 64 bits`);
      }
      return integerValue(value);
    case 'object': {
      if (value === null) return null;
      if (Array.isArray(value)) {
        return { type: 'array', value: arrayFields(value, path, depth + 1) };
      }
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) {
        return { type: 'table', value: tableFields(value, path, depth + 1) };
      }
    }
  }
  throw new CodecError(`${path}: a ${describe(value)} cannot be sent over ubus`);
}

function numberValue(value: number): BlobmsgValue | null {
  if (!Number.isFinite(value)) return null;
  // Above 2^63 only a double holds it.
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return integerValue(BigInt(value));
  return { type: 'double', value };
}

function integerValue(value: bigint): BlobmsgValue {
  if (BigInt.asIntN(32, value) === value) return { type: 'int32', value: Number(value) };
  return { type: 'int64', value };
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value;
  return value.constructor?.name ?? 'object';
}
