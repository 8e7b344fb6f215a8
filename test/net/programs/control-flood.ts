// A home that never stops asking for something else, and says much besides that means nothing.
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import {
  decodeControl,
  encodeControl,
  type Hello,
  NO_NONCE,
} from '../../../src/core/control/message.ts';
import { Proof } from '../../../src/core/control/proof.ts';
import { CONTROL_PORT } from '../../../src/core/plan/names.ts';
import { drawNonce, hmacSha256 } from '../../../src/shell/control/hmac.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';

const [own = '', peer = '', controlKey = '', perSecond = '1000'] = process.argv.slice(2);
const PACKET_BYTES = 512;
const TICK_MS = 20;

const proof = new Proof(hmacSha256, Buffer.from(controlKey, 'base64'), own);
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
const socket = createSocket('udp4');
socket.on('error', () => {});
socket.on('message', (datagram) => {
  const answer = decodeControl(datagram, proof);
  if (answer?.kind === 'challenge') hello.endpointNonce = answer.endpointNonce;
  if (answer?.kind === 'welcome') process.stdout.write('welcomed\n');
});
socket.bind(CONTROL_PORT, own, () => {
  const each = Math.ceil((Number(perSecond) * TICK_MS) / 2000);
  setInterval(() => {
    for (let one = 0; one < each; one++) {
      hello.sequence++;
      hello.download = { ...hello.download, rateKBps: 1 + (hello.sequence % 40) };
      socket.send(encodeControl(hello, PACKET_BYTES, proof), CONTROL_PORT, peer, () => {});
      socket.send(randomBytes(PACKET_BYTES), CONTROL_PORT, peer, () => {});
    }
  }, TICK_MS);
});
