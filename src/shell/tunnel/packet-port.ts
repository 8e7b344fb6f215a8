// The netdev that carries devices' packets to user space: socat holds it, one packet is one datagram on loopback.
import { type Notice, notice } from '../../core/notices/notice.ts';
import { NoticeError } from '../../core/notices/notice-error.ts';
import type { PlainUser } from '../../core/plan/facts.ts';
import { PACKET_PORT, SOCAT_PORT } from '../../core/plan/names.ts';
import { netdevExists } from '../network/netdev.ts';
import { SupervisedChild } from '../system/child.ts';
import { pause, type System, SystemError, type UdpSocket } from '../system/system.ts';

/** Kernel buffer for packets that arrive while this process is busy; the system's limit applies. */
const BUFFER_BYTES = 4 << 20;
const APPEAR_MS = 5000;
const POLL_MS = 20;

export interface PacketPortOptions {
  system: System;
  netdev: string;
  /** Called with each IP packet a device (or, at the endpoint, the Internet) sent; the buffer is the callee's. */
  onPacket: (packet: Uint8Array) => void;
  /** Called whenever the netdev has been made, first or again: its addresses and routes are gone. */
  onUp: () => void;
  onFault: (fault: Notice) => void;
}

/** Opens one tun netdev without a native addon. */
export class PacketPort {
  readonly #options: PacketPortOptions;
  readonly #socat: SupervisedChild;
  #socket: UdpSocket | null = null;
  #plainUser: PlainUser | null = null;
  #closed = false;
  #isAwaited = false;

  constructor(options: PacketPortOptions) {
    this.#options = options;
    this.#socat = new SupervisedChild({
      system: options.system,
      argv: () => socatArgv(options.netdev, this.#plainUser),
      onStart: () => void this.#awaitNetdev(),
      onExit: (why) => options.onFault(notice('socat-stopped', { netdev: options.netdev, why })),
      minPauseMs: 200,
      maxPauseMs: 5000,
    });
  }

  /**
   * Opens the loopback socket and starts socat, which becomes `plainUser` once it holds the netdev; null: it stays root.
   *
   * @throws Error when the port is taken.
   */
  async open(plainUser: PlainUser | null): Promise<void> {
    this.#plainUser = plainUser;
    this.#socket = await openLoopback(this.#options);
    this.#socat.start();
  }

  /** Hands one packet to the netdev. */
  send(packet: Uint8Array): void {
    this.#socket?.send(packet);
  }

  /** Has the netdev made anew where socat goes on with it under another name that others gave it; null where all is well. */
  mend(): Promise<null> | null {
    const { system, netdev } = this.#options;
    const isRunning = this.#socat.pid !== undefined && !this.#isAwaited && !this.#closed;
    if (!isRunning || netdevExists(system, netdev)) return null;
    return this.#socat.restart().then(() => null);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#socat.stop();
    this.#socket?.close();
    this.#socket = null;
  }

  async #awaitNetdev(): Promise<void> {
    this.#isAwaited = true;
    const isThere = await this.#appears();
    this.#isAwaited = false;
    if (isThere && !this.#closed) this.#options.onUp();
  }

  async #appears(): Promise<boolean> {
    const { system, netdev, onFault } = this.#options;
    const untilMs = system.clock.monotonicMs() + APPEAR_MS;
    while (!netdevExists(system, netdev)) {
      if (this.#closed) return false;
      if (system.clock.monotonicMs() > untilMs) {
        onFault(notice('netdev-not-appeared', { netdev }));
        return false;
      }
      // The kernel has no event that could be awaited here.
      await pause(system.timers, POLL_MS);
    }
    return true;
  }
}

/** Whether a process with these arguments holds the netdev: so a forgotten one is found again. */
export function isSocatOf(netdev: string, argv: readonly string[]): boolean {
  return argv[0] === 'socat' && argv[1] === tunAddress(netdev);
}

function socatArgv(netdev: string, plainUser: PlainUser | null): string[] {
  // Both are open by then, and the kernel goes on taking the socket for ours (nft_meta.c: skuid is who opened it).
  const becoming = plainUser ? `,su=${plainUser.user}` : '';
  return [
    'socat',
    tunAddress(netdev),
    `UDP4-DATAGRAM:127.0.0.1:${PACKET_PORT},bind=127.0.0.1:${SOCAT_PORT},rcvbuf=${BUFFER_BYTES}${becoming}`,
  ];
}

/** By which socat opens a tun netdev, without a header before packets. */
export function tunAddress(netdev: string): string {
  return `TUN,tun-name=${netdev},iff-no-pi,iff-up`;
}

async function openLoopback({ system, onPacket }: PacketPortOptions): Promise<UdpSocket> {
  try {
    return await system.sockets.openUdp({
      local: { address: '127.0.0.1', port: PACKET_PORT },
      peer: { address: '127.0.0.1', port: SOCAT_PORT },
      receiveBufferBytes: BUFFER_BYTES,
      sendBufferBytes: BUFFER_BYTES,
      onMessage: onPacket,
    });
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EADDRINUSE') throw error;
    throw new NoticeError(notice('port-taken', { port: `${PACKET_PORT}` }));
  }
}
