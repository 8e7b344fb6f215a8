// Sends packets of one size to many places at a steady rate each: what homes send up, and what a tunnel without shaping is given.
import { createSocket, type Socket } from 'node:dgram';

/** Timers are no finer; what is due by then goes at once. */
const TICK_MS = 4;
/** What is later than this is left out, as a queue that is full would. */
const LATE_MS = 200;

interface Way {
  socket: Socket;
  dueMs: number;
}

/** A socket from one address to another, on which nothing is heard of errors: what can't be sent is lost. */
export function connectedSocket(
  local: { address?: string; port?: number },
  peer: { address: string; port: number },
): Promise<Socket> {
  return new Promise((ready) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('error', () => {});
    socket.bind(local, () => socket.connect(peer.port, peer.address, () => ready(socket)));
  });
}

/** One sender of many streams, by one timer. */
export class SteadySender {
  readonly #payload: Uint8Array;
  readonly #everyMs: number;
  readonly #ways: Way[] = [];
  sent = 0;
  /** What was too late to be sent. */
  missed = 0;

  constructor(payloadBytes: number, perSecond: number) {
    this.#payload = new Uint8Array(payloadBytes);
    this.#everyMs = 1000 / perSecond;
    setInterval(() => this.#tick(performance.now()), TICK_MS);
  }

  /** Streams begin anywhere in their period, so that they do not all send at once. */
  add(socket: Socket): void {
    this.#ways.push({ socket, dueMs: performance.now() + Math.random() * this.#everyMs });
  }

  #tick(nowMs: number): void {
    for (const way of this.#ways) {
      if (nowMs - way.dueMs > LATE_MS) {
        const late = Math.floor((nowMs - way.dueMs) / this.#everyMs);
        this.missed += late;
        way.dueMs += late * this.#everyMs;
      }
      for (; way.dueMs <= nowMs; way.dueMs += this.#everyMs) {
        way.socket.send(this.#payload, () => {});
        this.sent++;
      }
    }
  }
}
