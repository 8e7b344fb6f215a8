// Which netdevs are the house and which lead out: read from the kernel, decided by pure rules.

import { TUNNEL_NETDEV } from '../plan/names.ts';
import { run } from './command.ts';

/** What `ip -j addr` tells of one netdev, as far as it is used. */
export interface ListedNetdev {
  ifname: string;
  link_type?: string;
  flags?: string[];
  addr_info?: { family: string; local: string; prefixlen: number; scope?: string }[];
}

export interface House {
  netdevs: string[];
  prefixes: string[];
}

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
  return { netdevs: netdevs.sort(), prefixes: [...prefixes].sort() };
}

/** RFC 1918 and RFC 4193 addresses. */
export function isPrivate(address: string): boolean {
  if (address.includes(':')) return /^f[cd]/i.test(address);
  const [a = 0, b = 0] = address.split('.').map(Number);
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168);
}

/** The network of an address, in CIDR form. */
export function networkOf(address: string, prefixLength: number): string {
  if (!address.includes(':')) {
    const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    const size = 2 ** (32 - prefixLength);
    const base = Math.floor(value / size) * size;
    const bytes = [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256);
    return `${bytes.join('.')}/${prefixLength}`;
  }
  const value = expandIpv6(address);
  const keep = BigInt(128 - prefixLength);
  return `${formatIpv6((value >> keep) << keep)}/${prefixLength}`;
}

function expandIpv6(address: string): bigint {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(gap).fill('0'), ...right];
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(Number.parseInt(group, 16)), 0n);
}

function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  let run = '';
  for (let length = 8; length > 1 && run === ''; length--) {
    const zeros = Array(length).fill('0').join(':');
    const text = `:${groups.join(':')}:`;
    if (text.includes(`:${zeros}:`)) run = text.replace(`:${zeros}:`, '::');
  }
  return run === '' ? groups.join(':') : run.replace(/^:(?!:)|(?<!:):$/g, '');
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
