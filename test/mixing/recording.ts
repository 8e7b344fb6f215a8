// A lab run's home as the endpoint's line showed it.
import { join } from 'node:path';
import { firstAtLeast } from '../../src/core/analysis/statistics/sample.ts';
import { decodePacket } from '../../src/core/capture/decode.ts';
import { deviceCatalogue } from '../../src/research/devices/catalogue.ts';
import { cloudAddresses, lab } from '../../src/research/lab/bed/topology.ts';
import { deviceNames } from '../../src/research/lab/findings/attack.ts';
import {
  cutToLine,
  observeHome,
  observeProvider,
} from '../../src/research/lab/findings/observation.ts';
import { readSummary } from '../../src/research/lab/findings/run-folder.ts';
import { type CapturedPacket, openCapture } from '../../src/shell/capture/reader.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import type { Connection, FarPacket, ServedHome } from './far-side.ts';

/** Who asks for names: the endpoint's own resolver, for all of its homes. */
export const RESOLVER = 'resolver';
const DNS_PORT = 53;
const protocols = new Map([
  [6, 'tcp'],
  [17, 'udp'],
] as const);

/** What a run holds. */
export interface RecordedHome extends ServedHome {
  seconds: number;
  seed: number;
}

/**
 * Reads a run of a lab with an endpoint; times are seconds since devices began to talk.
 * @throws {LabError} where the folder holds no run
 * @throws CaptureError where it holds no capture of the endpoint's line
 */
export async function readServedHome(folder: string): Promise<RecordedHome> {
  const { startS, seconds, tunnelPort, seed } = await readSummary(folder);
  const open = (name: string) => openCapture(nodeSystem, join(folder, name));
  const isWithin = ({ timeS }: { timeS: number }) => timeS >= 0 && timeS < seconds;
  const sinceStart = <T extends { timeS: number }>(packet: T): T => ({
    ...packet,
    timeS: packet.timeS - startS,
  });
  const far = await readFarSide(open('endpoint.pcap'), startS);
  const { data } = await observeProvider(open('provider.pcap'), { tunnelPort });
  const names = deviceNames();
  const home = await observeHome(open('device.pcap'));
  return {
    far: far.filter(isWithin),
    tunnelS: data.up.map(({ timeS }) => timeS - startS).filter((timeS) => isWithin({ timeS })),
    activity: home
      .map((packet) => sinceStart({ ...packet, device: names.get(packet.ip) ?? packet.ip }))
      .filter(isWithin)
      .sort((a, b) => a.timeS - b.timeS),
    dropped: 0,
    seconds,
    seed,
  };
}

/**
 * Reads a capture of the endpoint's line without the tunnel.
 * @param startS what times are counted from
 */
export async function readFarSide(
  capture: AsyncIterable<CapturedPacket>,
  startS: number,
): Promise<FarPacket[]> {
  const far: FarPacket[] = [];
  const servers = serversByAddress();
  const connections = new Map<string, Connection>();
  for await (const packet of capture) {
    const decoded = decodePacket(packet);
    const protocol = protocols.get(decoded?.protocol as 6 | 17);
    if (!decoded || !protocol || decoded.fragment) continue;
    const isUp = decoded.source === lab.endpointAddress;
    const [address, serverPort, port] = isUp
      ? [decoded.destination, decoded.destinationPort, decoded.sourcePort]
      : [decoded.source, decoded.sourcePort, decoded.destinationPort];
    const { name, device } = servers.get(address) ?? { name: address, device: address };
    const key = `${protocol} ${port} ${address} ${serverPort}`;
    const connection = connections.get(key) ?? {
      protocol,
      server: `${name}:${serverPort}`,
      port: port ?? 0,
      device: serverPort === DNS_PORT ? RESOLVER : device,
    };
    connections.set(key, connection);
    const direction = isUp ? 'up' : 'down';
    for (const bytes of cutToLine(decoded))
      far.push({ timeS: packet.timeS - startS, bytes, direction, connection });
  }
  return far;
}

/** How long device packets took through the endpoint, ms, ascending: each from the last packet before it that its tunnel brought. */
export function delaysThroughEndpoint({ far, tunnelS }: ServedHome): number[] {
  const left = far
    .filter(({ direction, connection }) => direction === 'up' && connection.device !== RESOLVER)
    .map(({ timeS }) => timeS);
  return delaysAfter(tunnelS, left).sort((a, b) => a - b);
}

/** How long after the last packet before it each one left, ms; of those before all of them, nothing. */
export function delaysAfter(tunnelS: ArrayLike<number>, leftS: Iterable<number>): number[] {
  return [...leftS].flatMap((timeS) => {
    const before = firstAtLeast(tunnelS, timeS) - 1;
    return before < 0 ? [] : [(timeS - tunnelS[before]!) * 1000];
  });
}

function serversByAddress(): Map<string, { name: string; device: string }> {
  return new Map(
    [...cloudAddresses()].map(([name, address]) => [
      address,
      { name, device: deviceCatalogue.find(({ dnsNames }) => dnsNames.includes(name))!.name },
    ]),
  );
}
