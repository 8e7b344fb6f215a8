// Where on its server an endpoint is: its port, and the ranges inside the tunnel. Pure.
import { holds } from '../ip/within.ts';
import type { EndpointIdentity } from './identity.ts';

/** Has homes come to the next port that is free. */
export const MOVE_PORT = 'iotshaper endpoint set-port';

/** Tried in this order: firewalls let other programs' well-known ports through sooner. */
const PORTS = [1194, 443, 500, 4500, 1195, 1196, 51_820];

/** Says why homes can't be reached by a port; null where they can. */
export function findPortFault(port: number): string | null {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return `must be between 1 and 65535, got "${port}"`;
  return port === 53 ? "53 is the resolver's; take 443 or 1194" : null;
}

/**
 * The first that no program has.
 *
 * @throws {Error} where there is none.
 */
export function findFreePort(taken: readonly number[]): number {
  const free = PORTS.find((port) => !taken.includes(port));
  if (free === undefined)
    throw new Error(`other programs have all of ${PORTS.join(', ')}; name another port`);
  return free;
}

type Ranges = Pick<EndpointIdentity, 'tunnelNet' | 'innerNet'>;

const pairs: readonly Ranges[] = [213, 215, 217, 219, 221].map((net) => ({
  tunnelNet: `10.${net}.0`,
  innerNet: `10.${net + 1}`,
}));

function isFree({ tunnelNet, innerNet }: Ranges, taken: readonly string[]): boolean {
  return !taken.some((prefix) =>
    [`${tunnelNet}.0/24`, `${innerNet}.0.0/16`].some((range) => holds(range, prefix)),
  );
}

/** The first of the pairs of networks for the inside of which this machine is in none; the usual one where it is in all. */
export function findFreeNets(taken: readonly string[]): Ranges {
  return pairs.find((pair) => isFree(pair, taken)) ?? pairs[0]!;
}

/**
 * The endpoint in ranges that are free: as it is, where its own are.
 *
 * @throws {Error} where none is.
 */
export function withFreeNets(
  identity: EndpointIdentity,
  taken: readonly string[],
): EndpointIdentity {
  if (isFree(identity, taken)) return identity;
  const free = pairs.find((pair) => isFree(pair, taken));
  if (!free)
    throw new Error(
      'every range from 10.213 to 10.222 has a network of this server or one to avoid in it; give one of those another network',
    );
  return { ...identity, ...free };
}
