// A web server of a real machine: pages over TLS, and on the same port a word to whoever comes without.
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer, type Socket } from 'node:net';
import type { Listener, WebAnswer, WebOptions } from '../system.ts';
import { asSystemError } from './errors.ts';

/** Whoever sends nothing for so long is let go; a browser comes again by itself. */
const PATIENCE_MS = 15_000;
const MOST_CONNECTIONS = 64;
const MOST_HEADER_BYTES = 16_384;
/** What a client of TLS sends first: a record of type handshake. */
const HANDSHAKE = 22;

export async function serveWeb(options: WebOptions): Promise<Listener> {
  const { address, port, key, certificate } = options;
  const limits = {
    headersTimeout: PATIENCE_MS,
    requestTimeout: PATIENCE_MS,
    keepAliveTimeout: 5000,
    maxHeaderSize: MOST_HEADER_BYTES,
    connectionsCheckingInterval: PATIENCE_MS / 3,
  };
  const secure = createHttps(
    { ...limits, key, cert: certificate, minVersion: 'TLSv1.2', handshakeTimeout: PATIENCE_MS },
    (request, response) => void respond(request, response, options),
  );
  const plain = createHttp(limits, sendToTls);
  // They hear of connections from the server below, and look after who is slow once they believe to listen themselves.
  for (const one of [secure, plain]) one.emit('listening');
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(PATIENCE_MS * 4, () => socket.destroy());
    socket.once('data', (piece) => {
      socket.pause();
      socket.unshift(piece);
      const isSecure = piece[0] === HANDSHAKE;
      (isSecure ? secure : plain).emit('connection', socket);
      // TLS takes what was read already by itself, a turn later.
      if (!isSecure) socket.resume();
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(asSystemError(error)));
    server.listen(port, address, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const one of [secure, plain]) one.close(() => {});
        for (const socket of open) socket.destroy();
      }),
  };
}

/** The address is the socket's own: a request's Host may say anything. */
function sendToTls({ socket }: IncomingMessage, response: ServerResponse): void {
  const { localAddress = '', localPort } = socket;
  const host = localAddress.includes(':') ? `[${localAddress}]` : localAddress;
  const location = `https://${host}:${localPort}/`;
  response.writeHead(302, { location, 'content-type': 'text/plain', connection: 'close' });
  response.end(`This page is at ${location}\n`);
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { maxBodyBytes, answer }: WebOptions,
): Promise<void> {
  const body = await readBody(request, maxBodyBytes).catch(() => null);
  if (body === null) {
    send(response, { status: 413, headers: { connection: 'close' }, body: 'Too long.\n' });
    return;
  }
  const { method = '', url: target = '', socket } = request;
  const from = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  // Of one that comes twice Node.js keeps the first, or joins them.
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  send(response, await answer({ method, target, headers, body, from }));
}

function send(response: ServerResponse, { status, headers, body }: WebAnswer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** Null where there is more than is taken. */
async function readBody(request: IncomingMessage, mostBytes: number): Promise<string | null> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += (piece as Buffer).length;
    if (bytes > mostBytes) return null;
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces).toString('utf8');
}
