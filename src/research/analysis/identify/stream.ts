// Traffic of one device as an observer separates it.
import type { Announcement } from '../../capture/names/name-book.ts';
import type { RateSeries } from './features.ts';

/**
 * Where the observer stands: `lan` sees each device's own address (Wi-Fi, or before NAT); `wan` sees one address for the
 * whole home and tells streams apart by their remote end, as the provider does.
 */
export type View = 'lan' | 'wan';

/** A stream of packets the observer holds to be one device's. */
export interface Stream {
  /** `lan`: MAC address, or address where the capture has no MAC. `wan`: the remote address. */
  key: string;
  mac: string | null;
  /** The home's end. */
  addresses: string[];
  /** Who it talks to on the Internet, and by which service: protocol number/remote port. */
  remotes: { address: string; names: string[]; services: string[] }[];
  /** Names that it looked up in the clear, or called servers by. */
  names: string[];
  /** What it calls itself in the home. */
  announced: Announcement[];
  packets: number;
  upBytes: number;
  downBytes: number;
  /** Flows, each a protocol, two addresses and two ports. */
  flows: number;
  firstS: number;
  lastS: number;
  series: RateSeries;
}
