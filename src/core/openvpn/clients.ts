// Who is connected to a server, as OpenVPN's management interface lists them (management-notes.txt of OpenVPN 2.6).
import { ipVersion } from '../ip/address.ts';

/** Somebody who is connected to a server. */
export interface ListedClient {
  /** Where on the Internet it is. */
  address: string;
  /** Null where OpenVPN does not print it: it does not beside an IPv6 address (mroute.c, mroute_addr_print_ex). */
  port: number | null;
  /** Its address in the tunnel. */
  tunnelAddress: string;
  /** By which OpenVPN tells this connection from every other one there was. */
  id: number;
}

/** A line of the list of clients (`status 3`); null for what is none, or for one that has no address in the tunnel yet. */
export function readClient(line: string): ListedClient | null {
  const [head, , real = '', tunnelAddress = '', , , , , , , number] = line.split('\t');
  if (head !== 'CLIENT_LIST' || ipVersion(tunnelAddress) !== 4) return null;
  const id = Number(number);
  if (ipVersion(real) === 6) return { address: real, port: null, tunnelAddress, id };
  const [, address = '', port] = /^(?:udp\d:)?\[?([\d.]+|[\da-f:]+)\]?:(\d+)$/.exec(real) ?? [];
  return port === undefined || ipVersion(address) === 0
    ? null
    : { address, port: Number(port), tunnelAddress, id };
}
