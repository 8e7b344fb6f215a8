// A home that does its endpoint all the harm it can by what it says and sends: one trick a run.
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import {
  decodeControl,
  encodeControl,
  type Hello,
  NO_NONCE,
} from '../../../src/core/control/message.ts';
import { Proof } from '../../../src/core/control/proof.ts';
import { CONTROL_PORT, COVER_PORT, FRAME_PORT } from '../../../src/core/plan/names.ts';
import { drawNonce, hmacSha256 } from '../../../src/shell/control/hmac.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';

const [own = '', peer = '', controlKey = '', perSecond = '1000', trick = 'wishes'] =
  process.argv.slice(2);
const PACKET_BYTES = 512;
const TICK_MS = 20;
const BEGIN_MS = 1500;
const FRAME_BYTES = PACKET_BYTES - 28;
/** More than a packet of the tunnel takes. */
const MOST_BYTES = 2000;
const PORTS = [CONTROL_PORT, FRAME_PORT, COVER_PORT];

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
  if (answer?.kind === 'refused') process.stdout.write(`refused ${answer.refusal.code}\n`);
});
const send = (datagram: Uint8Array, port = CONTROL_PORT): void =>
  socket.send(datagram, port, peer, () => {});

/** Says hello once more. */
function say(change: Partial<Hello['download']>): void {
  hello.sequence++;
  hello.download = { ...hello.download, ...change };
  send(encodeControl(hello, PACKET_BYTES, proof));
}

/** What is done so many times a second. */
const tricks: Record<string, () => void> = {
  wishes: () => {
    say({ rateKBps: 1 + (hello.sequence % 40) });
    send(randomBytes(PACKET_BYTES));
  },
  // Another run each time, of which none is ever heard again.
  runs: () => {
    hello.homeNonce = drawNonce(nodeSystem);
    say({});
  },
  giant: () => say({ rateKBps: 10_000 }),
  sizes: () => {
    const bytes = 1 + (hello.sequence++ % MOST_BYTES);
    send(randomBytes(bytes), PORTS[hello.sequence % PORTS.length]);
  },
  frames: () => send(randomBytes(FRAME_BYTES), FRAME_PORT),
  cover: () => send(randomBytes(FRAME_BYTES), COVER_PORT),
};

socket.bind(CONTROL_PORT, own, () => {
  // Before anything else it is a home in good order.
  say({});
  setTimeout(() => say({}), 500);
  const each = Math.ceil((Number(perSecond) * TICK_MS) / 1000);
  setTimeout(() => {
    process.stdout.write('begun\n');
    setInterval(() => {
      for (let one = 0; one < each; one++) tricks[trick]!();
    }, TICK_MS);
  }, BEGIN_MS);
});
