// What an endpoint that is taken out of service knows of its homes' connections. Values only.
import { ipVersion } from '../../ip/address.ts';
import { readClient } from '../../openvpn/clients.ts';

/** A home that OpenVPN has a connection with. */
export interface HomeConnection {
  host: number;
  connection: number;
  /** Of the address it comes from. */
  family: 4 | 6;
}

/** @param lines of OpenVPN's list, and others between them; null where it did not say */
export function homeConnections(lines: readonly string[] | null): HomeConnection[] | null {
  if (lines === null) return null;
  return lines.map(readClient).flatMap((client) => {
    if (!client) return [];
    const { address, tunnelAddress, id: connection } = client;
    const host = Number(tunnelAddress.split('.').at(-1));
    return [{ host, connection, family: ipVersion(address) === 6 ? 6 : 4 }];
  });
}

/**
 * The line of OpenVPN's management by which the home at the other end goes on to the next "remote" of its profile: it reads N as
 * that, where RESTART alone has it come back (OpenVPN 2.6, push.c, server_pushed_signal). The connection itself ends five seconds later.
 */
export function renderSendOn(connection: number): string {
  return `client-kill ${connection} RESTART,[N]`;
}

/** A home that was told to. */
export interface SentOn {
  /** The connection by which it was told last. */
  connection: number;
  /** Families of the addresses it came from: a name that has both is two ways to this endpoint, one after the other. */
  families: readonly (4 | 6)[];
  atMs: number;
  /** When it was here last. */
  seenMs: number;
  /** It came back: nobody else takes it, so it is served on. */
  stays: boolean;
}

export interface DrainState {
  /** Since when homes are to go to other endpoints; null while they are served. */
  drained: string | null;
  /** Homes that were told to, by host; and when one that was served was told last. */
  sentOn: ReadonlyMap<number, SentOn>;
  sentOnMs: number;
}

export const SERVING: DrainState = {
  drained: null,
  sentOn: new Map(),
  sentOnMs: Number.NEGATIVE_INFINITY,
};
