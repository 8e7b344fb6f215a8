// What lies behind a netdev, as far as its kind tells: the home's own wires and radios, or maybe another place. Pure.
import { type Notice, type NoticeValue, notice } from '../notices/notice.ts';

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
): Notice | null {
  const path = pathToDoubt(netdev, listed, outward, []);
  return path === null ? null : clauseOf(path);
}

/** A netdev on the way to a doubtful one, and what it does to the next; the doubtful one is the last. */
interface Step {
  netdev: NoticeValue;
  does: 'has-port' | 'lies-over' | 'lies-over-unseen' | 'may-lead-out';
}

/** The way as a clause: `A has the port B, which lies over C, which may lead out …`. */
function clauseOf([first, ...others]: readonly Step[], isNested = false): Notice {
  const { netdev, does } = first!;
  switch (does) {
    case 'has-port': {
      const values = { netdev, port: clauseOf(others, true) };
      return notice(isNested ? 'which-has-port' : 'has-port', values);
    }
    case 'lies-over': {
      const values = { netdev, lower: clauseOf(others, true) };
      return notice(isNested ? 'which-lies-over' : 'lies-over', values);
    }
    case 'lies-over-unseen':
      return notice(isNested ? 'which-lies-over-unseen' : 'lies-over-unseen', { netdev });
    case 'may-lead-out':
      return notice(isNested ? 'which-may-lead-out' : 'may-lead-out', { netdev });
  }
}

/** From the netdev down to a doubtful one; null when there is none. */
function pathToDoubt(
  netdev: ListedNetdev,
  listed: readonly ListedNetdev[],
  outward: ReadonlySet<string>,
  above: readonly string[],
): Step[] | null {
  const { ifname, link_type, linkinfo, link } = netdev;
  const kind = linkinfo?.info_kind;
  const doubtful: Step[] = [{ netdev: labelOf(netdev), does: 'may-lead-out' }];
  if (kind === undefined) return link_type === 'ether' ? null : doubtful;
  if (PLAIN.has(kind)) return null;
  const way = [...above, ifname];
  const step = (does: Step['does'], next: ListedNetdev): Step[] | null => {
    if (way.includes(next.ifname)) return null;
    const path = pathToDoubt(next, listed, outward, way);
    return path && [{ netdev: ifname, does }, ...path];
  };
  if (OVER_PORTS.has(kind)) {
    const ports = listed.filter(({ master }) => master === ifname);
    return ports.map((port) => step('has-port', port)).find((path) => path !== null) ?? null;
  }
  if (!OVER_ONE.has(kind)) return doubtful;
  const below = listed.find((one) => one.ifname === link);
  if (!below) return [{ netdev: ifname, does: 'lies-over-unseen' }];
  if (SAME_WIRE.has(kind) && outward.has(below.ifname)) {
    return [
      { netdev: ifname, does: 'lies-over' },
      { netdev: below.ifname, does: 'may-lead-out' },
    ];
  }
  return step('lies-over', below);
}

function labelOf({ ifname, link_type, linkinfo }: ListedNetdev): NoticeValue {
  const kind = linkinfo?.info_kind ?? link_type;
  if (kind === undefined) return notice('of-unknown-kind', { netdev: ifname });
  return `${ifname} (${kind === 'tun' ? (linkinfo?.info_data?.type ?? kind) : kind})`;
}
