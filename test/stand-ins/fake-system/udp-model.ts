// UDP sockets of the stand-in machine: what they send takes its route, meets the rules and stands in the queue.
import { SystemError, type UdpOptions, type UdpSocket } from '../../../src/shell/system/system.ts';
import { type Door, refusal } from './door.ts';
import type { Led } from './egress-hook.ts';
import type { IpModel } from './ip-model.ts';
import type { QueuedPacket } from './netdev-queue.ts';
import type { Packet } from './nft-rule.ts';
import type { NftWalk } from './nft-walk.ts';
import type { TcModel } from './tc-model.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A datagram with its two ends. */
export interface Datagram {
  bytes: Uint8Array;
  from: { address: string; port: number };
  to: { address: string; port: number };
}

/** IPv4 and UDP headers. */
export const HEADER_BYTES = 28;
/** Largest send buffer that may be asked for (net.core.wmem_max); the kernel doubles it. */
const MAX_SEND_BUFFER = 212_992;
const MIN_SEND_BUFFER = 4608;
const FIRST_EPHEMERAL = 32_768;

export interface UdpModelOptions {
  door: Door;
  time: VirtualTime;
  ip: IpModel;
  tc: TcModel;
  walk: NftWalk;
  uid: number;
  /** Where rules lead what is sent to this machine itself; null for nowhere. */
  led: (sent: { destination: string; port: number; bytes: number; uid: number }) => Led | null;
  /** Takes what has left by a netdev; `hasQueue` where it stood in its queue. */
  onLeft: (netdev: string, datagram: Datagram) => void;
}

/** All sockets. */
export class UdpModel {
  readonly #options: UdpModelOptions;
  readonly sockets = new Set<FakeUdpSocket>();
  #lastPort = FIRST_EPHEMERAL;

  constructor(options: UdpModelOptions) {
    this.#options = options;
  }

  open(options: UdpOptions): Promise<FakeUdpSocket> {
    const { local, peer } = options;
    const to = peer ? ` to ${peer.address}:${peer.port}` : '';
    const what = `open udp ${local.address}:${local.port}${to}`;
    return this.#options.door.pass(
      what,
      () => this.bind(options),
      () => refusal(what),
      0,
      (socket) => socket.close(),
    );
  }

  /** The same without the door. */
  bind({ local, peer, reuse = false, sendBufferBytes, onMessage }: UdpOptions): FakeUdpSocket {
    const { address } = local;
    const isOurs = /^(127\.|0\.0\.0\.0$|::1?$)/.test(address) || this.#options.ip.isOwn(address);
    if (!isOurs) throw new SystemError('EADDRNOTAVAIL', `bind EADDRNOTAVAIL ${address}`);
    const port = local.port === 0 ? ++this.#lastPort : local.port;
    for (const other of this.sockets) {
      if (other.port === port && other.address === address && !(reuse && other.reuse)) {
        throw new SystemError('EADDRINUSE', `bind EADDRINUSE ${address}:${port}`);
      }
    }
    if (peer) this.#findWay(address, peer.address);
    const socket = new FakeUdpSocket(this, { address, port, reuse, peer: peer ?? null });
    socket.onMessage = onMessage ?? null;
    if (sendBufferBytes) socket.setSendBuffer(sendBufferBytes);
    this.sockets.add(socket);
    return socket;
  }

  /** What comes in: to whoever is bound there, from its peer where it has one. */
  deliver({ bytes, from, to }: Datagram): boolean {
    const socket = [...this.sockets].find(
      ({ address, port, peer }) =>
        port === to.port &&
        [to.address, '0.0.0.0', '::'].includes(address) &&
        (peer === null || (peer.address === from.address && peer.port === from.port)),
    );
    if (!socket) return false;
    this.soon(() => {
      if (this.sockets.has(socket)) socket.onMessage?.(bytes, from);
    });
    return true;
  }

  soon(work: () => void): void {
    this.#options.time.timers.soon(work);
  }

  /**
   * Hands a datagram to the kernel.
   *
   * @returns the packet in the queue it stands in; null where it stands in none.
   * @throws {SystemError}
   */
  send(datagram: Datagram, onFreed: () => void): QueuedPacket | null {
    const { from, to, bytes } = datagram;
    const dev = this.#findWay(from.address, to.address);
    const packet = packetOf(datagram, dev, this.#options.uid);
    const { walk, tc } = this.#options;
    if (!walk.passes('output', packet, true) || !walk.passes('postrouting', packet, true)) {
      throw new SystemError('EPERM', 'send EPERM');
    }
    const led = dev === 'lo' ? this.#led(packet, to) : null;
    if (led) return this.#enqueue(led.netdev, { ...packet, priority: led.priority }, onFreed);
    if (dev === 'lo') {
      this.deliver({ ...datagram, bytes: bytes.slice() });
      return null;
    }
    const kept = { ...datagram, bytes: bytes.slice() };
    const queued: QueuedPacket = {
      bytes: packet.bytes,
      priority: packet.priority,
      destination: to.address,
      isAwaited: false,
      onFreed: (hasLeft) => {
        onFreed();
        if (hasLeft) this.#options.onLeft(dev, kept);
      },
    };
    const queue = tc.queueOf(dev)!;
    queue.enqueue(queued);
    // Nothing holds it back, and somebody may wait for the answer.
    if (!queue.isHtb) queue.settle();
    return queued;
  }

  #led({ bytes }: Packet, { address, port }: End): Led | null {
    const { led, uid } = this.#options;
    return led({ destination: address, port, bytes, uid });
  }

  /** Stands in a queue behind which nobody waits for it. */
  #enqueue(
    netdev: string,
    { bytes, priority, destination }: Packet,
    onFreed: () => void,
  ): QueuedPacket {
    const ETHERNET_BYTES = 14;
    const packet = {
      bytes: bytes + ETHERNET_BYTES,
      priority,
      destination,
      isAwaited: false,
      onFreed,
    };
    this.#options.tc.queueOf(netdev)?.enqueue(packet);
    return packet;
  }

  /** Has a queue tell when this packet leaves. */
  await(address: string, packet: QueuedPacket): void {
    const dev = this.#options.ip.lookUp({ destination: address })?.dev;
    if (dev) this.#options.tc.queueOf(dev)?.await(packet);
  }

  /** Open sockets, one a line. */
  print(): string {
    return [...this.sockets]
      .map(({ address, port, peer }) => {
        const shown = port > FIRST_EPHEMERAL ? '*' : port;
        return `${address}:${shown}${peer ? ` to ${peer.address}:${peer.port}` : ''}`;
      })
      .sort()
      .join('\n');
  }

  #findWay(source: string, destination: string): string {
    const { ip } = this.#options;
    const route = ip.lookUp({ destination });
    if (destination.startsWith('127.') || route?.type === 'local') return 'lo';
    if (source !== '0.0.0.0' && !ip.isOwn(source)) throw new SystemError('EINVAL', 'EINVAL');
    if (!route) throw new SystemError('ENETUNREACH', `ENETUNREACH ${destination}`);
    if (route.type !== 'unicast')
      throw new SystemError('EHOSTUNREACH', `EHOSTUNREACH ${destination}`);
    return route.dev!;
  }
}

/** A datagram of this machine's own as rules see it. */
export function packetOf({ bytes, from, to }: Datagram, oifname: string, uid: number): Packet {
  return {
    family: to.address.includes(':') ? 'ip6' : 'ip',
    iifname: '',
    oifname,
    source: from.address,
    originalSource: from.address,
    destination: to.address,
    mac: '',
    protocol: 'udp',
    port: to.port,
    bytes: bytes.length + HEADER_BYTES,
    payload: bytes,
    uid,
    destinationType: oifname === 'lo' ? 'local' : 'unicast',
    mark: 0,
    zone: 0,
    priority: 0,
  };
}

/** What a datagram counts against its socket's send buffer: the power of two its head fits in, and sk_buff. */
function chargeOf(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes + 352)) + 256;
}

type End = { address: string; port: number };

interface Waiting {
  bytes: Uint8Array;
  to: End;
  done: ((error: SystemError | null) => void) | undefined;
}

/** One socket. */
export class FakeUdpSocket implements UdpSocket {
  readonly address: string;
  readonly port: number;
  readonly reuse: boolean;
  readonly peer: End | null;
  onMessage: UdpOptions['onMessage'] | null = null;
  /** Takes nothing any more, and never says so. */
  isStuck = false;
  readonly #model: UdpModel;
  readonly #standing = new Set<QueuedPacket>();
  readonly #waiting: Waiting[] = [];
  #used = 0;
  #bufferBytes = MAX_SEND_BUFFER;

  constructor(
    model: UdpModel,
    options: { address: string; port: number; reuse: boolean; peer: End | null },
  ) {
    this.#model = model;
    this.address = options.address;
    this.port = options.port;
    this.reuse = options.reuse;
    this.peer = options.peer;
  }

  /** Datagrams of this socket that stand in a queue. */
  get standing(): number {
    return this.#standing.size;
  }

  send(datagram: Uint8Array, done?: (error: SystemError | null) => void): void {
    this.#send({ bytes: datagram, to: this.peer!, done });
  }

  sendTo(datagram: Uint8Array, address: string, port: number): void {
    this.#send({ bytes: datagram, to: { address, port }, done: undefined });
  }

  setSendBuffer(bytes: number): void {
    this.#bufferBytes = Math.max(MIN_SEND_BUFFER, 2 * Math.min(bytes, MAX_SEND_BUFFER));
  }

  sendBufferBytes(): number {
    return this.#bufferBytes;
  }

  close(): void {
    this.#model.sockets.delete(this);
    this.#waiting.length = 0;
  }

  #send(next: Waiting): void {
    this.#waiting.push(next);
    if (this.#waiting.length === 1) this.#flush();
  }

  #flush(): void {
    while (this.#waiting.length > 0 && !this.isStuck) {
      if (this.#used >= this.#bufferBytes) {
        this.#awaitRoom();
        return;
      }
      const { bytes, to, done } = this.#waiting.shift()!;
      const result = this.#pass(bytes, to);
      this.#model.soon(() => {
        if (this.#model.sockets.has(this)) done?.(result);
      });
    }
  }

  #pass(bytes: Uint8Array, to: End): SystemError | null {
    const charge = chargeOf(bytes.length + HEADER_BYTES);
    let packet: QueuedPacket | null = null;
    let isFreed = false;
    try {
      this.#used += charge;
      const from = { address: this.address, port: this.port };
      packet = this.#model.send({ bytes, from, to }, () => {
        isFreed = true;
        this.#used -= charge;
        if (packet) this.#standing.delete(packet);
        const hasRoom = this.#used * 2 <= this.#bufferBytes;
        if (hasRoom && this.#waiting.length > 0) this.#model.soon(() => this.#flush());
      });
      if (packet === null) this.#used -= charge;
      else if (!isFreed) this.#standing.add(packet);
      return null;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#used -= charge;
      return error;
    }
  }

  /** The kernel wakes who waits once half of the buffer is free (sock_def_write_space). */
  #awaitRoom(): void {
    let left = this.#used;
    for (const packet of this.#standing) {
      left -= chargeOf(packet.bytes);
      if (left * 2 > this.#bufferBytes) continue;
      this.#model.await(this.peer?.address ?? packet.destination, packet);
      return;
    }
  }
}
