// What lies behind a netdev, as far as its kind tells: the home's own wires and radios, or maybe another place. Pure.

/** What `ip -d -j addr` tells of one netdev, as far as it is used. */
export interface ListedNetdev {
  ifname: string;
  link_type?: string;
  /** Hardware address. */
  address?: string;
  /** The netdev it lies over; of a veth, its other end. */
  link?: string;
  /** Bridge or bond it is a port of. */
  master?: string;
  linkinfo?: { info_kind?: string; info_slave_kind?: string; info_data?: { type?: string } };
  addr_info?: {
    family: string;
    local: string;
    /** The other end's, where the two ends have different ones. */
    address?: string;
    prefixlen: number;
    scope?: string;
  }[];
}

/** Links of this machine's own: switch ports, and what holds containers. */
const PLAIN = new Set(['dsa', 'veth', 'dummy']);
const OVER_PORTS = new Set(['bridge', 'bond', 'team']);
const OVER_ONE = new Set(['vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap']);
/** Shares the wire of the netdev below without a tag of its own. */
const SAME_WIRE = new Set(['macvlan', 'macvtap', 'ipvlan', 'ipvtap']);

/**
 * Why a netdev may lead out of the home. A tap or tunnel has an Ethernet's looks and a private address, and still ends at
 * the far side of the Internet; what is of no known kind is not trusted either.
 *
 * @param outward netdevs known to lead out.
 * @returns a clause about the netdev, with its name first; null for an ordinary one.
 */
export function findDoubt(
  netdev: ListedNetdev,
  listed: readonly ListedNetdev[],
  outward: ReadonlySet<string>,
): string | null {
  const path = pathToDoubt(netdev, listed, outward, []);
  if (path === null) return null;
  const [name, ...steps] = path;
  return `${name} ${[...steps, 'may lead out of your home, as a VPN does'].join(', which ')}`;
}

/** The netdev's name, then what it does to the one below it, and so on down to a doubtful one; null when there is none. */
function pathToDoubt(
  netdev: ListedNetdev,
  listed: readonly ListedNetdev[],
  outward: ReadonlySet<string>,
  above: readonly string[],
): string[] | null {
  const { ifname, link_type, linkinfo, link } = netdev;
  const kind = linkinfo?.info_kind;
  if (kind === undefined) return link_type === 'ether' ? null : [labelOf(netdev)];
  if (PLAIN.has(kind)) return null;
  const way = [...above, ifname];
  const step = (verb: string, next: ListedNetdev): string[] | null => {
    if (way.includes(next.ifname)) return null;
    const path = pathToDoubt(next, listed, outward, way);
    return path && [ifname, `${verb} ${path[0]}`, ...path.slice(1)];
  };
  if (OVER_PORTS.has(kind)) {
    const ports = listed.filter(({ master }) => master === ifname);
    return ports.map((port) => step('has the port', port)).find((path) => path !== null) ?? null;
  }
  if (!OVER_ONE.has(kind)) return [labelOf(netdev)];
  const below = listed.find((one) => one.ifname === link);
  if (!below) return [ifname, 'lies over another that cannot be seen from here'];
  if (SAME_WIRE.has(kind) && outward.has(below.ifname)) {
    return [ifname, `lies over ${below.ifname}`];
  }
  return step('lies over', below);
}

function labelOf({ ifname, link_type, linkinfo }: ListedNetdev): string {
  const kind = linkinfo?.info_kind ?? link_type ?? 'of no known kind';
  return `${ifname} (${kind === 'tun' ? (linkinfo?.info_data?.type ?? kind) : kind})`;
}
