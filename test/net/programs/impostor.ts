// A home that is connected rightly but speaks without its key first, then sends packets from another home's address.
import { createSocket, type Socket } from 'node:dgram';
import {
  decodeControl,
  encodeControl,
  type Hello,
  NO_NONCE,
} from '../../../src/core/control/message.ts';
import { CONTROL_KEY_BYTES, Proof } from '../../../src/core/control/proof.ts';
import { Packer } from '../../../src/core/framing/packer.ts';
import { DeviceQueues } from '../../../src/core/framing/queues.ts';
import { CONTROL_PORT, FRAME_PORT } from '../../../src/core/plan/names.ts';
import { drawNonce, hmacSha256 } from '../../../src/shell/control/hmac.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';

/** It goes on to what it may do when it is told to, by SIGUSR2. */
const [own = '', peer = '', neighbour = '', controlKey = ''] = process.argv.slice(2);
const PACKET_BYTES = 512;

function bound(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.bind(port, own, () => resolve(socket));
  });
}

/** An IPv4 packet with a valid header and nothing in it. */
function packetFrom(source: string): Uint8Array {
  const packet = Buffer.alloc(40);
  packet[0] = 0x45;
  packet.writeUInt16BE(packet.length, 2);
  packet[8] = 64;
  packet[9] = 17;
  Buffer.from(source.split('.').map(Number)).copy(packet, 12);
  Buffer.from([192, 88, 99, 99]).copy(packet, 16);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet.writeUInt16BE(~sum & 0xffff, 10);
  return packet;
}

const control = await bound(CONTROL_PORT);
const frames = await bound(FRAME_PORT);
const queues = new DeviceQueues();
const packer = new Packer({ packetBytes: PACKET_BYTES, queues });

const key = Buffer.from(controlKey, 'base64');
const proof = new Proof(hmacSha256, key, own);
const strangers = [
  new Proof(hmacSha256, Buffer.alloc(CONTROL_KEY_BYTES, 7), own),
  new Proof(hmacSha256, key, neighbour),
];
const hello: Hello = {
  kind: 'hello',
  homeNonce: drawNonce(nodeSystem),
  endpointNonce: NO_NONCE,
  sequence: 0,
  version: 'test',
  download: { rateKBps: 5, packetBytes: PACKET_BYTES, mode: 'constant', sdPercent: 0 },
  maxDelayMs: 1000,
  standingSlots: null,
};

function say(by: Proof, endpointNonce = hello.endpointNonce): void {
  hello.sequence++;
  const datagram = encodeControl({ ...hello, endpointNonce }, PACKET_BYTES, by);
  control.send(datagram, CONTROL_PORT, peer);
}

/** What must not be heard goes first each time, so that it was read when what follows it is answered. */
function sayAll(): void {
  for (const stranger of strangers) say(stranger);
  say(proof, drawNonce(nodeSystem));
  say(proof);
}

const repeat = setInterval(sayAll, 300);
process.once('SIGUSR2', () => setInterval(() => say(proof), 300));
control.on('message', (datagram) => {
  const answer = decodeControl(datagram, proof);
  if (answer?.kind === 'challenge' && hello.endpointNonce === NO_NONCE) {
    clearInterval(repeat);
    hello.endpointNonce = answer.endpointNonce;
    process.stdout.write(`${JSON.stringify({ challengedBytes: datagram.length })}\n`);
  }
  if (answer?.kind !== 'welcome') return;
  control.removeAllListeners('message');
  for (const source of ['10.214.2.11', '10.213.0.2', '192.168.8.11']) {
    queues.enqueue(source, packetFrom(source), performance.now());
    frames.send(packer.nextFrame(performance.now())!, FRAME_PORT, peer);
  }
  process.stdout.write(`${JSON.stringify({ welcomed: answer.inner.prefix4 })}\n`);
  setTimeout(() => process.exit(0), 500); // so that the frames are read before the sockets go
});
