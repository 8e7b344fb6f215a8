// Reads the audit's two sides from captures: the tunnel's datagrams at the WAN, and devices' packets in the home.

import type { ActivitySample } from '../../core/analysis/audit-activity.ts';
import type { WirePacket } from '../../core/analysis/wire-features.ts';
import { isLocalAddress } from '../../core/capture/addresses.ts';
import { type Decoded, decodePacket } from '../../core/capture/decode.ts';
import { isTraceName, openSamples } from '../capture/csv.ts';
import { type CapturedPacket, type CaptureNotes, openCapture } from '../capture/reader.ts';
import type { System } from '../system/system.ts';

const UDP = 17;
/** P_DATA_V1 and P_DATA_V2 of OpenVPN (its ssl_pkt.h); every other opcode is its control channel. */
const DATA_OPCODES: ReadonlySet<number> = new Set([6, 9]);

export interface TunnelTrace {
  /** Data-channel datagrams; `bytes` are the IP packet's. */
  data: WirePacket[];
  /** OpenVPN's handshakes and key changes: not padded, and not caused by devices. */
  control: WirePacket[];
  /** `address:port` of both ends. */
  home: string;
  endpoint: string;
}

export interface TunnelOptions {
  /** UDP port of the endpoint; guessed where left out. */
  port?: number;
  /** The home's address at the WAN; guessed where left out. */
  home?: string;
}

interface Flow {
  /** The end that sent first. */
  first: { address: string; port: number };
  other: { address: string; port: number };
  timeS: number[];
  bytes: number[];
  /** Sent by `first`; and what OpenVPN's first byte says. */
  forward: boolean[];
  opcode: number[];
}

/** Gathers the UDP flows of a capture at the WAN and picks the tunnel's. */
export class TunnelCapture {
  readonly #flows = new Map<string, Flow>();

  add(packet: CapturedPacket): void {
    const decoded = decodePacket(packet);
    if (decoded?.protocol !== UDP || decoded.sourcePort === null) return;
    const source = { address: decoded.source, port: decoded.sourcePort };
    const destination = { address: decoded.destination, port: decoded.destinationPort! };
    const flow = this.#find(source, destination);
    const { first } = flow;
    flow.timeS.push(packet.timeS);
    flow.bytes.push(decoded.ipBytes);
    flow.forward.push(first.address === source.address && first.port === source.port);
    flow.opcode.push((decoded.payload[0] ?? 0) >> 3);
  }

  /**
   * The tunnel: the flow with the most packets, of those the options leave.
   * @returns null where there is none
   */
  tunnel({ port, home }: TunnelOptions = {}): TunnelTrace | null {
    const fits = ({ first, other }: Flow) =>
      (port === undefined || first.port === port || other.port === port) &&
      (home === undefined || first.address === home || other.address === home);
    const flows = [...this.#flows.values()].filter(fits);
    if (flows.length === 0) return null;
    const flow = flows.reduce((a, b) => (b.timeS.length > a.timeS.length ? b : a));
    const homeFirst = isHomeFirst(flow, port, home);
    const trace: TunnelTrace = {
      data: [],
      control: [],
      home: endText(homeFirst ? flow.first : flow.other),
      endpoint: endText(homeFirst ? flow.other : flow.first),
    };
    const dataPackets = flow.opcode.filter((opcode) => DATA_OPCODES.has(opcode)).length;
    // Another tunnel's first bytes say nothing: then everything is data.
    const isOpenVpn = dataPackets > flow.opcode.length / 2;
    flow.timeS.forEach((timeS, i) => {
      const direction = flow.forward[i] === homeFirst ? 'up' : 'down';
      const kind = isOpenVpn && !DATA_OPCODES.has(flow.opcode[i]!) ? 'control' : 'data';
      trace[kind].push({ timeS, bytes: flow.bytes[i]!, direction });
    });
    return trace;
  }

  #find(source: Flow['first'], destination: Flow['first']): Flow {
    const [from, to] = [endText(source), endText(destination)];
    const key = from < to ? `${from} ${to}` : `${to} ${from}`;
    let flow = this.#flows.get(key);
    if (!flow) {
      flow = { first: source, other: destination, timeS: [], bytes: [], forward: [], opcode: [] };
      this.#flows.set(key, flow);
    }
    return flow;
  }
}

/** Gathers devices' packets of a capture in the home: unicast between a device and its gateway. */
export class HomeCapture {
  readonly #packets: { timeS: number; decoded: Omit<Decoded, 'payload'> }[] = [];
  readonly #gateways = new Set<string>();
  readonly #devices: ReadonlySet<string> | null;

  /** @param devices MAC or IP addresses to keep, lower case; all where left out */
  constructor(devices?: Iterable<string>) {
    this.#devices = devices ? new Set(devices) : null;
  }

  add(packet: CapturedPacket): void {
    const decoded = decodePacket(packet);
    if (!decoded || isGroupAddress(decoded)) return;
    const { payload: _, ...headers } = decoded;
    this.#packets.push({ timeS: packet.timeS, decoded: headers });
    // What comes from outside comes through the gateway.
    if (decoded.etherSource && !isLocalAddress(decoded.source)) {
      this.#gateways.add(decoded.etherSource);
    }
  }

  activity(): ActivitySample[] {
    return this.#packets.flatMap(({ timeS, decoded }) => {
      if (this.#devices && !this.#isChosen(decoded)) return [];
      const direction = this.#directionOf(decoded);
      if (direction === null) return [];
      const sample = { timeS, bytes: decoded.ipBytes };
      return [direction === undefined ? sample : { ...sample, direction }];
    });
  }

  /** Undefined where it cannot be told, null where the packet is none of a device with the gateway. */
  #directionOf(decoded: Omit<Decoded, 'payload'>): 'up' | 'down' | undefined | null {
    const { source, destination, etherSource, etherDestination } = decoded;
    const [fromHome, toHome] = [isLocalAddress(source), isLocalAddress(destination)];
    if (fromHome !== toHome) return fromHome ? 'up' : 'down';
    if (!fromHome || this.#gateways.size === 0 || !etherSource || !etherDestination)
      return undefined;
    if (this.#gateways.has(etherDestination)) return 'up';
    return this.#gateways.has(etherSource) ? 'down' : null;
  }

  #isChosen(decoded: Omit<Decoded, 'payload'>): boolean {
    return [
      decoded.source,
      decoded.destination,
      decoded.etherSource,
      decoded.etherDestination,
    ].some((address) => address !== null && this.#devices!.has(address));
  }
}

/** Both sides are on one clock: neither may be moved on its own. */
function sameClock(warn: CaptureNotes['warn']): CaptureNotes {
  return { warn, join: false };
}

/**
 * Reads the tunnel's datagrams from a capture or a CSV of time, size, direction.
 * @throws CaptureError, LineError; RangeError where no tunnel is in there
 */
export async function readTunnel(
  system: Pick<System, 'files'>,
  path: string,
  options: TunnelOptions = {},
  warn: (message: string) => void = () => {},
): Promise<TunnelTrace> {
  const notes = sameClock(warn);
  if (isTraceName(path)) {
    const data: WirePacket[] = [];
    for await (const sample of openSamples(system, path, notes)) data.push(sample);
    return { data, control: [], home: 'home', endpoint: 'endpoint' };
  }
  const capture = new TunnelCapture();
  for await (const packet of openCapture(system, path, notes)) capture.add(packet);
  const trace = capture.tunnel(options);
  if (trace === null) {
    const { port, home } = options;
    const asked = [port && `port ${port}`, home && `address ${home}`].filter(Boolean).join(' and ');
    throw new RangeError(`${path}: holds no UDP packets${asked ? ` of ${asked}` : ''}`);
  }
  return trace;
}

/** Reads devices' packets from a capture or a CSV of time, size, direction. */
export async function readActivity(
  system: Pick<System, 'files'>,
  path: string,
  devices?: Iterable<string>,
  warn: (message: string) => void = () => {},
): Promise<ActivitySample[]> {
  const notes = sameClock(warn);
  if (isTraceName(path)) {
    const samples: ActivitySample[] = [];
    for await (const sample of openSamples(system, path, notes)) samples.push(sample);
    return samples;
  }
  const capture = new HomeCapture(devices);
  for await (const packet of openCapture(system, path, notes)) capture.add(packet);
  return capture.activity();
}

function isHomeFirst({ first, other }: Flow, port?: number, home?: string): boolean {
  if (home !== undefined) return first.address === home;
  if (port !== undefined && first.port !== other.port) return other.port === port;
  const [firstLocal, otherLocal] = [isLocalAddress(first.address), isLocalAddress(other.address)];
  if (firstLocal !== otherLocal) return firstLocal;
  // A server's port is the lower one; with equal ports the client spoke first.
  return other.port <= first.port;
}

function endText({ address, port }: Flow['first']): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Multicast and broadcast stay in the house. */
function isGroupAddress({ destination, etherDestination }: Decoded): boolean {
  if (etherDestination && (Number.parseInt(etherDestination.slice(0, 2), 16) & 1) === 1)
    return true;
  return destination.startsWith('ff') || Number(destination.split('.', 1)[0]) >= 224;
}
