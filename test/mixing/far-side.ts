// What the Internet sees of homes behind their endpoint: one address, unpadded packets, each of a connection with a server.
import type { Sample } from '../../src/core/capture/trace.ts';

/** Between one device and one server, as the device itself began it. */
export interface Connection {
  protocol: 'tcp' | 'udp';
  /** The server's address or name, and its port: it stays as it is. */
  server: string;
  /** The port that the device sends from. */
  port: number;
  /** What sends; an observer is not told. */
  device: string;
}

/** A packet on the endpoint's Internet side; `up` leaves the endpoint. */
export interface FarPacket extends Sample {
  connection: Connection;
}

/** One home's share of what passes an endpoint, and what went on in it. Times are seconds since it began. */
export interface ServedHome {
  /** In order of time. */
  far: FarPacket[];
  /** When the packets of its tunnel came in at the endpoint, cover and device data alike, in order of time. */
  tunnelS: number[];
  /** Packets within the home, in order of time; what an observer must not learn. */
  activity: (Sample & { device: string })[];
  /** Device packets that waited so long for a slot that they were given up. */
  dropped: number;
}
