// One running home whose faults are planted one after another while its devices talk, and what the provider saw meanwhile.
import type { ChildProcess } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodePacket } from '../../../src/core/capture/decode.ts';
import { isPrivate } from '../../../src/core/ip/address.ts';
import { lab } from '../../../src/research/lab/bed/topology.ts';
import { openCapture } from '../../../src/shell/capture/reader.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';
import { run } from '../../../src/shell/system/node/processes.ts';
import { CLOUD, CLOUD6, DEVICE, DEVICE6, HomeNetwork } from '../home-network.ts';

/** Small inputs as people have them, beside the sources of the tests. */
const INPUTS = 'test/fixtures/real-homes';
/** A host of the house that the router's resolver knows by name. */
export const HUB_NAME = 'homeassistant.lan';
export const HUB_ADDRESS = '192.168.8.53';
/** What the router itself would ask for names; nobody is there. */
export const ROUTER_RESOLVER = '192.88.99.54';
const ENDPOINT_NET6 = '2001:db8:203:';

/** What left in the clear while something was done. */
export interface Seen {
  /** Packets of devices at the provider's link to the home. */
  devices: string[];
  /** Packets of the tunnel's inside at the provider's links to the home and to the endpoint. */
  inside: string[];
}

/** The same, and the capture of the home's link that it was read from. */
export interface Watched extends Seen {
  homeCapture: string;
}

/** The lab of the exposure cases: IPv6 on, one device that never stops talking. */
export class ExposureLab {
  readonly network: HomeNetwork;
  readonly #talkers: ChildProcess[] = [];
  #captures = 0;

  constructor(network: HomeNetwork) {
    this.network = network;
  }

  /** Both ends shaping, a device that talks to the cloud by both families, so that a backlog stands. */
  static async start(id: string): Promise<ExposureLab> {
    const network = await HomeNetwork.build({ id, ipv6: true });
    const exposure = new ExposureLab(network);
    // As on a router's switch, whose ports have the bridge's address: what is sent to it is taken by a lone port, too.
    const port = await network.netns('router', ['cat', '/sys/class/net/p1/address']);
    await network.netns('router', ['ip', 'link', 'set', lab.bridge, 'address', port.trim()]);
    // `ip netns exec` puts the file in the place of this machine's.
    const own = `/etc/netns/${network.topology.names.router}`;
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'hosts'), `127.0.0.1 localhost\n${HUB_ADDRESS} ${HUB_NAME}\n`);
    await writeFile(join(own, 'resolv.conf'), `nameserver ${ROUTER_RESOLVER}\n`);
    network.startEndpoint();
    network.startHome();
    await network.startCloud(CLOUD);
    await network.startCloud(CLOUD6);
    await network.await('shaping');
    exposure.talk();
    return exposure;
  }

  async close(): Promise<void> {
    await this.network.close();
    await rm(`/etc/netns/${this.network.topology.names.router}`, { recursive: true, force: true });
  }

  /** More than the rate carries by ping, small datagrams, and IPv6 beside them. */
  talk(): void {
    const ping = ['ping', '-n', '-q', '-i', '0.01', '-s', '400', '-I', DEVICE, CLOUD];
    const ping6 = ['ping', '-6', '-n', '-q', '-i', '0.05', '-s', '100', '-I', DEVICE6, CLOUD6];
    this.#talkers.push(
      this.network.start('devices', ping),
      this.network.start('devices', ping6),
      this.network.startDevice('chatter'),
    );
  }

  /** Silence, for cases that look at single packets. */
  quiet(): void {
    for (const child of this.#talkers.splice(0)) child.kill('SIGKILL');
  }

  /** Lines of a process as they come. */
  events(child: ChildProcess): Events {
    return new Events(child);
  }

  router(...argv: string[]): Promise<string> {
    return this.network.netns('router', argv);
  }

  /** Loads one of the small inputs. */
  async load(place: 'router' | 'endpoint', file: string): Promise<void> {
    const text = await readFile(join(INPUTS, file), 'utf8');
    await this.network.netns(place, ['nft', '-f', '-'], text);
  }

  /** Process ids of a program in one namespace. */
  /** Those of a program, or of a socat with an address that begins so. */
  async pids(place: 'router' | 'endpoint', name: string): Promise<number[]> {
    const { stdout } = await run(['ip', 'netns', 'pids', this.network.topology.names[place]]);
    const found: number[] = [];
    for (const pid of stdout.split('\n').filter(Boolean)) {
      const comm = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const isMeant =
        comm.trim() === name || words.split('\0').some((word) => word.startsWith(`${name}:`));
      if (isMeant) found.push(Number(pid));
    }
    return found;
  }

  async kill(place: 'router' | 'endpoint', name: string): Promise<void> {
    for (const pid of await this.pids(place, name)) process.kill(pid, 'SIGKILL');
  }

  /** Looks at the provider's two links while `work` is done. */
  async watch(work: () => Promise<void>): Promise<Watched> {
    const name = `exposure-${this.#captures++}`;
    const stops = await Promise.all([
      this.network.capture(`${name}-home.pcap`),
      this.network.capture(`${name}-vps.pcap`, 'vps'),
    ]);
    try {
      await work();
    } finally {
      await Promise.all(stops.map((stop) => stop()));
    }
    const homeCapture = this.network.path(`${name}-home.pcap`);
    const home = await readClear(homeCapture);
    const vps = await readClear(this.network.path(`${name}-vps.pcap`));
    // At the endpoint's own link devices' packets are where they ought to be, under its address.
    return { devices: home.devices, inside: [...home.inside, ...vps.inside], homeCapture };
  }
}

const TUNNEL_ENDS: string[] = [lab.homeAddress, lab.endpointAddress];

async function readClear(file: string): Promise<Seen> {
  const seen: Seen = { devices: [], inside: [] };
  for await (const packet of openCapture(nodeSystem, file)) {
    const ip = decodePacket(packet);
    if (!ip) continue;
    const { source, destination, protocol } = ip;
    const words = `${source} > ${destination} protocol ${protocol} port ${ip.destinationPort}`;
    if (isInner(source) || isInner(destination)) seen.inside.push(words);
    else if (!isTunnel(source, destination) && !isNeighbourly(source, destination)) {
      seen.devices.push(words);
    }
  }
  return seen;
}

/** OpenVPN's datagrams, and what either machine answers while no OpenVPN listens. */
function isTunnel(source: string, destination: string): boolean {
  return TUNNEL_ENDS.includes(source) && TUNNEL_ENDS.includes(destination);
}

function isNeighbourly(source: string, destination: string): boolean {
  const near = ['fe80:', 'ff02:', '2001:db8:64:', '::'];
  return [source, destination].every((address) => near.some((begin) => address.startsWith(begin)));
}

/** Addresses that exist inside the tunnel alone; devices' own show as well where nothing translates them. */
function isInner(address: string): boolean {
  if (address.startsWith(ENDPOINT_NET6)) return false;
  return /^10\.21[34]\./.test(address) || (address.includes(':') && isPrivate(address));
}

/** Longest wait for a line of a device's. */
const EVENT_MS = 40_000;

/** Awaits lines of a process's standard output. */
export class Events {
  #seen: string[] = [];
  #wake: () => void = () => {};

  constructor(child: ChildProcess) {
    let rest = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      this.#seen.push(...lines);
      this.#wake();
    });
  }

  /** Only what comes from now on counts, or what came after this line. */
  forget(line?: string): void {
    this.#seen = line === undefined ? [] : this.#seen.slice(this.#seen.indexOf(line) + 1);
  }

  /** @throws Error when the line does not come in time. */
  async next(line: string): Promise<void> {
    const untilMs = performance.now() + EVENT_MS;
    while (!this.#seen.includes(line)) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw new Error(`no "${line}" in ${EVENT_MS} ms`);
      await new Promise<void>((resolve) => {
        const before = this.#wake;
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          before();
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
