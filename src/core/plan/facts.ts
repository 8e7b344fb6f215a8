// What a plan needs to know of the machine and of the tunnel, beyond the configuration.
import type { Shape } from '../stream/stream.ts';

/** The two tunnel addresses, known once OpenVPN is connected. */
export interface TunnelAddresses {
  local: string;
  peer: string;
}

/** What the endpoint gives a home: where its devices appear inside, and who answers their DNS queries. */
export interface InnerNetwork {
  /** A /24. */
  prefix4: string;
  /** A /64, or null where the endpoint has no IPv6. */
  prefix6: string | null;
  resolver4: string;
  resolver6: string | null;
}

/** An address of a device, and which of the inner prefix's addresses it has. */
export interface InnerPlace {
  address: string;
  /** The low byte of an inner IPv4 address, the low 64 bits of an IPv6 one, as an address: `0.0.0.11`, `::11`. */
  low: string;
  /** It had to share an address before, and connections begun then go on. */
  hasShared: boolean;
}

/** Which inner address each device's address has. */
export interface InnerPlaces {
  /** The /24 that holds all addresses of devices, so that their low bytes tell them apart; null where they could not. */
  block4: string | null;
  /** The same, a /64. */
  block6: string | null;
  /** Of the addresses that are known; no two have the same but those that have to share. */
  places: readonly InnerPlace[];
}

/** Ranges that exist inside the tunnel alone: none of their addresses may show on any other netdev. */
export interface InsideRanges {
  /** Of the tunnel's two ends, a /24. */
  tunnel: string;
  /** Of devices as the endpoint sees them, a /16. */
  inner4: string;
  /** The same, a /48, or null without IPv6. */
  inner6: string | null;
}

/** What one configured device is known by beside what the configuration says. */
export interface FollowedDevice {
  /** Section as `uci show` names it. */
  section: string;
  /** Hardware addresses beyond the configured one, lower case. */
  macs: readonly string[];
  /** Single addresses beyond the configured ones, of either family, without a prefix length. */
  addresses: readonly string[];
}

/** A user, with its group, who has no rights but those of everybody. */
export interface PlainUser {
  user: string;
  group: string;
}

export interface HomeFacts {
  /** Only this user may speak for the service on the loopback ports and the tunnel. */
  uid: number;
  /** Netdevs of the house: where a device may talk without the tunnel. Never one with a default route. */
  houseNetdevs: string[];
  /** Prefixes on those netdevs. */
  housePrefixes: string[];
  /** The same by netdev. */
  houseListing: readonly { name: string; prefixes: readonly string[] }[];
  /** Netdevs that lead out: what comes in by one of them is no device's only because its address looks like one. */
  uplinks: string[];
  /** Prefixes that configured networks have or had: their devices', by whatever netdev they come in. */
  networkPrefixes: string[];
  /** Ports of configured networks that are bridges: one that is taken out of its bridge goes on as a netdev of its own. */
  networkPorts: string[];
  /** A configured network is not there: whoever was seen in it is a device wherever it shows up. */
  networkLost: boolean;
  followed: readonly FollowedDevice[];
  /** Netdevs on which hosts live side by side with chosen devices: who resolves names there is watched for. */
  sharedNetdevs: readonly string[];
  /** Null without a profile. */
  inside: InsideRanges | null;
  tunnel: TunnelAddresses | null;
  inner: InnerNetwork | null;
  innerPlaces: InnerPlaces;
}

/** One home as the endpoint shapes it. */
export interface HomeSlot {
  name: string;
  /** Last byte of the tunnel address, third of the inner prefix, minor of the class; 2…254. */
  host: number;
  /** What the home asked for its download, or null while it is not connected. */
  shape: Shape | null;
}

export interface EndpointFacts {
  uid: number;
  /** UDP port at which homes reach it. */
  port: number;
  /** First three bytes of the tunnel addresses' /24, e.g. `10.213.0`. */
  tunnelNet: string;
  /** First two bytes of the inner addresses' /16, e.g. `10.214`. */
  innerNet: string;
  /** The /48 of the inner IPv6 addresses without `::`, e.g. `fd12:3456:789a`, or null without IPv6. */
  innerNet6: string | null;
  /** Networks this machine is in, of which none lies in another: the Internet of homes is beyond them. */
  near: readonly string[];
  homes: HomeSlot[];
}
