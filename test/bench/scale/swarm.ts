// A swarm of homes in one namespace: a real OpenVPN each, and one process that greets the endpoint for all of them by the project's own
// handshake, sends up what their slots would be, and looks at what comes. Started by the bench, which it talks to.
import { spawn } from 'node:child_process';
import type { Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HomeHandshake } from '../../../src/core/control/home-handshake.ts';
import { Proof } from '../../../src/core/control/proof.ts';
import { frameBytes } from '../../../src/core/framing/frame.ts';
import { CONTROL_PORT, COVER_PORT } from '../../../src/core/plan/names.ts';
import { type Shape, slotsPerSecond } from '../../../src/core/stream/stream.ts';
import { drawNonce, hmacSha256 } from '../../../src/shell/control/hmac.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';
import {
  type FromSwarm,
  type SwarmHome,
  type SwarmOrders,
  type ToSwarm,
  tunOf,
} from './messages.ts';
import { connectedSocket, SteadySender } from './steady.ts';

const LOOK_MS = 50;
/** A home is served once so many slots have come to it since its tunnel stands. */
const SLOTS = 10;
const MAX_DELAY_MS = 10_000;

interface RunningHome extends SwarmHome {
  connectedMs: number | null;
  servedMs: number | null;
  /** What its netdev had counted before. */
  before: number;
}

const homes: RunningHome[] = [];
let sender: SteadySender;
let [welcomes, refused] = [0, 0];

function tell(message: FromSwarm): void {
  process.send!(message);
}

/** Packets that OpenVPN has handed to a home. */
function received(host: number): number {
  return Number(readFileSync(`/sys/class/net/${tunOf(host)}/statistics/rx_packets`, 'utf8'));
}

/** Resolves once the tunnel stands. */
async function connect({ dir }: SwarmOrders, { host, config }: SwarmHome): Promise<void> {
  const path = join(dir, `swarm-${host}.conf`);
  await writeFile(path, config, { mode: 0o600 });
  const openvpn = spawn('openvpn', ['--config', path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((connected, fail) => {
    let said = '';
    openvpn.stdout.on('data', (text) => {
      said = `${said}${text}`.slice(-2000);
      if (said.includes('Initialization Sequence Completed')) connected();
    });
    openvpn.once('exit', () => fail(new Error(said)));
  });
}

/** Greets as a home does, for as long as it is there. */
async function greet(orders: SwarmOrders, home: RunningHome): Promise<void> {
  const { rateKBps, packetBytes, endpointAddress, inner } = orders;
  const shape: Shape = { rateKBps, packetBytes, mode: 'vit', sdPercent: 30 };
  const handshake = new HomeHandshake({
    proof: new Proof(hmacSha256, Buffer.from(home.controlKey, 'base64'), home.address),
    version: 'bench',
    inside: inner,
    drawNonce: () => drawNonce(nodeSystem),
  });
  handshake.want({
    ...{ upload: shape, download: shape },
    ...{ maxDelayMs: MAX_DELAY_MS, standingSlots: null },
  });
  const socket: Socket = await connectedSocket(
    { address: home.address, port: CONTROL_PORT },
    { address: endpointAddress, port: CONTROL_PORT },
  );
  let next: NodeJS.Timeout;
  const say = (): void => {
    clearTimeout(next);
    const { datagram, pauseMs } = handshake.hello(performance.now())!;
    socket.send(datagram, () => {});
    next = setTimeout(say, pauseMs);
  };
  socket.on('message', (datagram) => {
    const heard = handshake.receive(datagram, performance.now());
    if (heard?.kind === 'again') say();
    if (heard?.kind === 'refused') refused++;
    if (heard?.kind !== 'welcome') return;
    welcomes++;
  });
  say();
}

async function come(orders: SwarmOrders, home: RunningHome): Promise<void> {
  await connect(orders, home);
  home.connectedMs = performance.now();
  const peer = { address: orders.endpointAddress, port: COVER_PORT };
  sender.add(await connectedSocket({ address: home.address }, peer));
  if (orders.isShaped) await greet(orders, home);
}

function look(untilMs: number): void {
  for (const home of homes) {
    if (home.servedMs !== null || home.connectedMs === null) continue;
    if (received(home.host) - home.before >= SLOTS) home.servedMs = performance.now();
  }
  if (homes.some(({ servedMs }) => servedMs === null) && performance.now() < untilMs) {
    setTimeout(look, LOOK_MS, untilMs);
    return;
  }
  tell({
    kind: 'served',
    connectedMs: homes.map(({ connectedMs }) => connectedMs),
    servedMs: homes.map(({ servedMs }) => servedMs),
  });
}

async function begin(orders: SwarmOrders): Promise<void> {
  const none = { connectedMs: null, servedMs: null };
  homes.push(...orders.homes.map((home) => ({ ...home, ...none, before: received(home.host) })));
  sender = new SteadySender(frameBytes(orders.packetBytes), slotsPerSecond(orders));
  look(performance.now() + orders.limitMs);
  await Promise.all(homes.map((home) => come(orders, home)));
}

process.on('message', (message: ToSwarm) => {
  if (message.kind === 'orders') void begin(message.orders);
  else tell({ kind: 'counts', sent: sender.sent, missed: sender.missed, welcomes, refused });
});
process.once('disconnect', () => process.exit(0));
