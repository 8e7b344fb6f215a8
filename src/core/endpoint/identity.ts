// What an endpoint is, and the homes it serves, as its store keeps them.
import { networkOf } from '../ip/address.ts';
import type { InnerNetwork } from '../plan/facts.ts';
import { innerPrefix4, innerPrefix6, resolver4, resolver6 } from '../plan/nft/nft-endpoint.ts';

export interface EndpointIdentity {
  /** Name or address by which homes reach it. */
  host: string;
  port: number;
  /** First three bytes of the tunnel addresses. */
  tunnelNet: string;
  /** First two bytes of the inner addresses. */
  innerNet: string;
  /** First 48 bits of the inner IPv6 addresses (RFC 4193: drawn at random). */
  innerNet6: string;
  /** In a fleet, the ways to all its endpoints in the order in which a home is to try them. */
  remotes?: readonly { host: string; port: number }[];
}

export interface StoredHome {
  name: string;
  /** Last byte of its tunnel address. */
  host: number;
  /** What its certificate calls it: unlike any other that was ever made; just its name where the certificate signed itself. */
  commonName: string;
  /** SHA-256 of its certificate, colon-separated. */
  fingerprint: string;
  /** Secret shared with the home, 32 bytes in base64; '' for a home of an older version, which can't be served. */
  controlKey: string;
}

/** A certificate and its key, PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

/** Whether the endpoint's own authority signed its certificate; those of an older version are known by their fingerprints alone. */
export function isSigned({ name, commonName }: StoredHome): boolean {
  return commonName !== name;
}

/** The endpoint's ranges, where IPv6 is none of them unless the endpoint has it to give. */
export interface Nets {
  tunnelNet: string;
  innerNet: string;
  innerNet6: string | null;
}

/** Where a home's devices appear. */
export function innerNetworkOf(nets: Nets, host: number): InnerNetwork {
  return {
    prefix4: innerPrefix4(nets, host),
    prefix6: innerPrefix6(nets, host),
    resolver4: resolver4(nets),
    resolver6: resolver6(nets),
  };
}

/** Whether an address belongs to a home's inner networks. */
export function owns({ prefix4, prefix6 }: InnerNetwork, address: string): boolean {
  if (!address.includes(':')) return networkOf(address, 24) === prefix4;
  return prefix6 !== null && networkOf(address, 64) === prefix6;
}
