// Stand-in for ubusd as a process of its own: `node build/test/stand-ins/ubusd/main.js SOCKET`.

import { startUbusd } from './ubusd.ts';

const [socketPath] = process.argv.slice(2);
if (socketPath === undefined) {
  console.error('usage: main.js SOCKET');
  process.exit(1);
}
const daemon = await startUbusd(socketPath);
console.log(`ubusd stand-in listens at ${socketPath}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void daemon.close().then(() => process.exit(0)));
}
