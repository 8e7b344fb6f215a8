// The link to ubusd: one connection kept up, requests sent over it, our objects put back on it.

import { pause, type System } from '../system/system.ts';
import { type Attributes, decodeAttributes, encodeAttributes } from './attributes.ts';
import { encodeBlobmsg } from './blobmsg.ts';
import type { Bus, BusObject } from './bus-object.ts';
import { type Connection, openConnection } from './connection.ts';
import { type Frame, messageType } from './frame.ts';
import { RequestTable } from './requests.ts';
import { type StatusName, statusCode, UbusError } from './status.ts';
import { toBlobmsg } from './values.ts';

const firstRetryMs = 100;
/** Longest pause between tries, so that what restarts is back on the bus well within two seconds. */
const longestRetryMs = 1000;
/** Calls to our objects that may run at once; a caller beyond them is told NO_MEMORY. */
const maxRunningCalls = 128;

export interface LinkOptions {
  socketPath: string;
  requestTimeoutMs: number;
  helloTimeoutMs: number;
  log(message: string): void;
}

export class BusLink implements Bus {
  readonly #system: Pick<System, 'sockets' | 'timers'>;
  readonly #options: LinkOptions;
  readonly #requests: RequestTable;
  readonly #objects = new Set<BusObject>();
  readonly #closing = new AbortController();
  #connection: Connection | null = null;
  #runningCalls = 0;
  #waiters: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(system: Pick<System, 'sockets' | 'timers'>, options: LinkOptions) {
    this.#system = system;
    this.#options = options;
    this.#requests = new RequestTable(system.timers);
    void this.#keepConnected();
  }

  get connected(): boolean {
    return this.#connection !== null && !this.#closing.signal.aborted;
  }

  whenConnected(timeoutMs: number): Promise<void> {
    if (this.connected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const fail = () =>
        reject(new UbusError('CONNECTION_FAILED', `no ubusd at ${this.#options.socketPath}`));
      if (this.#closing.signal.aborted) {
        fail();
        return;
      }
      const cancel = Number.isFinite(timeoutMs)
        ? this.#system.timers.after(timeoutMs, fail)
        : () => {};
      const settled = (then: () => void) => () => {
        cancel();
        then();
      };
      this.#waiters.push({ resolve: settled(resolve), reject: settled(fail) });
    });
  }

  async request(
    what: string,
    type: number,
    attributes: Attributes,
    peer = 0,
    timeoutMs = this.#options.requestTimeoutMs,
    onReply?: (reply: Attributes) => void,
  ): Promise<Attributes[]> {
    const body = encodeAttributes(attributes);
    const connection = this.connected ? this.#connection : null;
    if (!connection) throw new UbusError('CONNECTION_FAILED', what);
    const { seq, answer } = this.#requests.start(what, peer, timeoutMs, onReply);
    connection.send({ type, seq, peer, body });
    return await answer;
  }

  /** Sends what has no answer, under the sequence no request has. Without a connection it is lost. */
  post(type: number, attributes: Attributes, peer: number): void {
    this.#connection?.send({ type, seq: 0, peer, body: encodeAttributes(attributes) });
  }

  add(object: BusObject): void {
    this.#objects.add(object);
    if (this.#connection) void this.#register(object, this.#connection);
  }

  async remove(object: BusObject): Promise<void> {
    if (!this.#objects.delete(object)) return;
    const { id } = object;
    object.abandon(new UbusError('NOT_FOUND', `${object.behaviour.name} was removed`));
    if (id === 0) return;
    object.id = 0;
    await this.request(`remove ${object.behaviour.name}`, messageType.removeObject, {
      objectId: id,
    });
  }

  close(): void {
    this.#closing.abort();
    this.#connection?.close();
    const error = new UbusError('CONNECTION_FAILED', 'closed');
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    for (const object of this.#objects) object.abandon(error);
    this.#requests.failAll('closed');
  }

  async #keepConnected(): Promise<void> {
    const { socketPath, helloTimeoutMs, log } = this.#options;
    let retryMs = firstRetryMs;
    let lastFault = '';
    while (!this.#closing.signal.aborted) {
      let closed: (reason: string) => void = () => {};
      const whenClosed = new Promise<string>((resolve) => {
        closed = resolve;
      });
      try {
        const connection: Connection = await openConnection(
          this.#system,
          socketPath,
          { onFrame: (frame) => this.#onFrame(frame, connection), onClose: closed },
          helloTimeoutMs,
        );
        if (this.#closing.signal.aborted) {
          connection.close();
          return;
        }
        if (lastFault !== '') log('ubus: connected');
        retryMs = firstRetryMs;
        this.#onConnected(connection);
        lastFault = await whenClosed;
        this.#onLost(lastFault);
        if (!this.#closing.signal.aborted) log(`ubus: connection lost: ${lastFault}`);
      } catch (error) {
        const fault = (error as Error).message;
        // Once for each fault: a router without ubusd must not fill its log.
        if (fault !== lastFault) log(`ubus: ${fault}; trying again`);
        lastFault = fault;
      }
      await pause(this.#system.timers, retryMs, this.#closing.signal);
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    }
  }

  #onConnected(connection: Connection): void {
    this.#connection = connection;
    for (const object of this.#objects) void this.#register(object, connection);
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  #onLost(reason: string): void {
    this.#connection = null;
    this.#requests.failAll(reason);
    for (const object of this.#objects) object.markLost();
  }

  /** Puts an object on the bus, and keeps trying while the connection lasts. */
  async #register(object: BusObject, connection: Connection): Promise<void> {
    const { behaviour } = object;
    const current = () => this.#connection === connection && this.#objects.has(object);
    let lastFault = '';
    while (current()) {
      try {
        if (object.id === 0) await this.#announce(object);
        if (!current()) return;
        await behaviour.onAdded?.(this, object.id);
        if (current()) object.markPresent();
        return;
      } catch (error) {
        const fault = (error as Error).message;
        if (current() && fault !== lastFault) {
          const hint =
            object.id === 0 && behaviour.announcement.objectPath !== undefined
              ? ' (does another process offer it?)'
              : '';
          this.#options.log(`ubus: ${fault}${hint}; trying again`);
        }
        lastFault = fault;
      }
      await pause(this.#system.timers, longestRetryMs, this.#closing.signal);
    }
  }

  async #announce(object: BusObject): Promise<void> {
    const { behaviour } = object;
    const what = `add ${behaviour.name}`;
    // The id is noted with the reply itself: a call to the object may stand right behind it.
    const note = (reply: Attributes) => {
      object.id = reply.objectId ?? 0;
    };
    const { addObject } = messageType;
    await this.request(what, addObject, behaviour.announcement, 0, undefined, note);
    if (object.id === 0) throw new UbusError('NO_DATA', what);
  }

  #onFrame(frame: Frame, connection: Connection): void {
    const answers = frame.type === messageType.status || frame.type === messageType.data;
    let attributes: Attributes;
    try {
      attributes = decodeAttributes(frame.body);
    } catch (error) {
      // The stream is intact; one client's damaged answer must not cost us the connection.
      if (answers) this.#requests.refuse(frame, (error as Error).message);
      else this.#options.log(`ubus: ignored a message: ${(error as Error).message}`);
      return;
    }
    if (answers) {
      this.#requests.take(frame, attributes);
      return;
    }
    const object = this.#find(attributes.objectId);
    switch (frame.type) {
      case messageType.invoke:
        void this.#onInvoke(frame, attributes, object, connection);
        break;
      case messageType.notify:
        if (attributes.active !== undefined) object?.behaviour.onSubscribers?.(attributes.active);
        break;
      case messageType.unsubscribe:
        if (attributes.target !== undefined) object?.behaviour.onTargetGone?.(attributes.target);
        break;
    }
  }

  #find(objectId: number | undefined): BusObject | undefined {
    if (objectId === undefined || objectId === 0) return undefined;
    for (const object of this.#objects) if (object.id === objectId) return object;
    return undefined;
  }

  async #onInvoke(
    frame: Frame,
    attributes: Attributes,
    object: BusObject | undefined,
    connection: Connection,
  ): Promise<void> {
    const { objectId = 0, method, data } = attributes;
    const respond = (type: number, rest: Attributes) => {
      if (attributes.noReply || this.#connection !== connection) return;
      connection.send({ type, seq: frame.seq, peer: frame.peer, body: encodeAttributes(rest) });
    };
    const finish = (status: StatusName) =>
      respond(messageType.status, { status: statusCode[status], objectId });

    if (!object) return finish('NOT_FOUND');
    if (method === undefined || data === undefined) return finish('INVALID_ARGUMENT');
    if (this.#runningCalls >= maxRunningCalls) return finish('NO_MEMORY');
    this.#runningCalls++;
    try {
      const caller = { user: attributes.user ?? '', group: attributes.group ?? '' };
      const call = { method, data, caller, peer: frame.peer };
      const reply = await object.behaviour.onInvoke(call);
      if (reply !== undefined) {
        respond(messageType.data, { objectId, data: encodeBlobmsg(toBlobmsg(reply)) });
      }
      finish('OK');
    } catch (error) {
      if (error instanceof UbusError) return finish(error.status);
      this.#options.log(`ubus: ${object.behaviour.name}, ${method}: ${(error as Error).message}`);
      finish('UNKNOWN_ERROR');
    } finally {
      this.#runningCalls--;
    }
  }
}
