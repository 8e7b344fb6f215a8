// What a provider's capture shows, for tests.
import { decodePacket } from '../../src/core/capture/decode.ts';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { isNeighbourDiscovery, isRefusal } from '../../src/research/lab/findings/observation.ts';
import { openCapture } from '../../src/shell/capture/reader.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

export const TUNNEL_PORT = 1194;
/** OpenVPN's opcode of what is in the tunnel. */
export const P_DATA_V2 = 9;
/** What the endpoint sees a home come from while the provider translates its address. */
const TRANSLATED = '203.0.113.1';

export interface Wire {
  /** Data-channel datagrams: times in seconds and IP lengths, by direction. */
  up: { timeS: number; bytes: number }[];
  down: { timeS: number; bytes: number }[];
  /** Anything to or from the home that is not the tunnel, nor what says that nobody listens there, in words. */
  outside: string[];
}

/** Sorts a capture of the home's line. */
export async function readWire(file: string): Promise<Wire> {
  const wire: Wire = { up: [], down: [], outside: [] };
  for await (const packet of openCapture(nodeSystem, file)) {
    const ip = decodePacket(packet);
    if (!ip) continue; // ARP and the like stay on the link
    const up = ip.source === lab.homeAddress && ip.destination === lab.endpointAddress;
    const isHome = ip.destination === lab.homeAddress || ip.destination === TRANSLATED;
    const down = ip.source === lab.endpointAddress && isHome;
    const port = up ? ip.destinationPort : ip.sourcePort;
    if ((!up && !down) || ip.protocol !== 17 || port !== TUNNEL_PORT) {
      if (!isNeighbourDiscovery(ip) && !isRefusal(ip, TUNNEL_PORT)) {
        wire.outside.push(
          `${ip.source} > ${ip.destination} protocol ${ip.protocol} port ${ip.destinationPort}`,
        );
      }
      continue;
    }
    if (ip.payload[0]! >> 3 !== P_DATA_V2) continue; // OpenVPN's own handshake
    (up ? wire.up : wire.down).push({ timeS: packet.timeS, bytes: ip.ipBytes });
  }
  return wire;
}

/** Intervals between departures, ms. */
export function intervalsMs(packets: readonly { timeS: number }[]): number[] {
  return packets.slice(1).map(({ timeS }, index) => (timeS - packets[index]!.timeS) * 1000);
}

/** Packets a second. */
export function packetsPerS(packets: readonly { timeS: number }[]): number {
  return (packets.length - 1) / (packets.at(-1)!.timeS - packets[0]!.timeS);
}

export function sizes(packets: readonly { bytes: number }[]): number[] {
  return [...new Set(packets.map(({ bytes }) => bytes))];
}
