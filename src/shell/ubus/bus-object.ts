// What the client keeps for each object of ours on the bus, and puts back when ubusd restarts.

import type { Attributes } from './attributes.ts';
import type { Caller } from './object.ts';

/** What an object's behaviour may ask of ubusd. */
export interface Bus {
  /**
   * Sends a request and waits for its status; returns the data messages that came before it.
   *
   * @param what the request in words, for errors
   * @throws UbusError
   */
  request(what: string, type: number, attributes: Attributes, peer?: number): Promise<Attributes[]>;
}

/** A message that reached one of our objects. */
export interface Invocation {
  method: string;
  /** blobmsg fields, undecoded. */
  data: Buffer;
  caller: Caller;
  /** The calling client's id; 0 when ubusd itself delivers an event. */
  peer: number;
}

export interface BusObjectBehaviour {
  /** For the log: `object iotshaper`. */
  name: string;
  /** What ADD_OBJECT carries: path and signature, or nothing for an object only we know. */
  announcement: Attributes;
  /** After each time the object came on the bus; may be called again after it failed. */
  onAdded?(bus: Bus, objectId: number): Promise<void>;
  onInvoke(invocation: Invocation): Promise<object | undefined> | undefined;
  /** An object this one had subscribed to is gone. */
  onTargetGone?(targetId: number): void;
  /** The first subscriber came or the last one left. */
  onSubscribers?(any: boolean): void;
  /** The connection is gone and the object with it. */
  onLost?(): void;
}

/** One object and whether it is on the bus now. */
export class BusObject {
  readonly behaviour: BusObjectBehaviour;
  /** As ubusd assigned it, 0 while it is not there. */
  id = 0;
  #present = false;
  #waiters: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(behaviour: BusObjectBehaviour) {
    this.behaviour = behaviour;
  }

  /** Resolves while the object is on the bus, at once or when it comes. Rejects when the client is closed. */
  whenPresent(): Promise<void> {
    if (this.#present) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  markPresent(): void {
    this.#present = true;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  markLost(): void {
    this.id = 0;
    this.#present = false;
    this.behaviour.onLost?.();
  }

  abandon(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}
