// Objects we offer on the bus: their signatures, and what a call to one of their methods becomes.

import type { BlobmsgField, BlobmsgTypeName } from './blobmsg.ts';
import { blobmsgType, decodeBlobmsg, encodeBlobmsg } from './blobmsg.ts';
import { UbusError } from './status.ts';
import { fromBlobmsg, type Table } from './values.ts';

export type ArgumentType = Exclude<BlobmsgTypeName, 'unspec'>;

/** Who calls; ubusd vouches for it. */
export interface Caller {
  user: string;
  group: string;
}

export interface Method {
  /** Name and type of each argument, as `ubus -v list` shows them. All may be left out by a caller. */
  arguments: Readonly<Record<string, ArgumentType>>;
  /**
   * Answers a call; a promise defers the reply. Arguments have the declared types, those not
   * declared are passed on too (rpcd adds `ubus_rpc_session`). Throw a UbusError to refuse.
   */
  handler(args: Table, caller: Caller): object | undefined | Promise<object | undefined>;
}

export interface ObjectDefinition {
  path: string;
  methods: Readonly<Record<string, Method>>;
}

const integers: readonly BlobmsgTypeName[] = ['int64', 'int32', 'int16'];

/** The signature as ubus publishes it: a table per method, argument name → number of its type. */
export function encodeSignature(methods: ObjectDefinition['methods']): Buffer {
  const fields = Object.entries(methods).map(
    ([name, method]): BlobmsgField => ({
      name,
      type: 'table',
      value: Object.entries(method.arguments).map(([argument, type]) => ({
        name: argument,
        type: 'int32',
        value: blobmsgType[type],
      })),
    }),
  );
  return encodeBlobmsg(fields);
}

/** Reads a signature: method → argument → type name. @throws CodecError */
export function decodeSignature(bytes: Buffer): Record<string, Record<string, string>> {
  const typeNames = Object.keys(blobmsgType);
  return Object.fromEntries(
    decodeBlobmsg(bytes).map((method) => [
      method.name,
      Object.fromEntries(
        (method.type === 'table' ? method.value : []).map((argument) => [
          argument.name,
          typeNames[Number(argument.value)] ?? 'unknown',
        ]),
      ),
    ]),
  );
}

/**
 * Calls a method of an object with undecoded arguments.
 *
 * @throws UbusError METHOD_NOT_FOUND; INVALID_ARGUMENT for damaged arguments and for a type that
 *   was not declared; whatever the handler throws
 */
export async function callMethod(
  definition: ObjectDefinition,
  name: string,
  data: Buffer,
  caller: Caller,
): Promise<object | undefined> {
  if (!Object.hasOwn(definition.methods, name)) throw new UbusError('METHOD_NOT_FOUND');
  const method = definition.methods[name]!;
  const fields = readArguments(data);
  for (const { name, type } of fields) {
    if (!Object.hasOwn(method.arguments, name)) continue;
    if (!accepts(method.arguments[name]!, type)) throw new UbusError('INVALID_ARGUMENT');
  }
  return await method.handler(fromBlobmsg(fields), caller);
}

function readArguments(data: Buffer): BlobmsgField[] {
  try {
    return decodeBlobmsg(data);
  } catch {
    throw new UbusError('INVALID_ARGUMENT');
  }
}

function accepts(declared: ArgumentType, got: BlobmsgTypeName): boolean {
  if (integers.includes(declared)) return integers.includes(got);
  // A whole number reaches us as an integer: `ubus call` types its JSON that way.
  if (declared === 'double') return got === 'double' || integers.includes(got);
  return got === declared;
}
