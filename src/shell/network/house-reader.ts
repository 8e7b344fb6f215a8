// Reads from the kernel which netdevs are the house, and remembers what configured networks had.
import type { Config } from '../../core/config/types.ts';
import { wholeBytesOf } from '../../core/home/delivery/path-size.ts';
import { findHouse, type House, prefixesOf } from '../../core/home/home-facts.ts';
import type { ListedNetdev } from '../../core/home/netdev-kinds.ts';
import {
  findNetworkFindings,
  type NetworkMemory,
  parseNetworkMemory,
  rememberPrefixes,
  renderNetworkMemory,
} from '../../core/home/network-findings.ts';
import { networkOf, splitPrefix } from '../../core/ip/address.ts';
import { FIXED_NETDEVS } from '../../core/plan/names.ts';
import type { WayOut } from '../../core/plan/outer-clock.ts';
import type { System } from '../system/system.ts';
import { ipJson } from './ip-json.ts';
import { netdevIndex, readMtu } from './netdev.ts';

/** Below the state directory: prefixes of configured networks, for one that is gone when the service starts. */
export const NETWORKS_FILE = 'networks.json';

/** Looks at the machine as often as it is asked. */
export class HouseReader {
  readonly #system: System;
  readonly #path: string;
  readonly #keeps: boolean;
  #memory: NetworkMemory | null = null;
  #kept = '';

  /**
   * @param path where {@link NETWORKS_FILE} is kept.
   * @param keeps whether it writes there what it learns.
   */
  constructor(system: System, path: string, keeps = true) {
    this.#system = system;
    this.#path = path;
    this.#keeps = keeps;
  }

  /**
   * The house as it is now.
   *
   * @param remoteAddress the endpoint's on the Internet; null while it is not known.
   */
  async read(config: Config, remoteAddress: string | null): Promise<House> {
    const { files } = this.#system;
    const listed = await ipJson<ListedNetdev>(this.#system, ['-d', 'addr', 'show']);
    const route = await readRoute(this.#system, remoteAddress);
    const uplinks = await readUplinks(this.#system, route);
    const { networks, main, tunnel } = config;
    const names = networks.map(({ device }) => device);
    const memory = rememberPrefixes(await this.#recall(), networks, listed, uplinks);
    await this.#keep(memory);
    const own = new Set([tunnel.interface, ...FIXED_NETDEVS]);
    const networkFindings = findNetworkFindings(networks, listed, uplinks, memory, main.house);
    return {
      ...findHouse({
        listed,
        uplinks,
        carriers: parsePppoe(await files.readText('/proc/net/pppoe').catch(() => '')),
        networks: names,
        named: main.house,
        routed: await readRouted(this.#system, main.house),
        own,
      }),
      addressed: addressedOf(listed, own),
      way: await readWay(this.#system, route, listed),
      wholeBytes: await readWholeBytes(this.#system, route),
      networkPrefixes: [...new Set([...memory.values()].flat())].sort(),
      networkPorts: listed
        .filter(({ master }) => master !== undefined && names.includes(master))
        .map(({ ifname }) => ifname)
        .sort(),
      networkFindings,
      networkUnknown: networks.some(
        ({ section, device }) =>
          memory.get(device)?.length === 0 &&
          networkFindings.some((finding) => finding.blocks && finding.section === section),
      ),
    };
  }

  async #recall(): Promise<NetworkMemory> {
    if (this.#memory) return this.#memory;
    this.#kept = await this.#system.files.readText(this.#path).catch(() => '');
    return parseNetworkMemory(this.#kept);
  }

  /** Writes only what has changed: flash wears. */
  async #keep(memory: NetworkMemory): Promise<void> {
    this.#memory = memory;
    const text = renderNetworkMemory(memory);
    if (text === this.#kept || !this.#keeps) return;
    this.#kept = text;
    await this.#system.files.replace(this.#path, text).catch(() => {}); // who keeps followed devices there complains
  }
}

/** Netdevs with their networks, but for our own. */
export function addressedOf(
  listed: readonly ListedNetdev[],
  own: ReadonlySet<string>,
): House['addressed'] {
  return listed
    .map((netdev) => ({ name: netdev.ifname, prefixes: prefixesOf(netdev) }))
    .filter(({ name, prefixes }) => name !== 'lo' && !own.has(name) && prefixes.length > 0);
}

/** How the endpoint is reached. */
interface RemoteRoute {
  dev?: string;
  metrics?: { mtu?: number }[];
  isV6: boolean;
}

async function readRoute(
  system: Pick<System, 'processes'>,
  remoteAddress: string | null,
): Promise<RemoteRoute | null> {
  if (!remoteAddress) return null;
  const question = ['route', 'get', remoteAddress];
  const [route] = await ipJson<Omit<RemoteRoute, 'isV6'>>(system, question).catch(() => []);
  return route ? { ...route, isV6: remoteAddress.includes(':') } : null;
}

async function readUplinks(
  system: Pick<System, 'processes'>,
  route: RemoteRoute | null,
): Promise<Set<string>> {
  const uplinks = new Set<string>();
  for (const family of ['-4', '-6']) {
    const routes = await ipJson<{ dev?: string; nexthops?: { dev?: string }[] }>(system, [
      family,
      'route',
      'show',
      'table',
      'all',
      'default',
    ]);
    for (const { dev, nexthops = [] } of routes) {
      for (const name of [dev, ...nexthops.map((hop) => hop.dev)]) if (name) uplinks.add(name);
    }
  }
  if (route?.dev) uplinks.add(route.dev);
  return uplinks;
}

async function readWay(
  system: Pick<System, 'files'>,
  route: RemoteRoute | null,
  listed: readonly ListedNetdev[],
): Promise<WayOut | null> {
  const netdev = route?.dev;
  if (!netdev) return null;
  const index = await netdevIndex(system, netdev);
  const isEthernet = listed.find(({ ifname }) => ifname === netdev)?.link_type === 'ether';
  return index === null ? null : { netdev, index, isEthernet };
}

/** As far as the kernel knows the way: the MTU that it has learned, else that of the netdev. */
async function readWholeBytes(
  system: Pick<System, 'files'>,
  route: RemoteRoute | null,
): Promise<number | null> {
  if (!route) return null;
  const learned = route.metrics?.find(({ mtu }) => mtu !== undefined)?.mtu;
  const mtu = learned ?? (route.dev ? await readMtu(system, route.dev) : null);
  return mtu === null ? null : wholeBytesOf(mtu, route.isV6);
}

/** Prefixes that these netdevs reach without a gateway. */
async function readRouted(
  system: Pick<System, 'processes'>,
  names: readonly string[],
): Promise<Map<string, string[]>> {
  const routed = new Map<string, string[]>();
  for (const name of names) {
    const prefixes: string[] = [];
    for (const family of ['-4', '-6']) {
      const question = [family, 'route', 'show', 'dev', name];
      const routes = await ipJson<{ dst: string; gateway?: string }>(system, question).catch(
        () => [],
      );
      const direct = routes.filter(
        ({ gateway, dst }) => gateway === undefined && dst !== 'default',
      );
      for (const { dst } of direct) {
        const parts = splitPrefix(dst);
        if (parts) prefixes.push(networkOf(parts.address, parts.length));
      }
    }
    routed.set(name, prefixes);
  }
  return routed;
}

/** Netdevs that carry PPPoE, from the kernel's table (drivers/net/ppp/pppoe.c: id, address, device). */
export function parsePppoe(text: string): Set<string> {
  const rows = text.split('\n').slice(1);
  return new Set(rows.map((row) => row.trim().split(/\s+/)[2] ?? '').filter((name) => name !== ''));
}
