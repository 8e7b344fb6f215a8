// Stand-in for ubusd: the broker behind a unix socket.

import { randomInt } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { maxMessageBytes } from '../../../src/shell/ubus/blob.ts';
import { FrameParser } from '../../../src/shell/ubus/frame.ts';
import { Broker } from './broker.ts';
import type { Ids } from './model.ts';

export interface UbusdStandIn {
  /** Drops every client, as a daemon that was killed does, and frees the socket. */
  close(): Promise<void>;
}

/**
 * Listens at a unix socket, replacing what is left there, as ubusd does.
 *
 * @param user who every client is said to be (Node cannot ask the kernel)
 */
export async function startUbusd(
  socketPath: string,
  { user = 'root', ids = randomIds() }: { user?: string; ids?: Ids } = {},
): Promise<UbusdStandIn> {
  const broker = new Broker(ids);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const parser = new FrameParser();
    const client = broker.connect((bytes) => {
      // ubusd drops what a client leaves unread beyond this.
      if (socket.writableLength + bytes.length <= maxMessageBytes) socket.write(bytes);
    }, user);
    socket.on('data', (chunk) => {
      const { frames, error } = parser.push(chunk);
      for (const frame of frames) broker.receive(client, frame);
      if (error) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      broker.disconnect(client);
    });
  });
  mkdirSync(dirname(socketPath), { recursive: true });
  rmSync(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  chmodSync(socketPath, 0o666);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Random ids of 32 bits, none twice, none of the system's (below 1024). */
export function randomIds(): Ids {
  const used = new Set<number>();
  const next = () => {
    let id = 0;
    do id = randomInt(1024, 2 ** 32);
    while (used.has(id));
    used.add(id);
    return id;
  };
  return { client: next, object: next, type: next };
}
