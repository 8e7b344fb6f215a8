// Stand-in for ubusd's event object: who listens for which names, and who is told.

import { encodeAttributes } from '../../../src/shell/ubus/attributes.ts';
import {
  type BlobmsgField,
  decodeBlobmsg,
  encodeBlobmsg,
} from '../../../src/shell/ubus/blobmsg.ts';
import { type Frame, messageType } from '../../../src/shell/ubus/frame.ts';
import type { StatusName } from '../../../src/shell/ubus/status.ts';
import type { Client, ServedObject } from './model.ts';

const firstOrdinaryId = 1024;

export class EventRouter {
  static readonly objectId = 1;
  readonly #find: (id: number) => ServedObject | undefined;
  readonly #send: (object: ServedObject, frame: Frame) => void;
  #patterns: { object: ServedObject; pattern: string }[] = [];
  #lastSeq = 0;

  constructor(
    find: (id: number) => ServedObject | undefined,
    send: (object: ServedObject, frame: Frame) => void,
  ) {
    this.#find = find;
    this.#send = send;
  }

  /** A client's call of `register` or `send`. */
  invoke(client: Client, method: string, data: Buffer | undefined): StatusName {
    const fields = readFields(data);
    if (method === 'register') return this.#register(client, fields);
    if (method === 'send') return this.#raise(client, fields);
    return 'INVALID_COMMAND';
  }

  /** ubusd's own events about objects. */
  announce(name: string, object: ServedObject): void {
    this.#deliver(null, name, describeObject(object));
  }

  forget(object: ServedObject): void {
    this.#patterns = this.#patterns.filter((entry) => entry.object !== object);
  }

  #register(client: Client, fields: BlobmsgField[]): StatusName {
    const id = fields.find(({ name, type }) => name === 'object' && type === 'int32');
    const pattern = fields.find(({ name, type }) => name === 'pattern' && type === 'string');
    if (!id || !pattern) return 'INVALID_ARGUMENT';
    const objectId = Number(id.value) >>> 0;
    if (objectId < firstOrdinaryId) return 'PERMISSION_DENIED';
    const object = this.#find(objectId);
    if (!object) return 'NOT_FOUND';
    if (object.client !== client || pattern.value === '') return 'PERMISSION_DENIED';
    this.#patterns.push({ object, pattern: String(pattern.value) });
    return 'OK';
  }

  #raise(client: Client, fields: BlobmsgField[]): StatusName {
    const id = fields.find(({ name, type }) => name === 'id' && type === 'string');
    const data = fields.find(({ name, type }) => name === 'data' && type === 'table');
    if (!id || data?.type !== 'table') return 'INVALID_ARGUMENT';
    const name = String(id.value);
    if (name.startsWith('ubus.')) return 'PERMISSION_DENIED';
    this.#deliver(client, name, encodeBlobmsg(data.value));
    return 'OK';
  }

  #deliver(sender: Client | null, name: string, data: Buffer): void {
    const told = new Set<ServedObject>();
    for (const { object, pattern } of this.#patterns) {
      if (object.client === sender || told.has(object) || !fits(name, pattern)) continue;
      told.add(object);
      this.#lastSeq = (this.#lastSeq + 1) & 0xffff;
      this.#send(object, {
        type: messageType.invoke,
        seq: this.#lastSeq,
        peer: 0,
        body: encodeAttributes({ objectId: object.id, method: name, data }),
      });
    }
  }
}

function fits(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function readFields(data: Buffer | undefined): BlobmsgField[] {
  try {
    return data ? decodeBlobmsg(data) : [];
  } catch {
    return [];
  }
}

function describeObject({ id, path = '' }: ServedObject): Buffer {
  return encodeBlobmsg([
    { name: 'id', type: 'int32', value: id | 0 },
    { name: 'path', type: 'string', value: path },
  ]);
}
