// What the bench and its swarm of homes say to each other.

/** A home that the swarm is. */
export interface SwarmHome {
  host: number;
  /** Last lines of its OpenVPN's configuration are the swarm's. */
  config: string;
  address: string;
  /** Base64. */
  controlKey: string;
}

export interface SwarmOrders {
  dir: string;
  homes: SwarmHome[];
  endpointAddress: string;
  rateKBps: number;
  packetBytes: number;
  inner: { inner4: string; inner6: string | null };
  /** Whether there is a service that greets; a plain tunnel has none. */
  isShaped: boolean;
  /** Homes that are not served within so long are none. */
  limitMs: number;
}

export type ToSwarm =
  | { kind: 'orders'; orders: SwarmOrders }
  /** Asks for {@link FromSwarm}'s `counts`. */
  | { kind: 'count' };

export type FromSwarm =
  /** Every home has its tunnel and its tenth slot, or the limit is over. Times are in ms of the monotonic clock, by home; null for never. */
  | { kind: 'served'; connectedMs: (number | null)[]; servedMs: (number | null)[] }
  | { kind: 'counts'; sent: number; missed: number; welcomes: number; refused: number };

/** Netdev of a home's tunnel. */
export function tunOf(host: number): string {
  return `t${host}`;
}

/** UDP port of a home's OpenVPN. */
export function portOf(host: number): number {
  return 20_000 + host;
}

/** Where a home is on the Internet. */
export function addressOf(host: number): string {
  return `203.0.113.${host}`;
}

/** Routing table of a home. */
export function tableOf(host: number): number {
  return 1000 + host;
}
