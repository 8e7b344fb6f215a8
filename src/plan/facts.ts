// What a plan needs to know of the machine and of the tunnel, beyond the configuration.

/** The two tunnel addresses, known once OpenVPN is connected. */
export interface TunnelAddresses {
  local: string;
  peer: string;
}

/** What the endpoint gives a home: where its devices appear inside, and who answers their DNS queries. */
export interface InnerNetwork {
  /** A /24; a device keeps the low byte of its address. */
  prefix4: string;
  /** A /64, or null where the endpoint has no IPv6. */
  prefix6: string | null;
  resolver4: string;
  resolver6: string | null;
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
  tunnel: TunnelAddresses | null;
  inner: InnerNetwork | null;
}

/** One home as the endpoint shapes it. */
export interface HomeSlot {
  name: string;
  /** Last byte of the tunnel address, third of the inner prefix, minor of the class; 2…254. */
  host: number;
  /** What the home asked for its download, or null while it is not connected. */
  shape: Shape | null;
}

/** The stream one direction is made into. */
export interface Shape {
  /** KB/s of IP packets on the tunnel; 0 = plain tunnel, neither paced nor covered. */
  rateKBps: number;
  packetBytes: number;
  /** Percent of the mean interval; 0 = constant. */
  sdPercent: number;
}

export interface EndpointFacts {
  uid: number;
  /** First three bytes of the tunnel addresses' /24, e.g. `10.213.0`. */
  tunnelNet: string;
  /** First two bytes of the inner addresses' /16, e.g. `10.214`. */
  innerNet: string;
  /** The /48 of the inner IPv6 addresses without `::`, e.g. `fd12:3456:789a`, or null without IPv6. */
  innerNet6: string | null;
  homes: HomeSlot[];
}
