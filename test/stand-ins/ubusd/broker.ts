// Stand-in for ubusd's protocol: clients, objects, calls, notifications, events. Knows no sockets.

import {
  type Attributes,
  decodeAttributes,
  encodeAttributes,
} from '../../../src/shell/ubus/attributes.ts';
import { encodeFrame, type Frame, messageType } from '../../../src/shell/ubus/frame.ts';
import { type StatusName, statusCode } from '../../../src/shell/ubus/status.ts';
import { EventRouter } from './events.ts';
import type { Client, Ids, ObjectType, ServedObject } from './model.ts';

/** Answers with no status of their own: the answer comes from elsewhere, or never. */
type Outcome = StatusName | 'ANSWERED';

/**
 * Follows openwrt/ubus's ubusd_proto.c, ubusd_obj.c and ubusd_event.c, so that what it sends is what
 * ubusd sends, byte for byte, given the same ids. Not here: access lists (everyone is `user` and
 * may do everything), the monitor object, passing of file descriptors.
 */
export class Broker {
  readonly #ids: Ids;
  readonly #clients = new Map<number, Client>();
  readonly #objects = new Map<number, ServedObject>();
  readonly #types = new Map<number, ObjectType>();
  readonly #events: EventRouter;

  constructor(ids: Ids) {
    this.#ids = ids;
    this.#events = new EventRouter(
      (id) => this.#objects.get(id),
      (object, frame) => this.#send(object.client, frame),
    );
  }

  connect(send: (bytes: Buffer) => void, user: string): Client {
    const client: Client = { id: this.#ids.client(), user, group: user, objects: new Set(), send };
    this.#clients.set(client.id, client);
    this.#send(client, { type: messageType.hello, seq: 0, peer: client.id, body: Buffer.alloc(0) });
    return client;
  }

  disconnect(client: Client): void {
    for (const object of client.objects) this.#free(object);
    this.#clients.delete(client.id);
  }

  /** Handles one message of a client. */
  receive(client: Client, frame: Frame): void {
    const outcome = this.#handle(client, frame, readLeniently(frame.body));
    if (outcome === 'ANSWERED') return;
    this.#reply(client, frame, messageType.status, { status: statusCode[outcome] });
  }

  #handle(client: Client, frame: Frame, attributes: Attributes): Outcome {
    switch (frame.type) {
      case messageType.ping:
        this.#send(client, { ...frame, type: messageType.data });
        return 'OK';
      case messageType.lookup:
        return this.#lookup(client, frame, attributes);
      case messageType.invoke:
        return this.#invoke(client, frame, attributes);
      case messageType.addObject:
        return this.#addObject(client, frame, attributes);
      case messageType.removeObject:
        return this.#removeObject(client, frame, attributes);
      case messageType.status:
      case messageType.data:
        return this.#forwardAnswer(client, frame, attributes);
      case messageType.subscribe:
        return this.#subscribe(client, attributes);
      case messageType.unsubscribe:
        return this.#unsubscribe(client, attributes);
      case messageType.notify:
        return this.#notify(client, frame, attributes);
      default:
        return 'INVALID_COMMAND';
    }
  }

  #lookup(client: Client, frame: Frame, { objectPath }: Attributes): Outcome {
    if (objectPath === '') return 'INVALID_ARGUMENT';
    const paths = [...this.#objects.values()]
      .filter((object) => object.path !== undefined && fits(object.path, objectPath))
      .sort((a, b) => (a.path! < b.path! ? -1 : 1));
    if (objectPath !== undefined && paths.length === 0) return 'NOT_FOUND';
    for (const { path, id, type } of paths) {
      if (!type) continue;
      this.#reply(client, frame, messageType.data, {
        objectPath: path!,
        objectId: id,
        objectType: type.id,
        signature: type.signature,
      });
    }
    return 'OK';
  }

  #invoke(client: Client, frame: Frame, attributes: Attributes): Outcome {
    const { objectId, method, data } = attributes;
    if (objectId === undefined || method === undefined) return 'INVALID_ARGUMENT';
    if (objectId === EventRouter.objectId) return this.#events.invoke(client, method, data);
    const object = this.#objects.get(objectId);
    if (!object) return 'NOT_FOUND';
    this.#forwardInvoke(client, object, frame, method, data);
    return 'ANSWERED';
  }

  #forwardInvoke(
    client: Client,
    object: ServedObject,
    frame: Frame,
    method: string,
    data: Buffer | undefined,
    head: Attributes = {},
  ): void {
    const attributes: Attributes = {
      ...head,
      objectId: object.id,
      method,
      user: client.user,
      group: client.group,
      ...(data && { data }),
    };
    const body = encodeAttributes(attributes);
    this.#send(object.client, {
      type: messageType.invoke,
      seq: frame.seq,
      peer: client.id,
      body,
    });
  }

  #addObject(client: Client, frame: Frame, attributes: Attributes): Outcome {
    const { objectPath: path, signature } = attributes;
    const taken = [...this.#objects.values()].some((other) => other.path === path);
    if (path !== undefined && taken) return 'INVALID_ARGUMENT';
    const type = this.#takeType(attributes);
    const object: ServedObject = {
      id: this.#ids.object(),
      client,
      ...(path !== undefined && { path }),
      ...(type && { type }),
      subscribers: [],
      targets: [],
      lastSeq: 0,
    };
    this.#objects.set(object.id, object);
    client.objects.add(object);
    if (path !== undefined) this.#events.announce('ubus.object.add', object);
    this.#reply(client, frame, messageType.data, {
      objectId: object.id,
      ...(signature && type && { objectType: type.id }),
    });
    return 'OK';
  }

  #takeType({ objectType, signature }: Attributes): ObjectType | undefined {
    let type: ObjectType | undefined;
    if (objectType !== undefined) type = this.#types.get(objectType);
    else if (signature) type = { id: this.#ids.type(), signature: Buffer.from(signature), uses: 0 };
    if (type) {
      type.uses++;
      this.#types.set(type.id, type);
    }
    return type;
  }

  #removeObject(client: Client, frame: Frame, { objectId }: Attributes): Outcome {
    if (objectId === undefined) return 'INVALID_ARGUMENT';
    const object = this.#objects.get(objectId);
    if (!object) return 'NOT_FOUND';
    if (object.client !== client) return 'PERMISSION_DENIED';
    this.#reply(client, frame, messageType.data, {
      objectId,
      ...(object.type?.uses === 1 && { objectType: object.type.id }),
    });
    this.#free(object);
    return 'OK';
  }

  #free(object: ServedObject): void {
    for (const target of [...object.targets]) this.#endSubscription(object, target);
    for (const subscriber of [...object.subscribers]) {
      this.#send(subscriber.client, {
        type: messageType.unsubscribe,
        seq: nextSeq(subscriber),
        peer: 0,
        body: encodeAttributes({ objectId: subscriber.id, target: object.id }),
      });
      this.#endSubscription(subscriber, object);
    }
    this.#events.forget(object);
    this.#objects.delete(object.id);
    object.client.objects.delete(object);
    if (object.path !== undefined) this.#events.announce('ubus.object.remove', object);
    if (object.type && --object.type.uses === 0) this.#types.delete(object.type.id);
  }

  #forwardAnswer(client: Client, frame: Frame, { objectId, status, data }: Attributes): Outcome {
    const complete = frame.type === messageType.status ? status : data;
    const object = objectId === undefined ? undefined : this.#objects.get(objectId);
    const asker = this.#clients.get(frame.peer);
    if (complete !== undefined && object?.client === client && asker) {
      this.#send(asker, { ...frame, peer: object.id });
    }
    return 'ANSWERED';
  }

  #subscribe(client: Client, { objectId, target: targetId }: Attributes): Outcome {
    if (objectId === undefined || targetId === undefined) return 'INVALID_ARGUMENT';
    const object = this.#objects.get(objectId);
    if (!object) return 'NOT_FOUND';
    if (object.client !== client) return 'INVALID_ARGUMENT';
    const target = this.#objects.get(targetId);
    if (!target) return 'NOT_FOUND';
    if (target.client === client) return 'INVALID_ARGUMENT';
    target.subscribers.unshift(object);
    object.targets.unshift(target);
    if (target.subscribers.length === 1) this.#tellSubscribers(target);
    return 'OK';
  }

  #unsubscribe(client: Client, { objectId, target: targetId }: Attributes): Outcome {
    if (objectId === undefined || targetId === undefined) return 'INVALID_ARGUMENT';
    const object = this.#objects.get(objectId);
    if (!object) return 'NOT_FOUND';
    if (object.client !== client) return 'INVALID_ARGUMENT';
    const target = object.targets.find(({ id }) => id === targetId);
    if (!target) return 'NOT_FOUND';
    this.#endSubscription(object, target);
    return 'OK';
  }

  #endSubscription(subscriber: ServedObject, target: ServedObject): void {
    target.subscribers.splice(target.subscribers.indexOf(subscriber), 1);
    subscriber.targets.splice(subscriber.targets.indexOf(target), 1);
    if (target.subscribers.length === 0) this.#tellSubscribers(target);
  }

  #tellSubscribers(object: ServedObject): void {
    this.#send(object.client, {
      type: messageType.notify,
      seq: nextSeq(object),
      peer: 0,
      body: encodeAttributes({ objectId: object.id, active: object.subscribers.length > 0 }),
    });
  }

  #notify(client: Client, frame: Frame, attributes: Attributes): Outcome {
    const { objectId, method, data, noReply } = attributes;
    if (objectId === undefined || method === undefined) return 'INVALID_ARGUMENT';
    const object = this.#objects.get(objectId);
    if (!object) return 'NOT_FOUND';
    if (object.client !== client) return 'PERMISSION_DENIED';
    if (!noReply) {
      const subscribers = object.subscribers.map(({ id }) => id);
      this.#reply(client, frame, messageType.status, { objectId, subscribers, status: 0 });
    }
    const head: Attributes = noReply ? { noReply: true } : {};
    for (const subscriber of object.subscribers) {
      this.#forwardInvoke(client, subscriber, frame, method, data, head);
    }
    return 'ANSWERED';
  }

  #reply(client: Client, { seq, peer }: Frame, type: number, attributes: Attributes): void {
    this.#send(client, { type, seq, peer, body: encodeAttributes(attributes) });
  }

  #send(client: Client, frame: Frame): void {
    if (this.#clients.has(client.id)) client.send(encodeFrame(frame));
  }
}

/** ubusd passes over what it cannot read; a body that is damaged counts as empty here. */
function readLeniently(body: Buffer): Attributes {
  try {
    return decodeAttributes(body);
  } catch {
    return {};
  }
}

function fits(path: string, pattern: string | undefined): boolean {
  if (pattern === undefined) return true;
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

function nextSeq(object: ServedObject): number {
  object.lastSeq = (object.lastSeq + 1) & 0xffff;
  return object.lastSeq;
}
