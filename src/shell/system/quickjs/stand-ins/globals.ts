// What the program expects of every engine and QuickJS has not: to be imported before anything else.
import { Controller } from './abort.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { Bytes } from './buffer.ts';
import { Decoder, Encoder } from './text.ts';

/** A copy of plain data, all the way down. */
function clone(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(clone);
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [key, clone(one)]));
  if (value instanceof Set) return new Set([...value].map(clone));
  if (value instanceof Uint8Array) return value.slice();
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, clone(one)]));
}

Object.assign(globalThis, {
  AbortController: Controller,
  Buffer: Bytes,
  TextDecoder: Decoder,
  TextEncoder: Encoder,
  atob: (text: string): string => Bytes.from(decodeBase64(text)).toString('latin1'),
  btoa: (text: string): string => encodeBase64(Bytes.from(text, 'latin1')),
  structuredClone: clone,
});
// V8's, which commander calls whatever runs it: an error knows where it was made all the same.
Object.assign(Error, { captureStackTrace: () => {} });
