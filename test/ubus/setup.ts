// A socket of its own for each test, with a stand-in ubusd, and what closes both again.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { UbusClient, type UbusClientOptions } from '../../src/shell/ubus/client.ts';
import { startUbusd, type UbusdStandIn } from '../stand-ins/ubusd/ubusd.ts';

export interface Bus {
  socketPath: string;
  daemon: UbusdStandIn;
  /** A client that is connected. */
  connect(options?: Partial<UbusClientOptions>): Promise<UbusClient>;
}

/** A path for a socket, removed after the test. */
export function socketPathFor(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'iotshaper-ubus-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'ubus.sock');
}

export async function startBus(t: ExecutionContext): Promise<Bus> {
  const socketPath = socketPathFor(t);
  const daemon = await startUbusd(socketPath);
  t.teardown(() => daemon.close());
  return {
    socketPath,
    daemon,
    async connect(options = {}) {
      const client = new UbusClient(nodeSystem, { socketPath, ...options });
      t.teardown(() => client.close());
      await client.whenConnected(5000);
      return client;
    },
  };
}

/** A promise and what settles it: lets a test await what a callback is told. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Values a callback is given, to be awaited one by one. */
export function queue<T>(): { push: (value: T) => void; next: () => Promise<T> } {
  const values: T[] = [];
  const waiters: ((value: T) => void)[] = [];
  return {
    push(value) {
      const waiter = waiters.shift();
      if (waiter) waiter(value);
      else values.push(value);
    },
    next() {
      if (values.length > 0) return Promise.resolve(values.shift() as T);
      return new Promise((resolve) => waiters.push(resolve));
    },
  };
}
