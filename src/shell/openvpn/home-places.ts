// Where homes are on the Internet, as OpenVPN tells, and by which netdevs they are reached, as the kernel's routes tell.
import type { PlacedHome } from '../../core/endpoint/machine/clock-state.ts';
import { readClient } from '../../core/openvpn/clients.ts';
import type { WayOut } from '../../core/plan/outer-clock.ts';
import { ipJson } from '../network/ip-json.ts';
import { netdevIndex } from '../network/netdev.ts';
import type { System } from '../system/system.ts';
import type { OpenVpn } from './openvpn.ts';

/** The monitor tells of changes, and of its own starts; a way is asked for anew all the same so often. */
const KEPT_MS = 600_000;

/** Asks for each way once, for as long as nothing changes. */
export class HomePlaces {
  readonly #system: System;
  readonly #openvpn: Pick<OpenVpn, 'clients'>;
  #ways = new Map<string, Promise<WayOut | null>>();
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor(system: System, openvpn: Pick<OpenVpn, 'clients'>) {
    this.#system = system;
    this.#openvpn = openvpn;
  }

  /** Routes or netdevs may be others. */
  forget(): void {
    this.#ways.clear();
  }

  /** Null where OpenVPN does not answer. */
  async read(): Promise<PlacedHome[] | null> {
    const lines = await this.#openvpn.clients();
    if (lines === null) return null;
    const clients = lines.map(readClient).filter((client) => client !== null);
    const nowMs = this.#system.clock.monotonicMs();
    if (nowMs - this.#sinceMs > KEPT_MS) {
      this.#ways.clear();
      this.#sinceMs = nowMs;
    }
    const places = new Map<number, PlacedHome>();
    for (const { address, port, tunnelAddress } of clients) {
      const host = Number(tunnelAddress.split('.').at(-1));
      places.set(host, { host, address, port, way: await this.#wayTo(address) });
    }
    for (const address of this.#ways.keys()) {
      if (!clients.some((client) => client.address === address)) this.#ways.delete(address);
    }
    return [...places.values()];
  }

  #wayTo(address: string): Promise<WayOut | null> {
    const known = this.#ways.get(address);
    if (known) return known;
    const asked = readWay(this.#system, address);
    this.#ways.set(address, asked);
    return asked;
  }
}

async function readWay(system: System, address: string): Promise<WayOut | null> {
  try {
    const [route] = await ipJson<{ dev?: string }>(system, ['route', 'get', address]);
    const netdev = route?.dev;
    if (!netdev) return null;
    const [link] = await ipJson<{ link_type?: string }>(system, ['link', 'show', 'dev', netdev]);
    const index = await netdevIndex(system, netdev);
    return index === null ? null : { netdev, index, isEthernet: link?.link_type === 'ether' };
  } catch {
    // No way leads there now.
    return null;
  }
}
