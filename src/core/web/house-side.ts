// Where the page is served, and to whom: in the devices' networks and others of the house, never on the Internet's side.
import { networkOf } from '../ip/address.ts';

export interface OwnAddress {
  netdev: string;
  address: string;
  length: number;
}

export interface HouseSide {
  /** Where it listens. */
  addresses: string[];
  /** From where it is asked: networks that this machine has a foot in. */
  networks: string[];
}

/**
 * @param own addresses of this machine.
 * @param networks netdevs of the devices' networks; before there are any, all of the house are where one may look.
 * @param outside netdevs that lead to the Internet, and the tunnel's.
 */
export function findHouseSide(
  own: readonly OwnAddress[],
  networks: readonly string[],
  outside: ReadonlySet<string>,
): HouseSide {
  const inside = own.filter(
    ({ netdev, address }) => netdev !== 'lo' && !outside.has(netdev) && !/^fe[89ab]/i.test(address),
  );
  const served = inside.filter(({ netdev }) => networks.length === 0 || networks.includes(netdev));
  return {
    addresses: [...new Set(served.map(({ address }) => address))].sort(),
    networks: [...new Set(inside.map(({ address, length }) => networkOf(address, length)))].sort(),
  };
}

/** Whether an address belongs to the house. */
export function isInHouse(address: string, { networks }: HouseSide): boolean {
  const isIpv6 = address.includes(':');
  return networks.some((network) => {
    const [base = '', length] = network.split('/');
    return base.includes(':') === isIpv6 && networkOf(address, Number(length)) === network;
  });
}

/** Netdevs of default routes, from /proc/net/route and /proc/net/ipv6_route. */
export function parseDefaultRoutes(ipv4: string, ipv6: string): Set<string> {
  const rows = (text: string) => text.split('\n').map((line) => line.trim().split(/\s+/));
  const found = new Set<string>();
  for (const [netdev = '', target, , , , , , mask] of rows(ipv4)) {
    if (target === '00000000' && mask === '00000000') found.add(netdev);
  }
  for (const [target = '', length, ...rest] of rows(ipv6)) {
    const netdev = rest.at(-1);
    if (/^0{32}$/.test(target) && length === '00' && netdev && netdev !== 'lo') found.add(netdev);
  }
  return found;
}
