// Netdevs as `ip -d -j addr` lists them: recorded, and made up for kinds this kernel has not.
import { readFileSync } from 'node:fs';
import type { ListedNetdev } from '../../src/core/home/netdev-kinds.ts';

/** A recorded listing. */
export function recorded(name: 'router' | 'container'): ListedNetdev[] {
  return JSON.parse(readFileSync(`test/fixtures/netdevs/${name}.json`, 'utf8'));
}

/** An address with its length, as `ip -j` lists it. */
export function addressInfo(cidr: string, scope: string) {
  const [local = '', length] = cidr.split('/');
  const family = local.includes(':') ? 'inet6' : 'inet';
  return { family, local, prefixlen: Number(length), scope };
}

/** A netdev with these addresses; `kind` as the kernel names it, none for hardware. */
export function netdev(
  ifname: string,
  addresses: string[] = [],
  more: Partial<ListedNetdev> & { kind?: string } = {},
): ListedNetdev {
  const { kind, ...rest } = more;
  return {
    ifname,
    link_type: 'ether',
    ...(kind ? { linkinfo: { info_kind: kind } } : {}),
    addr_info: addresses.map((cidr) =>
      addressInfo(cidr, /^(fe80:|169\.254\.)/.test(cidr) ? 'link' : 'global'),
    ),
    ...rest,
  };
}
