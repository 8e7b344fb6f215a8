// Homes behind one endpoint as the Internet sees them: all packets on one wire, from one address, with the ports NAT left them.
import { drawIndex, type Random } from '../../src/core/random/random.ts';
import type { Connection, FarPacket, ServedHome } from './far-side.ts';

/** A connection as it is seen behind the endpoint, and whose it is. */
export interface MixedConnection extends Connection {
  /** Which of the homes; an observer is not told. */
  home: number;
}

/** A packet behind the endpoint. */
export interface MixedPacket extends FarPacket {
  connection: MixedConnection;
}

/** The ports that NAT looks among where the device's own is taken (Linux, nf_nat_core: 1024 and up for those from there). */
const OTHER_PORTS = { first: 1024, count: 64_512 } as const;

/**
 * Puts homes on one wire, in order of time. A connection keeps its port unless another to the same server has it already, as
 * masquerading does (Linux, nf_nat_core.c, get_unique_tuple): then it is given another.
 */
export function mixHomes(homes: readonly (readonly FarPacket[])[], random: Random): MixedPacket[] {
  const known = new Map<Connection, MixedConnection>();
  const taken = new Set<string>();
  return homes
    .flatMap((far, home) => far.map((packet) => ({ packet, home })))
    .sort((a, b) => a.packet.timeS - b.packet.timeS)
    .map(({ packet, home }) => {
      let connection = known.get(packet.connection);
      if (!connection) {
        const { protocol, server } = packet.connection;
        let { port } = packet.connection;
        while (taken.has(`${protocol} ${port} ${server}`))
          port = OTHER_PORTS.first + drawIndex(random, OTHER_PORTS.count);
        taken.add(`${protocol} ${port} ${server}`);
        connection = { ...packet.connection, port, home };
        known.set(packet.connection, connection);
      }
      return { ...packet, connection };
    });
}

/** Packets of each connection, in order of time. */
export function byConnection(packets: readonly MixedPacket[]): Map<MixedConnection, MixedPacket[]> {
  const found = new Map<MixedConnection, MixedPacket[]>();
  for (const packet of packets) {
    const own = found.get(packet.connection);
    if (own) own.push(packet);
    else found.set(packet.connection, [packet]);
  }
  return found;
}

/** How many homes talk to each server. */
export function homesOfServers(connections: Iterable<MixedConnection>): Map<string, number> {
  const homes = new Map<string, Set<number>>();
  for (const { server, home } of connections) {
    const own = homes.get(server) ?? new Set();
    homes.set(server, own.add(home));
  }
  return new Map([...homes].map(([server, own]) => [server, own.size]));
}

/**
 * A home whose time begins `byS` later in the record and goes round: one record stands for several homes that have nothing to
 * do with any that is not moved, nor, but for the way round, with each other.
 */
export function turnHome(home: ServedHome, byS: number, lengthS: number): ServedHome {
  const connections = new Map<Connection, Connection>();
  const turn = (timeS: number) => (timeS + lengthS - (byS % lengthS)) % lengthS;
  const turned = <T extends { timeS: number }>(packets: readonly T[]): T[] =>
    packets
      .map((packet) => ({ ...packet, timeS: turn(packet.timeS) }))
      .sort((a, b) => a.timeS - b.timeS);
  const own = (connection: Connection): Connection => {
    const known = connections.get(connection) ?? { ...connection };
    connections.set(connection, known);
    return known;
  };
  return {
    far: turned(home.far).map((packet) => ({ ...packet, connection: own(packet.connection) })),
    tunnelS: home.tunnelS.map(turn).sort((a, b) => a - b),
    activity: turned(home.activity),
    dropped: home.dropped,
  };
}
