// Measures one-way delays over UDP on one machine's clock: `receive ADDRESS PORT COUNT` or `send OWN ADDRESS PORT COUNT MEAN_MS BYTES`.
import { createSocket } from 'node:dgram';

const [action, ...words] = process.argv.slice(2);
const nowNs = (): bigint => process.hrtime.bigint(); // CLOCK_MONOTONIC, the same in every process

if (action === 'receive') {
  const [address = '', port = '', count = ''] = words;
  const delaysMs: number[] = [];
  const socket = createSocket('udp4');
  const finish = (): void => {
    process.stdout.write(`${JSON.stringify(delaysMs)}\n`);
    process.exit(0);
  };
  socket.on('message', (message) => {
    if (message.length < 8) return;
    delaysMs.push(Number(nowNs() - message.readBigUInt64BE(0)) / 1e6);
    if (delaysMs.length === Number(count)) finish();
  });
  socket.bind(Number(port), address, () => process.stderr.write('ready\n'));
  process.on('SIGTERM', finish);
} else {
  const [own = '', address = '', port = '', count = '', meanMs = '', bytes = ''] = words;
  const socket = createSocket('udp4');
  let left = Number(count);
  const next = (): void => {
    const message = Buffer.alloc(Number(bytes));
    message.writeBigUInt64BE(nowNs());
    socket.send(message, Number(port), address);
    if (--left > 0) setTimeout(next, 1 + Math.random() * 2 * Number(meanMs));
    else setTimeout(() => process.exit(0), 3000);
  };
  socket.bind(0, own, next);
}
