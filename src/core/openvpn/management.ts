// OpenVPN's management interface, the half that only reads and writes lines (management-notes.txt of OpenVPN 2.6).
import { ipVersion } from '../ip/address.ts';

/** Addresses a state is told with, where it is with any: '' and null else. */
export interface Ends {
  localAddress: string;
  remoteAddress: string;
  remotePort: number | null;
}

/** What OpenVPN says of its own accord. */
export type ManagementEvent =
  | ({ kind: 'state'; name: string; detail: string } & Ends)
  | { kind: 'bytes'; inBytes: number; outBytes: number }
  | { kind: 'fatal'; text: string }
  /** OpenVPN waits for leave to connect, and suggests how long it should. */
  | { kind: 'hold'; pauseMs: number }
  /** One of those that are connected, as `status 3` lists them. */
  | { kind: 'client'; client: ListedClient }
  /** A list is over. */
  | { kind: 'end' }
  | { kind: 'other'; text: string };

/** Somebody who is connected to a server. */
export interface ListedClient {
  /** Where on the Internet it is. */
  address: string;
  /** Null where OpenVPN does not print it: it does not beside an IPv6 address (mroute.c, mroute_addr_print_ex). */
  port: number | null;
  /** Its address in the tunnel. */
  tunnelAddress: string;
}

/** A line of the list of clients; null for what is none, or for one that has no address in the tunnel yet. */
function readClient(line: string): ListedClient | null {
  const [head, , real = '', tunnelAddress = ''] = line.split('\t');
  if (head !== 'CLIENT_LIST' || ipVersion(tunnelAddress) !== 4) return null;
  if (ipVersion(real) === 6) return { address: real, port: null, tunnelAddress };
  const [, address = '', port] = /^(?:udp\d:)?\[?([\d.]+|[\da-f:]+)\]?:(\d+)$/.exec(real) ?? [];
  return port === undefined || ipVersion(address) === 0
    ? null
    : { address, port: Number(port), tunnelAddress };
}

/** One line as an event; replies to commands (`SUCCESS: …`) come as `other`. */
export function parseManagementLine(line: string): ManagementEvent {
  if (line === 'END') return { kind: 'end' };
  const client = readClient(line);
  if (client) return { kind: 'client', client };
  const match = /^>([A-Z_]+):(.*)$/.exec(line);
  const text = match?.[2] ?? line;
  switch (match?.[1]) {
    case 'STATE': {
      const [, name = '', detail = '', localAddress = '', remoteAddress = '', port = ''] =
        text.split(',');
      const remotePort = port === '' ? null : Number(port);
      return { kind: 'state', name, detail, localAddress, remoteAddress, remotePort };
    }
    case 'BYTECOUNT': {
      const [inBytes = 0, outBytes = 0] = text.split(',').map(Number);
      return { kind: 'bytes', inBytes, outBytes };
    }
    case 'FATAL':
      return { kind: 'fatal', text };
    case 'HOLD':
      return { kind: 'hold', pauseMs: 1000 * Number(/:(\d+)$/.exec(text)?.[1] ?? 0) };
    default:
      return { kind: 'other', text: line };
  }
}
