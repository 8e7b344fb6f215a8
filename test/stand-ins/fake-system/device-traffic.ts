// The way of devices' packets through the stand-in machine: by its rules and routes alone, whatever the service believes.
import { ipPacket } from '../../../src/core/framing/ip-builder.ts';
import type { IpModel } from './ip-model.ts';
import type { NftModel } from './nft-model.ts';
import type { Packet } from './nft-rule.ts';
import type { NftWalk } from './nft-walk.ts';
import { type Datagram, packetOf } from './udp-model.ts';

/** A device in the house. */
export interface Device {
  address: string;
  mac: string;
  /** Netdev it is behind. */
  netdev: string;
}

/** Where a packet of a device goes: into the tunnel's packer, out past it, into the house, or nowhere. */
export type Way = 'tunnel' | 'internet' | 'house' | 'held';

export interface DeviceTrafficOptions {
  nft: NftModel;
  walk: NftWalk;
  ip: IpModel;
  /** Netdev of devices' packets, and the one that is shaped. */
  inner: string;
  tunnel: string;
}

/** Shows packets of devices the way. */
export class DeviceTraffic {
  readonly #options: DeviceTrafficOptions;

  constructor(options: DeviceTrafficOptions) {
    this.#options = options;
  }

  /**
   * Where a device's packet to the Internet goes now.
   *
   * @param isReal whether rules count it and learn from it.
   */
  wayOf(device: Device, destination: string, isReal = false): { way: Way; packet: Packet } {
    const { walk, ip, inner } = this.#options;
    const packet = packetOfDevice(device, destination);
    const held = { way: 'held' as const, packet };
    if (!ip.netdevs.has(device.netdev)) return held;
    if (!walk.passes('prerouting', packet, isReal)) return held;
    const { mark, destination: to } = packet;
    const route = ip.lookUp({ destination: to, iif: device.netdev, mark });
    if (route?.type !== 'unicast' || route.dev === null) return held;
    packet.oifname = route.dev;
    if (!walk.passes('forward', packet, isReal)) return held;
    if (!walk.passes('postrouting', packet, isReal)) return held;
    if (route.dev === inner) return { way: 'tunnel', packet };
    return { way: this.#isUplink(route.dev) ? 'internet' : 'house', packet };
  }

  /** Whether the rules let a device's packet into the packer, wherever routes lead. */
  mayEnter(device: Device, destination: string): boolean {
    const { walk, inner, nft } = this.#options;
    if (nft.tables.size === 0) return false;
    const packet = packetOfDevice(device, destination);
    if (!walk.passes('prerouting', packet, false)) return false;
    packet.oifname = inner;
    return walk.passes('forward', packet, false) && walk.passes('postrouting', packet, false);
  }

  /** Whether the rules let a frame with devices' packets out on the tunnel. */
  frameMayLeave(frame: Datagram, uid: number): boolean {
    const packet = packetOf(frame, this.#options.tunnel, uid);
    return this.#options.walk.passes('output', packet, false);
  }

  #isUplink(netdev: string): boolean {
    return this.#options.ip.routes.some(
      ({ destination, dev, type }) =>
        destination === 'default' && type === 'unicast' && dev === netdev,
    );
  }
}

/** An IPv4 packet as the packer gets it: from an inner address, and whole. */
export function innerPacket(source: string, destination: string, bytes = 100): Uint8Array {
  return ipPacket(0, { source, destination }, new Uint8Array(bytes - 20));
}

function packetOfDevice({ address, mac, netdev }: Device, destination: string): Packet {
  return {
    family: address.includes(':') ? 'ip6' : 'ip',
    iifname: netdev,
    oifname: '',
    source: address,
    originalSource: address,
    destination,
    mac,
    protocol: 'tcp',
    port: 443,
    bytes: 200,
    uid: null,
    destinationType: 'unicast',
    mark: 0,
    zone: 0,
    priority: 0,
  };
}
