// What the endpoint's machine has on its own links, and what became of the endpoint's netdevs: found in what `ip` lists. Pure.
import { networkOf, splitPrefix } from '../ip/address.ts';
import { holds } from '../ip/within.ts';

/** What `ip -j addr` tells of one netdev, as far as it is used. */
export interface ListedLink {
  ifindex: number;
  ifname: string;
  flags?: readonly string[];
  addr_info?: readonly {
    local?: string;
    /** The other end's, where the two ends have different ones. */
    address?: string;
    prefixlen: number;
  }[];
}

/** What `ip -j route` tells of one route, as far as it is used. */
export interface ListedRoute {
  dst: string;
  dev?: string;
  type?: string;
  protocol?: string;
  /** Each of these stands where it does not lead to the link itself. */
  gateway?: string;
  via?: unknown;
  nexthops?: unknown;
}

/** Who says that what has such a route is on the link; what else people make of routes may lead to the whole Internet. */
const ON_LINK = ['kernel', 'ra', 'dhcp'];
/** No link has as many neighbours as a shorter prefix. */
const SHORTEST = { 4: 8, 6: 16 };

/**
 * Networks whose hosts are neighbours of this machine, and its own addresses; none lies in another.
 *
 * @param ours netdevs of the endpoint's own.
 * @param known networks that are left out, with all in them.
 */
export function findNear(
  links: readonly ListedLink[],
  routes: readonly ListedRoute[],
  ours: readonly string[],
  known: readonly string[],
): string[] {
  const connected = links
    .filter(({ ifname }) => !ours.includes(ifname))
    .flatMap(({ addr_info = [] }) =>
      addr_info.flatMap(({ local, address = local, prefixlen }) => [
        ...(local === undefined ? [] : [local]),
        ...(address === undefined ? [] : [`${address}/${prefixlen}`]),
      ]),
    );
  const routed = routes.filter(
    ({ dev = '', type = 'unicast', protocol = '', gateway, via, nexthops }) =>
      dev !== '' &&
      !ours.includes(dev) &&
      type === 'unicast' &&
      ON_LINK.includes(protocol) &&
      [gateway, via, nexthops].every((next) => next === undefined),
  );
  const all = [...connected, ...routed.map(({ dst }) => dst)].flatMap(asNetwork).sort();
  const unknown = [...new Set(all)].filter((one) => !known.some((wide) => holds(wide, one)));
  return unknown.filter((one) => !unknown.some((wide) => wide !== one && holds(wide, one)));
}

/** In the one form; nothing for what is no network of neighbours. */
function asNetwork(text: string): string[] {
  const found = splitPrefix(text);
  if (!found || found.length < SHORTEST[found.family]) return [];
  return [networkOf(found.address, found.length)];
}

/** A netdev of the endpoint's own, as it made it. */
export interface OwnNetdev {
  name: string;
  index: number;
  /** With their lengths. */
  addresses: readonly string[];
}

/** Whether others took it down, an address from it, or its name. One that was made anew since is another, of which nothing is known. */
export function isAltered({ name, index, addresses }: OwnNetdev, links: readonly ListedLink[]) {
  const link = links.find(({ ifindex }) => ifindex === index);
  if (!link) return false;
  if (link.ifname !== name) return true;
  const listed = (link.addr_info ?? []).map(
    ({ local = '', prefixlen }) =>
      `${networkOf(local, local.includes(':') ? 128 : 32)} ${prefixlen}`,
  );
  const isThere = (cidr: string): boolean => {
    const [address = '', length] = cidr.split('/');
    return listed.includes(`${networkOf(address, address.includes(':') ? 128 : 32)} ${length}`);
  };
  return !(link.flags ?? []).includes('UP') || !addresses.every(isThere);
}
