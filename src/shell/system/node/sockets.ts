// Sockets of a real machine.
import { createSocket } from 'node:dgram';
import { createConnection, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Connection, Listener, Sockets, UdpOptions, UdpSocket } from '../system.ts';
import { asSystemError } from './errors.ts';

export const nodeSockets: Sockets = {
  openUdp,
  listen,
  connect: (path) =>
    new Promise((resolve, reject) => {
      const socket = createConnection(path);
      const refuse = (error: Error): void => reject(asSystemError(error));
      socket.once('error', refuse);
      socket.once('connect', () => {
        socket.off('error', refuse);
        resolve(wrap(socket));
      });
    }),
  netdevAddresses: () =>
    Object.entries(networkInterfaces()).flatMap(([netdev, list = []]) =>
      list.map(({ address, mac, cidr }) => {
        const length = Number(cidr?.split('/')[1] ?? (address.includes(':') ? 128 : 32));
        return { netdev, address, mac, length };
      }),
    ),
  // In a file of its own: a router's package has none, since LuCI serves the page there.
  serveWeb: async (options) => (await import('./web-server.ts')).serveWeb(options),
};

function openUdp(options: UdpOptions): Promise<UdpSocket> {
  const { local, peer, reuse = false, onMessage } = options;
  return new Promise((resolve, reject) => {
    const family = local.address.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type: family, reuseAddr: reuse });
    const refuse = (error: Error): void => {
      socket.close();
      reject(asSystemError(error));
    };
    socket.once('error', refuse);
    if (onMessage) socket.on('message', onMessage);
    const finish = (error?: Error): void => {
      if (error) {
        refuse(error);
        return;
      }
      socket.off('error', refuse);
      socket.on('error', () => {}); // a peer's refusals are seen by its silence
      if (options.receiveBufferBytes) socket.setRecvBufferSize(options.receiveBufferBytes);
      if (options.sendBufferBytes) socket.setSendBufferSize(options.sendBufferBytes);
      resolve({
        send: (datagram, done) => {
          if (done) socket.send(datagram, (error) => done(error ? asSystemError(error) : null));
          else socket.send(datagram);
        },
        sendTo: (datagram, address, port) => socket.send(datagram, port, address),
        setSendBuffer: (bytes) => socket.setSendBufferSize(bytes),
        sendBufferBytes: () => socket.getSendBufferSize(),
        close: () => void socket.close(),
      });
    };
    socket.bind(local.port, local.address, () => {
      if (peer) socket.connect(peer.port, peer.address, finish);
      else finish();
    });
  });
}

async function listen(
  path: string,
  onConnection: (connection: Connection) => void,
): Promise<Listener> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    onConnection(wrap(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(asSystemError(error)));
    server.listen(path, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function wrap(socket: Socket): Connection {
  let failure: Error | null = null;
  socket.on('error', (error) => {
    failure = error;
  });
  return {
    write: (content) => void socket.write(content),
    get queuedBytes() {
      return socket.writableLength;
    },
    onData: (listener) => void socket.on('data', listener),
    onClose: (listener) =>
      void socket.once('close', () => listener(failure === null ? null : asSystemError(failure))),
    end: () => void socket.destroySoon(),
    close: () => void socket.destroy(),
  };
}
