// Models of the small children: socat, which holds a netdev; monitors of nft and ip.
import { PACKET_PORT, SOCAT_PORT } from '../../../src/core/plan/names.ts';
import type { IpModel } from './ip-model.ts';
import type { NftModel } from './nft-model.ts';
import type { ProgramStart } from './processes.ts';
import type { FakeUdpSocket, UdpModel } from './udp-model.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Packets that socat hands to its netdev. */
export type Inside = (packet: Uint8Array) => void;

/** What a device's packet meets on its netdev: socat, where it runs. */
export interface SocatHold {
  /** Takes a packet out of the netdev; false where nobody holds it. */
  takes(netdev: string, packet: Uint8Array): boolean;
  start: ProgramStart;
}

/** How long socat takes until its netdev is there. */
const APPEAR_MS = 15;

/** `socat TUN,… UDP4-DATAGRAM:…` */
export function createSocat(
  ip: IpModel,
  udp: UdpModel,
  time: VirtualTime,
  onInside: Inside,
): SocatHold {
  const held = new Map<string, FakeUdpSocket>();
  return {
    takes: (netdev, packet) => {
      const socket = held.get(netdev);
      socket?.sendTo(packet, '127.0.0.1', PACKET_PORT);
      return socket !== undefined;
    },
    start: (argv, life) => {
      const [command, tun = ''] = argv;
      const name = /^TUN,tun-name=([^,]+),/.exec(tun)?.[1];
      if (command !== 'socat' || name === undefined) return null;
      const cancel = time.timers.after(APPEAR_MS, () => {
        if (ip.netdevs.has(name)) {
          life.printError(`socat: E ioctl(…, TUNSETIFF, ${name}): Device or resource busy\n`);
          life.exit(1);
          return;
        }
        try {
          const socket = udp.bind({ local: { address: '127.0.0.1', port: SOCAT_PORT } });
          socket.onMessage = onInside;
          held.set(name, socket);
        } catch (error) {
          life.printError(`socat: E ${(error as Error).message}\n`);
          life.exit(1);
          return;
        }
        ip.addNetdev({ name, kind: 'tun' });
      });
      return {
        // 128 and the signal's number, as socat ends.
        onTerm: () => life.exit(143),
        onEnd: () => {
          cancel();
          const socket = held.get(name);
          if (!socket) return;
          socket.close();
          held.delete(name);
          ip.removeNetdev(name);
        },
      };
    },
  };
}

/** `nft monitor rules` */
export function createNftMonitor(nft: NftModel): ProgramStart {
  return (argv, life) => {
    if (argv.join(' ') !== 'nft monitor rules') return null;
    const monitor = (line: string): void => life.print(`${line}\n`);
    nft.monitors.add(monitor);
    return { onEnd: () => void nft.monitors.delete(monitor) };
  };
}

/** `ip -o monitor label …` */
export function createIpMonitor(ip: IpModel): ProgramStart {
  return (argv, life) => {
    if (argv.slice(0, 4).join(' ') !== 'ip -o monitor label') return null;
    const monitor = (line: string): void => life.print(`${line}\n`);
    ip.monitors.add(monitor);
    return { onEnd: () => void ip.monitors.delete(monitor) };
  };
}

/** The program's own tools, which only a real machine can run, and the resolver, which only waits. */
export const tools: ProgramStart = (argv, life) => {
  if (argv[0] === 'dnsmasq') return {};
  if (argv[0] !== 'nice') return null;
  life.printError('there is no such tool on this machine\n');
  life.exit(1);
  return {};
};
