// Somebody who writes another's address on datagrams: sends them, and says how many answers came.
import { createSocket } from 'node:dgram';

const [from = '', fromPort = '', to = '', toPort = '', count = '1', hex = '00'] =
  process.argv.slice(2);
const payload = Buffer.from(hex, 'hex');
const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4');
let answers = 0;
socket.on('message', () => {
  answers++;
});
socket.on('error', () => {});
socket.bind(Number(fromPort), from, () => {
  let left = Number(count);
  const next = (): void => {
    if (left-- === 0) {
      // An answer on these links takes a millisecond.
      setTimeout(() => {
        process.stdout.write(`${JSON.stringify({ answers })}\n`);
        process.exit(0);
      }, 300);
      return;
    }
    socket.send(payload, Number(toPort), to, () => setTimeout(next, 1));
  };
  next();
});
