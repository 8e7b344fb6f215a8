// A device's traffic as a trace: when, how much, which way.
import { isLocalAddress } from './addresses.ts';
import type { Decoded } from './decode.ts';

/** Away from the home's device towards the Internet is up. */
export type Direction = 'up' | 'down';

/** One packet of a trace. */
export interface Sample {
  timeS: number;
  /** Length of the IP packet. */
  bytes: number;
  direction: Direction;
}

/** Which packets are a device's; at least one of `mac` and `ip` has to be given. */
export interface DeviceSelection {
  /** Lower case with colons. */
  mac?: string;
  ip?: string;
}

/** Which way a packet goes as seen from the device; null if it is not the device's. */
export function directionFor(packet: Decoded, { mac, ip }: DeviceSelection): Direction | null {
  if (
    (mac !== undefined && packet.etherSource === mac) ||
    (ip !== undefined && packet.source === ip)
  ) {
    return 'up';
  }
  if (
    (mac !== undefined && packet.etherDestination === mac) ||
    (ip !== undefined && packet.destination === ip)
  ) {
    return 'down';
  }
  return null;
}

/** Whether a packet never leaves the home: both its ends are local. */
export function staysInHome(packet: Decoded): boolean {
  return isLocalAddress(packet.source) && isLocalAddress(packet.destination);
}
