// A client of ubusd: calls, published objects, subscriptions and events, kept up across restarts.

import type { System } from '../system/system.ts';
import { decodeBlobmsg, encodeBlobmsg } from './blobmsg.ts';
import { BusObject, type BusObjectBehaviour } from './bus-object.ts';
import { messageType } from './frame.ts';
import { BusLink } from './link.ts';
import { callMethod, decodeSignature, encodeSignature, type ObjectDefinition } from './object.ts';
import { UbusError } from './status.ts';
import {
  eventBehaviour,
  type Listener,
  raiseEvent,
  subscriptionBehaviour,
} from './subscription.ts';
import { fromBlobmsg, type Table, toBlobmsg } from './values.ts';

export interface UbusClientOptions {
  /** Where ubusd listens. */
  socketPath: string;
  /** How long a request may take, default 30 s, as `ubus -t`. */
  requestTimeoutMs?: number;
  /** How long ubusd may take to greet, default 5 s. */
  helloTimeoutMs?: number;
  /** Told when ubusd comes and goes, and what went wrong; default: nobody. */
  log?: (message: string) => void;
}

export interface ObjectInfo {
  path: string;
  id: number;
  typeId: number;
  /** Method → argument → type name. */
  methods: Record<string, Record<string, string>>;
}

/** Something of ours on the bus; it comes back by itself after ubusd restarted. */
export interface BusHandle {
  /** Resolves while it is on the bus, at once or when it comes. */
  whenPresent(): Promise<void>;
  /** Takes it off the bus for good. */
  remove(): Promise<void>;
}

export interface PublishedObject extends BusHandle {
  /** Tells subscribers; without a connection or subscribers it is lost, as notifications are. */
  notify(type: string, data: object): void;
  /** Whether anybody subscribed. */
  readonly hasSubscribers: boolean;
}

/**
 * Keeps one connection to ubusd for as long as it lives, trying again whenever there is none: a
 * daemon may start before ubusd and runs on without it. Meanwhile requests fail with
 * CONNECTION_FAILED; published objects, subscriptions and listeners are put back on the bus.
 */
export class UbusClient {
  readonly #link: BusLink;

  constructor(system: Pick<System, 'sockets' | 'timers'>, options: UbusClientOptions) {
    this.#link = new BusLink(system, {
      socketPath: options.socketPath,
      requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
      helloTimeoutMs: options.helloTimeoutMs ?? 5000,
      log: options.log ?? (() => {}),
    });
  }

  get connected(): boolean {
    return this.#link.connected;
  }

  /**
   * Resolves once there is a connection.
   *
   * @throws UbusError CONNECTION_FAILED when there is none within `timeoutMs` (default: no limit)
   */
  whenConnected(timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    return this.#link.whenConnected(timeoutMs);
  }

  /**
   * Objects on the bus.
   *
   * @param pattern a path, or the beginning of paths and `*`; without it, all
   * @throws UbusError NOT_FOUND when a pattern fits none
   */
  async lookup(pattern?: string): Promise<ObjectInfo[]> {
    const replies = await this.#link.request(
      `look up ${pattern ?? 'objects'}`,
      messageType.lookup,
      pattern === undefined ? {} : { objectPath: pattern },
    );
    return replies.flatMap(({ objectPath, objectId, objectType, signature }) => {
      if (objectPath === undefined || objectId === undefined || objectType === undefined) return [];
      const methods = signature ? decodeSignature(signature) : {};
      return [{ path: objectPath, id: objectId, typeId: objectType, methods }];
    });
  }

  /**
   * Calls a method, looking its object up first.
   *
   * @returns what it answered; an empty table when it answered nothing
   * @throws UbusError with the status it ended with, naming object and method
   */
  async call(
    path: string,
    method: string,
    args: object = {},
    options: { timeoutMs?: number } = {},
  ): Promise<Table> {
    const what = `ubus call ${path} ${method}`;
    const data = encodeBlobmsg(toBlobmsg(args));
    const { lookup, invoke } = messageType;
    const [found] = await this.#link.request(what, lookup, { objectPath: path });
    if (found?.objectId === undefined) throw new UbusError('NOT_FOUND', what);
    const { objectId } = found;
    const body = { objectId, method, data };
    const replies = await this.#link.request(what, invoke, body, objectId, options.timeoutMs);
    const reply = replies.findLast((attributes) => attributes.data !== undefined);
    if (!reply?.data) return {};
    try {
      return fromBlobmsg(decodeBlobmsg(reply.data));
    } catch (error) {
      throw new UbusError('PARSE_ERROR', `${what}: ${(error as Error).message}`);
    }
  }

  /** Offers an object on the bus, now or as soon as there is one. */
  publish(definition: ObjectDefinition): PublishedObject {
    let subscribed = false;
    const object = new BusObject({
      name: `object ${definition.path}`,
      announcement: {
        objectPath: definition.path,
        signature: encodeSignature(definition.methods),
      },
      onInvoke: ({ method, data, caller }) => callMethod(definition, method, data, caller),
      onSubscribers(any) {
        subscribed = any;
      },
      onLost() {
        subscribed = false;
      },
    });
    const link = this.#link;
    link.add(object);
    return {
      ...this.#handle(object),
      notify(type, data) {
        const { id } = object;
        if (id === 0) return;
        const body = encodeBlobmsg(toBlobmsg(data));
        link.post(
          messageType.notify,
          { objectId: id, method: type, data: body, noReply: true },
          id,
        );
      },
      get hasSubscribers() {
        return subscribed;
      },
    };
  }

  /**
   * Hears the notifications of the object at `path`, whenever it is there.
   *
   * @param onPresence told whether the object is there, at first and on every change
   */
  subscribe(
    path: string,
    listener: Listener,
    onPresence: (present: boolean) => void = () => {},
  ): BusHandle {
    return this.#join(subscriptionBehaviour(path, listener, onPresence));
  }

  /** Hears events named `pattern`, or beginning with what stands before its final `*`. */
  listen(pattern: string, listener: Listener): BusHandle {
    return this.#join(eventBehaviour(pattern, listener));
  }

  /** Raises an event. @throws UbusError PERMISSION_DENIED for names beginning with `ubus.` */
  sendEvent(name: string, data: object = {}): Promise<void> {
    return raiseEvent(this.#link, name, data);
  }

  /** Ends it for good; what waits fails with CONNECTION_FAILED. */
  close(): void {
    this.#link.close();
  }

  #join(behaviour: BusObjectBehaviour): BusHandle {
    const object = new BusObject(behaviour);
    this.#link.add(object);
    return this.#handle(object);
  }

  #handle(object: BusObject): BusHandle {
    return {
      whenPresent: () => object.whenPresent(),
      remove: () => this.#link.remove(object),
    };
  }
}
