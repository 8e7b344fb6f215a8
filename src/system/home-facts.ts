// Which netdevs are the house and which lead out: read from the kernel, decided by pure rules.

import { isPrivate, networkOf } from '../ip/address.ts';
import { TUNNEL_NETDEV } from '../plan/names.ts';
import { run } from './command.ts';

/** What `ip -j addr` tells of one netdev, as far as it is used. */
export interface ListedNetdev {
  ifname: string;
  link_type?: string;
  flags?: string[];
  addr_info?: { family: string; local: string; prefixlen: number; scope?: string }[];
}

/** Something about the home that a person should know of, found while running. */
export interface Finding {
  /** Section it is about, as `uci show` names it (`@network[0]`); null when it is about none. */
  section: string | null;
  /** Whole sentence: what is the matter, and what to do. */
  text: string;
  /** Whether devices may not go on while it holds. */
  blocks: boolean;
}

/** Where a device may talk without the tunnel, and what was found on the way to knowing it. */
export interface House {
  /** Netdevs of the house: never one that leads out. */
  netdevs: string[];
  /** Prefixes on those netdevs, public ones too. */
  prefixes: string[];
  /** The same by netdev, for a person to read. */
  listing: { name: string; prefixes: string[] }[];
  /** Netdevs with addresses that may lead out, with what to do about it. */
  doubtful: { name: string; why: string }[];
  /** Netdevs by which the Internet or the endpoint is reached. */
  uplinks: string[];
  /** Prefixes that configured networks have, or had last: their devices may come in by another netdev. */
  networkPrefixes: string[];
  /** Ports of configured networks that are bridges. */
  networkPorts: string[];
  /** What is wrong with configured networks. */
  networkFindings: Finding[];
}

/** What is known before the first look. */
export const NO_HOUSE: House = {
  netdevs: [],
  prefixes: [],
  listing: [],
  doubtful: [],
  uplinks: [],
  networkPrefixes: [],
  networkPorts: [],
  networkFindings: [],
};

/**
 * The house: netdevs with a private address that no default route leaves by. A netdev that might lead out is none of it,
 * for a device's packet there would be seen.
 *
 * @param uplinks netdevs with a default route in any table, or by which the endpoint is reached.
 * @param networks netdevs the configuration names as devices' own.
 * @param own our netdevs.
 */
export function findHouse(
  listed: readonly ListedNetdev[],
  uplinks: ReadonlySet<string>,
  networks: readonly string[],
  own: ReadonlySet<string>,
): House {
  const netdevs: string[] = [];
  const prefixes = new Set<string>();
  for (const { ifname, link_type, addr_info = [] } of listed) {
    if (own.has(ifname) || uplinks.has(ifname) || ifname === 'lo') continue;
    const inside = addr_info.filter(({ local, scope }) => scope !== 'link' && isPrivate(local));
    const named = networks.includes(ifname);
    if (!named && (link_type !== 'ether' || inside.length === 0)) continue;
    netdevs.push(ifname);
    for (const { local, prefixlen, scope } of named ? addr_info : inside) {
      if (scope !== 'link') prefixes.add(networkOf(local, prefixlen));
    }
  }
  return { ...NO_HOUSE, netdevs: netdevs.sort(), prefixes: [...prefixes].sort() };
}

/** Reads the house from the kernel. */
export async function readHouse(
  networks: readonly string[],
  deviceNetdev: string,
  remoteAddress: string | null,
): Promise<House> {
  const listed = await ipJson<ListedNetdev>(['addr', 'show']);
  const own = new Set([deviceNetdev, TUNNEL_NETDEV]);
  const uplinks = new Set<string>();
  for (const family of ['-4', '-6']) {
    const routes = await ipJson<{ dev?: string; nexthops?: { dev?: string }[] }>([
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
  if (remoteAddress) {
    const [route] = await ipJson<{ dev?: string }>(['route', 'get', remoteAddress]).catch(() => []);
    if (route?.dev) uplinks.add(route.dev);
  }
  return findHouse(listed, uplinks, networks, own);
}

async function ipJson<T>(words: string[]): Promise<T[]> {
  const { stdout } = await run(['ip', '-j', ...words]);
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as T[]);
}
