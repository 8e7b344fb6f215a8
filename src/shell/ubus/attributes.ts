// The attributes of a ubus message: status, object, method, data and the rest, by name.

import { BlobWriter, CodecError, readAttributes, readString } from './blob.ts';

/**
 * A message's attributes. They are encoded in the order the keys stand in, which libubus's readers
 * do not mind but its writers keep; `signature` and `data` hold blobmsg fields undecoded.
 */
export interface Attributes {
  status?: number;
  objectPath?: string;
  objectId?: number;
  method?: string;
  objectType?: number;
  signature?: Buffer;
  data?: Buffer;
  target?: number;
  active?: boolean;
  noReply?: boolean;
  /** Ids of the objects a notification went to. */
  subscribers?: number[];
  user?: string;
  group?: string;
}

type Kind = 'uint32' | 'string' | 'boolean' | 'nested' | 'ids';

/** Number and kind of each attribute, from ubus's ubusmsg.h. */
const attributeTable: Record<keyof Attributes, { id: number; kind: Kind }> = {
  status: { id: 1, kind: 'uint32' },
  objectPath: { id: 2, kind: 'string' },
  objectId: { id: 3, kind: 'uint32' },
  method: { id: 4, kind: 'string' },
  objectType: { id: 5, kind: 'uint32' },
  signature: { id: 6, kind: 'nested' },
  data: { id: 7, kind: 'nested' },
  target: { id: 8, kind: 'uint32' },
  active: { id: 9, kind: 'boolean' },
  noReply: { id: 10, kind: 'boolean' },
  subscribers: { id: 11, kind: 'ids' },
  user: { id: 12, kind: 'string' },
  group: { id: 13, kind: 'string' },
};

const byId = new Map(
  Object.entries(attributeTable).map(([name, { id, kind }]) => [id, { name, kind }]),
);

/**
 * Reads a message's attributes. Ids newer than this table are passed over and the last of two alike
 * wins, as in libubus.
 *
 * @throws CodecError naming byte, attribute and fault
 */
export function decodeAttributes(body: Buffer): Attributes {
  const attributes: Record<string, unknown> = {};
  for (const { id, extended, payload, offset } of readAttributes(body)) {
    const where = `byte ${offset - 4}`;
    if (extended) throw new CodecError(`${where}: extended attribute ${id} in a message's head`);
    const known = byId.get(id);
    if (!known) continue;
    attributes[known.name] = readValue(known.kind, payload, `${where}: ${known.name}`, offset);
  }
  return attributes;
}

/** The body of a message with these attributes. @throws CodecError when it would be too long */
export function encodeAttributes(attributes: Attributes): Buffer {
  const writer = new BlobWriter();
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    const { id, kind } = attributeTable[name as keyof Attributes];
    const mark = writer.open(id);
    writeValue(writer, kind, value, name);
    writer.close(mark);
  }
  return writer.finish();
}

function readValue(kind: Kind, payload: Buffer, what: string, offset: number): unknown {
  switch (kind) {
    case 'uint32':
      return readUint32(payload, what);
    case 'string':
      return readString(payload, what);
    case 'boolean':
      if (payload.length !== 1) {
        throw new CodecError(`${what} of ${payload.length} bytes, expected 1`);
      }
      return payload[0] !== 0;
    case 'nested':
      return payload;
    case 'ids':
      return readAttributes(payload, offset).map((entry) => readUint32(entry.payload, what));
  }
}

function readUint32(payload: Buffer, what: string): number {
  if (payload.length !== 4) throw new CodecError(`${what} of ${payload.length} bytes, expected 4`);
  return payload.readUInt32BE(0);
}

function writeValue(writer: BlobWriter, kind: Kind, value: unknown, what: string): void {
  switch (kind) {
    case 'uint32':
      writer.uint32(value as number);
      break;
    case 'string':
      writer.string(value as string, what);
      break;
    case 'boolean':
      writer.uint8(value ? 1 : 0);
      break;
    case 'nested':
      writer.bytes(value as Buffer);
      break;
    case 'ids':
      for (const id of value as number[]) {
        const mark = writer.open(0);
        writer.uint32(id);
        writer.close(mark);
      }
  }
}
