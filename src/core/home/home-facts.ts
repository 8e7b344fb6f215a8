// Which netdevs are the house and which lead out: pure rules over what the kernel lists.
import { isPrivate, networkOf } from '../ip/address.ts';
import { type Notice, notice } from '../notices/notice.ts';
import type { WayOut } from '../plan/outer-clock.ts';
import { findDoubt, type ListedNetdev } from './netdev-kinds.ts';

/** Something about the home that a person should know of, found while running: what is the matter, and what to do. */
export interface Finding extends Notice {
  /** Section it is about, as `uci show` names it (`@network[0]`); null when it is about none. */
  section: string | null;
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
  /** Netdevs that are left out though they might be the house, with what to do about it. */
  doubtful: { name: string; why: Notice }[];
  /** Netdevs by which the Internet or the endpoint is reached. */
  uplinks: string[];
  /** By which the endpoint is reached; null while that is not known. */
  way: WayOut | null;
  /** All netdevs with their networks, but for ours. */
  addressed: { name: string; prefixes: string[] }[];
  /** Largest packet_size that leaves whole on the way to the endpoint; null while that is not known. */
  wholeBytes: number | null;
  /** Prefixes that configured networks have, or had last: their devices may come in by another netdev. */
  networkPrefixes: string[];
  /** Ports of configured networks that are bridges. */
  networkPorts: string[];
  /** What is wrong with configured networks. */
  networkFindings: Finding[];
  /** One of those that are not there has left nothing by which its devices are known. */
  networkUnknown: boolean;
}

/** What is known before the first look. */
export const NO_HOUSE: House = {
  netdevs: [],
  prefixes: [],
  listing: [],
  doubtful: [],
  uplinks: [],
  way: null,
  addressed: [],
  wholeBytes: null,
  networkPrefixes: [],
  networkPorts: [],
  networkFindings: [],
  networkUnknown: false,
};

/** What the house is told by. */
export interface HouseSight {
  listed: readonly ListedNetdev[];
  /** Netdevs with a default route in any table, or by which the endpoint is reached. */
  uplinks: ReadonlySet<string>;
  /** Netdevs that carry an uplink, as PPPoE is carried. */
  carriers: ReadonlySet<string>;
  /** Netdevs the configuration names as devices' own. */
  networks: readonly string[];
  /** Netdevs the configuration names as the house besides. */
  named: readonly string[];
  /** Prefixes that routes send by a netdev without a gateway, by that netdev. */
  routed?: ReadonlyMap<string, readonly string[]>;
  /** Our netdevs. */
  own: ReadonlySet<string>;
}

/**
 * The house: netdevs with a private address that no default route leaves by and that end in the home for all their kind
 * tells, and those the configuration names. A netdev that might lead out is none of it, for a device's packet there would be
 * seen. All prefixes of such a netdev are the house's, for devices use the public addresses of one another too.
 */
export function findHouse(
  sight: HouseSight,
): Pick<House, 'netdevs' | 'prefixes' | 'listing' | 'doubtful' | 'uplinks'> {
  const { listed, uplinks, networks, named, own } = sight;
  const listing: House['listing'] = [];
  const doubtful: House['doubtful'] = [];
  for (const netdev of listed) {
    const name = netdev.ifname;
    if (own.has(name) || name === 'lo') continue;
    if (uplinks.has(name)) {
      const why = notice('house-leads-out', { netdev: name });
      if (named.includes(name)) doubtful.push({ name, why });
      continue;
    }
    const prefixes = prefixesOf(netdev);
    if (!networks.includes(name) && !named.includes(name)) {
      if (prefixes.length === 0) continue;
      const doubt = findOutwardness(netdev, sight);
      if (doubt !== null) {
        const command = `uci add_list iotshaper.main.house=${name}; uci commit iotshaper; reload_config`;
        doubtful.push({ name, why: notice('netdev-left-out', { doubt, command }) });
        continue;
      }
    }
    listing.push({
      name,
      prefixes: named.includes(name) ? withRouted(prefixes, sight, name) : prefixes,
    });
  }
  for (const name of named) {
    if (listed.some(({ ifname }) => ifname === name)) continue;
    doubtful.push({ name, why: notice('house-not-there', { netdev: name }) });
  }
  listing.sort((a, b) => compare(a.name, b.name));
  return {
    netdevs: listing.map(({ name }) => name),
    prefixes: [...new Set(listing.flatMap(({ prefixes }) => prefixes))].sort(),
    listing,
    doubtful: doubtful.sort((a, b) => compare(a.name, b.name)),
    uplinks: [...uplinks].sort(),
  };
}

/**
 * A WireGuard netdev has often one address alone, and routes to its peers. Only private ones: half the Internet may be routed
 * by a netdev that no default route names.
 */
function withRouted(prefixes: readonly string[], { routed }: HouseSight, name: string): string[] {
  const more = (routed?.get(name) ?? []).filter((prefix) => isPrivate(prefix));
  return [...new Set([...prefixes, ...more])].sort();
}

/** Why a netdev with an address that nobody named may lead out, as a clause; null when it is the house. */
function findOutwardness(netdev: ListedNetdev, sight: HouseSight): Notice | null {
  const { listed, uplinks, carriers } = sight;
  if (carriers.has(netdev.ifname)) return notice('carries-uplink', { netdev: netdev.ifname });
  const doubt = findDoubt(netdev, listed, new Set([...uplinks, ...carriers]));
  if (doubt !== null) return doubt;
  const inside = netdev.addr_info?.some(({ local, scope }) => scope !== 'link' && isPrivate(local));
  return inside ? null : notice('public-alone', { netdev: netdev.ifname });
}

/** The networks a netdev is in, but for link-local ones. */
export function prefixesOf({ addr_info = [] }: ListedNetdev): string[] {
  const prefixes = addr_info
    .filter(({ scope, prefixlen }) => scope !== 'link' && prefixlen > 0)
    .map(({ local, address, prefixlen }) => networkOf(address ?? local, prefixlen));
  return [...new Set(prefixes)].sort();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
