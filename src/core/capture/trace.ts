// A device's traffic as a trace: when, how much, which way.
import { isLocalAddress } from './addresses.ts';
import { type Decoded, decodePacket } from './decode.ts';
import type { CapturedPacket } from './packet.ts';

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
  /** Leave out what stays in the home: what the Internet provider cannot see. */
  internetOnly?: boolean;
}

/** Yields the IP packets to and from one device, in the capture's order. */
export async function* traceOfDevice(
  packets: AsyncIterable<CapturedPacket> | Iterable<CapturedPacket>,
  device: DeviceSelection,
): AsyncGenerator<Sample> {
  for await (const packet of packets) {
    const decoded = decodePacket(packet);
    if (decoded === null) continue;
    const direction = directionFor(decoded, device);
    if (direction === null) continue;
    if (device.internetOnly && staysInHome(decoded)) continue;
    yield { timeS: packet.timeS, bytes: decoded.ipBytes, direction };
  }
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
