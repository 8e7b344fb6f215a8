// By which name or address homes may reach an endpoint.
import { holds } from '../ip/within.ts';
import { isHost } from '../openvpn/remote.ts';

/** Networks whose addresses mean another machine to each who asks, or none. */
const NOBODYS = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '::/127',
  'fe80::/10',
  'ff00::/8',
];

/** Networks that nobody outside the house, or the provider's own, reaches. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'];

/** Why homes can't reach an endpoint by this, to follow the name of the option; null where they may. */
export function findHostFault(host: string): string | null {
  const [, name, port] = /^([^:]+|\[.*\]):(\d+)$/.exec(host) ?? [];
  if (name !== undefined)
    return `must be without a port, got "${host}"; the port is said by --port ${port}`;
  if (/^\[.*\]$/.test(host)) return `must be without brackets, got "${host}"`;
  if (!isHost(host)) return `must be a host name or an address, got "${host}"`;
  if (/(^|\.)localhost$/i.test(host) || isIn(NOBODYS, host)) {
    return `must be the name or address by which homes reach this server from the Internet, got "${host}", by which each machine reaches itself or its neighbours`;
  }
  return null;
}

/** Whether this is an address that homes elsewhere can't reach. */
export function isUnreachable(address: string): boolean {
  return isIn(PRIVATE, address);
}

/** Whether homes elsewhere might reach this address of a netdev. */
export function isOutward(address: string): boolean {
  return !isIn(NOBODYS, address);
}

function isIn(networks: readonly string[], address: string): boolean {
  return networks.some((network) => holds(network, address));
}
