// The Internet's side of the service tests: echoes UDP, takes TCP uploads and answers with their hash, serves downloads.
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { lab } from '../../../src/research/lab/bed/topology.ts';
import { decodeQuestion, encodeAnswer } from '../../../src/research/lab/traffic/dns.ts';

const address = process.argv[2]!;
const family = address.includes(':') ? 'udp6' : 'udp4';

const udp = createSocket(family);
udp.on('message', (message, { port, address: from }) => udp.send(message, port, from));
udp.bind(7, address);

/** The Internet's DNS: every name is here. */
const dns = createSocket('udp4');
dns.on('message', (message, { port, address: from }) => {
  dns.send(encodeAnswer(decodeQuestion(message), ['192.88.99.99']), port, from);
});
// One of several of these programs has it.
if (family === 'udp4') dns.bind(53, lab.dnsAddress);
else dns.close();

/** Port 9000: everything up to the other side's end is hashed and the hash sent back. */
const uploads = createServer({ allowHalfOpen: true }, (socket) => {
  const hash = createHash('sha256');
  socket.on('data', (piece) => hash.update(piece));
  socket.on('end', () => socket.end(hash.digest('hex')));
  socket.on('error', () => {});
});
uploads.listen(9000, address);

/** Bytes that anyone can make again: port 9001 has 100 kB of them, port 9002 twice as many. */
const serve = (port: number, length: number, onReady: () => void): void => {
  const downloads = createServer((socket) => {
    socket.end(Buffer.from(Array.from({ length }, (_, index) => (index * 7) % 251)));
    socket.on('error', () => {});
  });
  downloads.listen(port, address, onReady);
};
serve(9002, 200_000, () => serve(9001, 100_000, () => process.stdout.write('ready\n')));
