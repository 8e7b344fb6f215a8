// Where an endpoint is reached: host, port and the kind of UDP, as a profile's `remote` names them.
import { ipVersion } from '../ip/address.ts';

/** OpenVPN's names: any address family, IPv4 alone, IPv6 alone. */
export type Proto = 'udp' | 'udp4' | 'udp6';

export interface Remote {
  /** Host name, or an address; IPv6 without brackets. */
  host: string;
  port: number;
  proto: Proto;
}

const LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/** What resolvers take for a number, and so for an IPv4 address in another spelling. */
const NUMBER = /^(\d+|0x[0-9a-f]*)$/i;

/** Whether this is a host name (RFC 1123, underscores allowed) or an address without a zone. */
export function isHost(text: string): boolean {
  if (text.includes(':')) return ipVersion(text) === 6 && !text.includes('%');
  if (ipVersion(text) === 4) return true;
  const labels = text.split('.');
  return (
    text.length <= 253 &&
    labels.every((label) => LABEL.test(label)) &&
    !NUMBER.test(labels.at(-1) ?? '')
  );
}

/** Whether a literal address is of the family that the protocol is bound to; names always are. */
export function suitsProto(host: string, proto: Proto): boolean {
  const family = ipVersion(host);
  return family === 0 || proto === 'udp' || proto === `udp${family}`;
}

export function parseProto(text: string): Proto | null {
  return text === 'udp' || text === 'udp4' || text === 'udp6' ? text : null;
}

export function parsePort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : null;
}

/** `host:port`, an IPv6 address in brackets (RFC 3986). */
export function formatRemote({ host, port }: Remote): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
