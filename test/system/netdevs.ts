// Netdevs as `ip -d -j addr` lists them: recorded, and made up for kinds this kernel has not.
import { readFileSync } from 'node:fs';
import type { ListedNetdev } from '../../src/core/home/netdev-kinds.ts';

/** A recorded listing. */
export function recorded(name: 'router' | 'container'): ListedNetdev[] {
  return JSON.parse(readFileSync(`test/fixtures/netdevs/${name}.json`, 'utf8'));
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
    addr_info: addresses.map((cidr) => {
      const [local = '', length] = cidr.split('/');
      return {
        family: local.includes(':') ? 'inet6' : 'inet',
        local,
        prefixlen: Number(length),
        scope: /^(fe80:|169\.254\.)/.test(local) ? 'link' : 'global',
      };
    }),
    ...rest,
  };
}
