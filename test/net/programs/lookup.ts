// Asks a DNS server one question from a device's address and says whether an answer came.
import { createSocket } from 'node:dgram';
import { decodeAnswer, encodeQuestion } from '../../../src/research/lab/traffic/dns.ts';

const [own = '', server = ''] = process.argv.slice(2);
const socket = createSocket('udp4');
socket.bind(0, own, () => {
  const ask = () =>
    socket.send(encodeQuestion({ id: 7, name: 'messeji.hello.is', type: 'A' }), 53, server);
  ask();
  setInterval(ask, 1000);
});
socket.on('message', (message) => {
  process.stdout.write(`${JSON.stringify({ answered: decodeAnswer(message).id === 7 })}\n`);
  process.exit(0);
});
setTimeout(() => {
  process.stdout.write(`${JSON.stringify({ answered: false })}\n`);
  process.exit(0);
}, 8000);
