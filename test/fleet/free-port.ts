// A TCP port of this machine that nobody has.
import { createServer } from 'node:net';

export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const place = server.address();
      const port = typeof place === 'object' ? place?.port : undefined;
      server.close(() => resolve(port ?? 0));
    });
  });
}
