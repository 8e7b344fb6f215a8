// A web server for programs on this machine: plain HTTP, for an address that nobody else can reach.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ListenPlace } from '../../core/endpoint/fleet/settings.ts';
import type { Listener, WebAnswer, WebRequest } from '../system/system.ts';

const PATIENCE_MS = 10_000;
const MOST_CONNECTIONS = 32;
const MOST_BODY_BYTES = 16_384;

/** @param answer must not fail @throws {Error} with `EADDRINUSE` and the like */
export async function serveHttp(
  { address, port }: ListenPlace,
  answer: (request: WebRequest) => Promise<WebAnswer>,
): Promise<Listener> {
  const server = createServer(
    {
      headersTimeout: PATIENCE_MS,
      requestTimeout: PATIENCE_MS,
      keepAliveTimeout: PATIENCE_MS,
      connectionsCheckingInterval: PATIENCE_MS / 2,
    },
    (request, response) => void respond(request, response, answer),
  );
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: WebRequest) => Promise<WebAnswer>,
): Promise<void> {
  const { method = '', url: target = '', socket } = request;
  const body = await readBody(request).catch(() => null);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  const from = socket.remoteAddress ?? '';
  const answered =
    body === null
      ? { status: 413, headers: { connection: 'close' }, body: '' }
      : await answer({ method, target, headers, body, from });
  const length = Buffer.byteLength(answered.body);
  // What has no content has no length either (RFC 9110, 8.6).
  response.writeHead(answered.status, {
    ...answered.headers,
    ...(answered.status === 204 ? {} : { 'content-length': length }),
  });
  response.end(method === 'HEAD' ? undefined : answered.body);
}

/** Null where there is more than is taken. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += (piece as Buffer).length;
    if (bytes > MOST_BODY_BYTES) return null;
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces).toString('utf8');
}
