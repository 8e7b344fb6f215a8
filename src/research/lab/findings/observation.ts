// What a provider can see in a capture of its customer's line, and what really went on in the home. Streaming, pure.
import { type Decoded, decodePacket } from '../../../core/capture/decode.ts';
import type { CapturedPacket } from '../../../shell/capture/reader.ts';
import { lab } from '../bed/topology.ts';
import { decodeQuestion } from '../traffic/dns.ts';

export type Direction = 'up' | 'down';
const ICMP = 1;
const TCP = 6;
const UDP = 17;
const MTU_BYTES = 1500;
/** IP 20, TCP 20 and the time-stamp option 12. */
const TCP_HEADERS_BYTES = 52;

/** A packet on the provider's line. */
export interface WirePacket {
  timeS: number;
  /** Length of the IP packet. */
  bytes: number;
}

export interface ProviderView {
  /** With a tunnel, its data channel's datagrams; without one, all IP packets. */
  data: Record<Direction, WirePacket[]>;
  /** The tunnel's own handshake and key changes. */
  control: Record<Direction, WirePacket[]>;
  /** Names in DNS questions in clear, with how often. */
  dnsNames: Map<string, number>;
  /** Packets that are not the tunnel's, described, with how often. Empty without a tunnel. */
  outside: Map<string, number>;
  /** Datagrams of the tunnel that the link had to cut. */
  fragments: number;
}

export interface ProviderOptions {
  /** UDP port of the tunnel at the endpoint; null without one. */
  tunnelPort: number | null;
}

/** OpenVPN opcodes of data packets, P_DATA_V1 and V2; all others are its control channel (openvpn's ssl_pkt.h). */
const dataOpcodes = new Set([6, 9]);

/** Reads a capture of the provider's side of the home's line. */
export async function observeProvider(
  packets: AsyncIterable<CapturedPacket>,
  { tunnelPort }: ProviderOptions,
): Promise<ProviderView> {
  const view: ProviderView = {
    data: { up: [], down: [] },
    control: { up: [], down: [] },
    dnsNames: new Map(),
    outside: new Map(),
    fragments: 0,
  };
  for await (const packet of packets) {
    const decoded = decodePacket(packet);
    if (!decoded) continue; // ARP
    if (isNeighbourDiscovery(decoded) || isRefusal(decoded, tunnelPort)) continue;
    noteDnsName(decoded, view.dnsNames);
    const direction = directionOnLine(decoded);
    const wirePacket = { timeS: packet.timeS, bytes: decoded.ipBytes };
    if (tunnelPort === null) {
      for (const bytes of cutToLine(decoded)) view.data[direction].push({ ...wirePacket, bytes });
      continue;
    }
    if (!isTunnel(decoded, tunnelPort)) {
      count(view.outside, describe(decoded));
      continue;
    }
    if (decoded.fragment) view.fragments++;
    const continues = (decoded.fragment?.offsetBytes ?? 0) > 0;
    const isData = continues || dataOpcodes.has((decoded.payload[0] ?? 0) >> 3);
    view[isData ? 'data' : 'control'][direction].push(wirePacket);
  }
  return view;
}

function directionOnLine({ source }: Decoded): Direction {
  return source === lab.homeAddress ||
    source.startsWith('2001:db8:64:') ||
    source.startsWith('2001:db8:8:')
    ? 'up'
    : 'down';
}

function isTunnel(packet: Decoded, port: number): boolean {
  if (packet.protocol !== UDP) return false;
  const continues = (packet.fragment?.offsetBytes ?? 0) > 0;
  if (packet.source === lab.homeAddress && packet.destination === lab.endpointAddress) {
    return continues || packet.destinationPort === port;
  }
  if (packet.source === lab.endpointAddress && packet.destination === lab.homeAddress) {
    return continues || packet.sourcePort === port;
  }
  return false;
}

/** The lab's cables hand on TCP's super-packets (GSO) whole; a real line carries them as segments of its MTU. */
export function cutToLine({ ipBytes, protocol }: Decoded): number[] {
  if (protocol !== TCP || ipBytes <= MTU_BYTES) return [ipBytes];
  const segments: number[] = [];
  for (let left = ipBytes - TCP_HEADERS_BYTES; left > 0; left -= MTU_BYTES - TCP_HEADERS_BYTES) {
    segments.push(Math.min(left, MTU_BYTES - TCP_HEADERS_BYTES) + TCP_HEADERS_BYTES);
  }
  return segments;
}

/**
 * While OpenVPN begins again nobody listens, and the router itself answers the endpoint's datagrams with "port unreachable" (RFC 792),
 * which quotes them: no device is in it.
 */
export function isRefusal(
  { protocol, source, destination, payload }: Decoded,
  port: number | null,
): boolean {
  const [quotedIp, quotedUdp] = [payload.subarray(8), payload.subarray(28)];
  return (
    protocol === ICMP &&
    source === lab.homeAddress &&
    destination === lab.endpointAddress &&
    payload[0] === 3 &&
    payload[1] === 3 &&
    quotedIp[9] === UDP &&
    quotedUdp[0]! * 256 + quotedUdp[1]! === port
  );
}

/** What hosts on one link tell each other (RFC 4861, RFC 2710): it goes no farther, and devices are not in it. */
export function isNeighbourDiscovery({ version, protocol, source, destination }: Decoded): boolean {
  return (
    version === 6 &&
    protocol === 58 &&
    (source.startsWith('fe80:') || source === '::' || destination.startsWith('ff02:'))
  );
}

function noteDnsName(packet: Decoded, names: Map<string, number>): void {
  if (packet.protocol !== UDP || packet.destinationPort !== 53) return;
  try {
    count(names, decodeQuestion(packet.payload).name);
  } catch {
    count(names, '(unreadable question)');
  }
}

function describe(packet: Decoded): string {
  const protocol =
    { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6' }[packet.protocol] ??
    `protocol ${packet.protocol}`;
  const end = (address: string, port: number | null) =>
    port === null ? address : `${address} port ${port}`;
  return `${protocol} ${end(packet.source, packet.sourcePort)} to ${end(packet.destination, packet.destinationPort)}`;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** One packet of a device inside the home. */
export interface HomePacket extends WirePacket {
  ip: string;
  direction: Direction;
}

/** Reads a capture of the home's LAN: the devices' own packets, broadcasts left out. */
export async function observeHome(packets: AsyncIterable<CapturedPacket>): Promise<HomePacket[]> {
  const found: HomePacket[] = [];
  for await (const packet of packets) {
    const decoded = decodePacket(packet);
    if (decoded?.version !== 4) continue;
    const direction = isDevice(decoded.source) ? 'up' : 'down';
    const ip = direction === 'up' ? decoded.source : decoded.destination;
    if (isDevice(ip)) found.push({ timeS: packet.timeS, bytes: decoded.ipBytes, ip, direction });
  }
  return found;
}

function isDevice(ip: string): boolean {
  return ip.startsWith(lab.lanPrefix) && ip !== lab.lanAddress && !ip.endsWith('.255');
}
