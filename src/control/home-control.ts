// The home's side of the control channel: says what it wants until it is answered, and then now and again.
import { createSocket, type Socket } from 'node:dgram';
import type { Shape } from '../plan/facts.ts';
import { CONTROL_PORT } from '../plan/names.ts';
import { decodeControl, encodeControl, type Welcome } from './message.ts';
import { helloEveryMs, urgentHelloEveryMs } from './rhythm.ts';

export interface HomeControlOptions {
  local: string;
  peer: string;
  version: string;
  onWelcome: (welcome: Welcome) => void;
}

/** One home's control socket. */
export class HomeControl {
  readonly #options: HomeControlOptions;
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #wanted: { upload: Shape; download: Shape; maxDelayMs: number } | null = null;
  #sequence = 0;
  /** First hello that asked for what is wanted now. */
  #askedSince = 0;
  #answered = false;
  #answeredAtMs: number | null = null;

  constructor(options: HomeControlOptions) {
    this.#options = options;
  }

  /** Whether the endpoint has answered what is wanted now. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Since when the endpoint has not answered; Infinity before its first answer. */
  silentMs(nowMs: number): number {
    return this.#answeredAtMs === null ? Number.POSITIVE_INFINITY : nowMs - this.#answeredAtMs;
  }

  async start(): Promise<void> {
    this.#socket = await new Promise<Socket>((resolve, reject) => {
      const socket = createSocket('udp4');
      socket.once('error', reject);
      socket.on('message', (datagram) => this.#receive(datagram));
      socket.bind(CONTROL_PORT, this.#options.local, () => {
        socket.connect(CONTROL_PORT, this.#options.peer, () => {
          socket.off('error', reject);
          socket.on('error', () => {}); // silence is what counts
          resolve(socket);
        });
      });
    });
  }

  /** Says from now on that the download shall have this shape. */
  want(upload: Shape, download: Shape, maxDelayMs: number): void {
    const wanted = { upload, download, maxDelayMs };
    if (JSON.stringify(wanted) === JSON.stringify(this.#wanted)) return;
    this.#wanted = wanted;
    this.#askedSince = this.#sequence + 1;
    this.#answered = false;
    this.#hello();
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  #hello(): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (!this.#wanted || !this.#socket) return;
    const { upload, download, maxDelayMs } = this.#wanted;
    this.#sequence++;
    this.#socket.send(
      encodeControl(
        {
          kind: 'hello',
          sequence: this.#sequence,
          version: this.#options.version,
          download,
          maxDelayMs,
        },
        upload.packetBytes,
      ),
      () => {}, // refused while the tunnel is being set up; the next one goes through
    );
    const slot = upload.rateKBps === 0 ? 0 : upload.packetBytes / upload.rateKBps;
    const pauseMs = this.answered ? helloEveryMs(slot) : urgentHelloEveryMs(slot);
    this.#timer = setTimeout(() => this.#hello(), pauseMs);
  }

  #receive(datagram: Uint8Array): void {
    const message = decodeControl(datagram);
    if (message?.kind !== 'welcome' || message.sequence < this.#askedSince) return;
    if (message.sequence > this.#sequence) return;
    this.#answered = true;
    this.#answeredAtMs = performance.now();
    this.#options.onWelcome(message);
  }
}
