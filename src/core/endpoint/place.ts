// Where on its server an endpoint is: its port, and the ranges inside the tunnel. Pure.
import { holds } from '../ip/within.ts';
import { findHostFault } from './host.ts';
import type { EndpointIdentity } from './identity.ts';

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

/** How an endpoint changes. */
type Change = (before: EndpointIdentity) => EndpointIdentity;

/** To another name or address. @throws {Error} when homes can't reach it by that. */
export function toHost(host: string): Change {
  const fault = findHostFault(host);
  if (fault !== null) throw new Error(`HOST: ${fault}`);
  return (before) => ({ ...before, host });
}

/** To another port. @throws {Error} when homes can't reach it by that. */
export function toPort(port: number): Change {
  const fault = findPortFault(port);
  if (fault !== null) throw new Error(`PORT: ${fault}`);
  return (before) => ({ ...before, port });
}

/**
 * To ranges of which no network is in: as it is, where its own are such. The change throws where none is.
 *
 * @param taken networks of this machine, and those to avoid
 */
export function toFreeNets(taken: readonly string[]): Change {
  return (before) => {
    if (isFree(before, taken)) return before;
    const free = pairs.find((pair) => isFree(pair, taken));
    if (free) return { ...before, ...free };
    throw new Error(
      'every range from 10.213 to 10.222 has a network of this server or one to avoid in it; give one of those another network',
    );
  };
}
