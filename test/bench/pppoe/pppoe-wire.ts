// What a provider sees on a home's line of PPPoE: the tunnel's packets in either direction, and whatever else is there.
import { decodePacket } from '../../../src/core/capture/decode.ts';
import { lab } from '../../../src/research/lab/bed/topology.ts';
import { openCapture } from '../../../src/shell/capture/reader.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';
import { CLOUD, CLOUD6 } from '../../net/home-network.ts';
import { P_DATA_V2, TUNNEL_PORT } from '../../net/wire.ts';

export const ENDPOINT6 = '2001:db8:203::10';
const ENDPOINTS: readonly string[] = [lab.endpointAddress, ENDPOINT6];
/** EtherTypes of PPPoE: of its calls, and of its sessions. */
const DISCOVERY = 0x8863;
const SESSION = 0x8864;

/** A frame of the tunnel. */
export interface Frame {
  timeS: number;
  /** On the cable: with the headers of Ethernet and PPPoE. */
  bytes: number;
}

export interface PppoeWire {
  up: Frame[];
  down: Frame[];
  /** Packets of devices, in words. */
  devices: string[];
  /** IP packets that are neither a device's nor the tunnel's, in words: the router's own. */
  own: string[];
  /** Frames that are not PPPoE, in words. */
  bare: string[];
}

/** Sorts a capture of the cable. */
export async function readPppoeWire(file: string): Promise<PppoeWire> {
  const wire: PppoeWire = { up: [], down: [], devices: [], own: [], bare: [] };
  for await (const packet of openCapture(nodeSystem, file)) {
    const { data, originalBytes, timeS } = packet;
    const etherType = data[12]! * 256 + data[13]!;
    if (etherType !== SESSION) {
      if (etherType !== DISCOVERY) {
        wire.bare.push(`EtherType ${etherType.toString(16)}, ${originalBytes} bytes`);
      }
      continue;
    }
    const ip = decodePacket(packet);
    if (!ip) continue; // PPP's own
    const { source, destination, protocol, sourcePort, destinationPort } = ip;
    const words = `${source} > ${destination} protocol ${protocol} port ${destinationPort}`;
    const isUp = ENDPOINTS.includes(destination);
    const port = isUp ? destinationPort : sourcePort;
    if ([source, destination].some(isOfDevices)) wire.devices.push(words);
    else if ((!isUp && !ENDPOINTS.includes(source)) || protocol !== 17 || port !== TUNNEL_PORT) {
      if (!destination.startsWith('ff02:')) wire.own.push(words);
    } else if (ip.payload[0]! >> 3 === P_DATA_V2) {
      (isUp ? wire.up : wire.down).push({ timeS, bytes: originalBytes });
    }
  }
  return wire;
}

/** Devices speak with the cloud alone, whose address stands there whatever the router translates theirs to. */
function isOfDevices(address: string): boolean {
  return (
    [CLOUD, CLOUD6].includes(address) ||
    address.startsWith(lab.lanPrefix) ||
    address.startsWith('2001:db8:8:')
  );
}
