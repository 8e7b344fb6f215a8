// Sockets of a machine on which QuickJS runs.
import * as machine from 'quickjs:machine';
import { close } from 'quickjs:os';
import {
  type NetdevAddress,
  type Sockets,
  SystemError,
  type UdpOptions,
  type UdpSocket,
} from '../system.ts';
import { connect, listen } from './connections.ts';
import { checked, systemError } from './errors.ts';
import { loop } from './loop.ts';

/** Of any datagram; what was read is copied before it is handed on. */
const space = new Uint8Array(1 << 16);
/** Read one after the other before others have their turn. */
const AT_ONCE = 32;

export const quickjsSockets: Sockets = {
  openUdp: async (options) => new Datagrams(options),
  listen,
  connect,
  netdevAddresses,
  serveWeb: async () => {
    throw new SystemError('ENOSYS', 'the page needs Node.js');
  },
};

interface Waiting {
  datagram: Uint8Array;
  done?: (error: SystemError | null) => void;
  to: { address: string; port: number } | null;
}

class Datagrams implements UdpSocket {
  readonly #fd: number;
  /** Sent in this order, once the kernel takes them. */
  readonly #waiting: Waiting[] = [];
  #isClosed = false;

  constructor(options: UdpOptions) {
    const { local, peer, reuse = false, onMessage } = options;
    const what = `${local.address}:${local.port}`;
    this.#fd = checked(
      machine.udp(local.address, local.port, peer?.address ?? '', peer?.port ?? 0, reuse ? 1 : 0),
      what,
    );
    const { receiveBufferBytes, sendBufferBytes } = options;
    if (receiveBufferBytes) machine.bufferBytes(this.#fd, 0, receiveBufferBytes);
    if (sendBufferBytes) this.setSendBuffer(sendBufferBytes);
    const receive = (): void => {
      for (let i = 0; i < AT_ONCE && !this.#isClosed; i++) {
        if (!this.#receive(peer ?? null, onMessage)) return;
      }
    };
    loop.onReadable(this.#fd, receive);
  }

  send(datagram: Uint8Array, done?: (error: SystemError | null) => void): void {
    this.#offer({ datagram, ...(done && { done }), to: null });
  }

  sendTo(datagram: Uint8Array, address: string, port: number): void {
    this.#offer({ datagram, to: { address, port } });
  }

  setSendBuffer(bytes: number): void {
    checked(machine.bufferBytes(this.#fd, 1, bytes), 'send buffer');
  }

  sendBufferBytes(): number {
    return checked(machine.bufferBytes(this.#fd, 1, 0), 'send buffer');
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    loop.forget(this.#fd);
    close(this.#fd);
  }

  /** Whether there was one; a peer's refusals are seen by its silence. */
  #receive(
    peer: { address: string; port: number } | null,
    onMessage: UdpOptions['onMessage'],
  ): boolean {
    if (peer) {
      const got = machine.read(this.#fd, space);
      if (got >= 0) onMessage?.(space.slice(0, got), peer);
      return got >= 0;
    }
    const found = machine.receiveFrom(this.#fd, space);
    if (typeof found === 'number') return false;
    const [got, address, port] = found;
    onMessage?.(space.slice(0, got), { address, port });
    return true;
  }

  #offer(one: Waiting): void {
    if (this.#isClosed) return;
    if (this.#waiting.length === 0 && this.#isTaken(one)) return;
    this.#waiting.push(one);
    if (this.#waiting.length === 1) loop.onWritable(this.#fd, () => this.#goOn());
  }

  #goOn(): void {
    while (this.#waiting.length > 0 && this.#isTaken(this.#waiting[0]!)) this.#waiting.shift();
    if (this.#waiting.length === 0 && !this.#isClosed) loop.onWritable(this.#fd, null);
  }

  /** Whether the kernel took or refused it; what is said of that is said in another turn, as whoever sends expects. */
  #isTaken({ datagram, done, to }: Waiting): boolean {
    const result = to
      ? machine.sendTo(this.#fd, datagram, to.address, to.port)
      : machine.write(this.#fd, datagram);
    if (result === -machine.EAGAIN) return false;
    if (done) loop.soon(() => done(result < 0 ? systemError(result, 'send') : null));
    return true;
  }
}

function netdevAddresses(): NetdevAddress[] {
  const found = machine.addresses();
  if (typeof found === 'number') return [];
  const rows: [string, string, number][] = [];
  for (let at = 0; at < found.length; at += 3) {
    rows.push(found.slice(at, at + 3) as [string, string, number]);
  }
  const macs = new Map(rows.filter(([, , length]) => length < 0).map(([name, mac]) => [name, mac]));
  return rows
    .filter(([, , length]) => length >= 0)
    .map(([netdev, address, length]) => ({
      ...{ netdev, address, length },
      mac: macs.get(netdev) ?? '00:00:00:00:00:00',
    }));
}
