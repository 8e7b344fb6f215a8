// What the home sees around it: neighbours, leases, followed devices, and what a person should know of them.
import type { Config } from '../../core/config/types.ts';
import {
  findChanceChoices,
  type ResolverHost,
  type Told,
  tellMissing,
  tellResolvers,
  tellSharing,
} from '../../core/home/devices/device-findings.ts';
import { DeviceFollower } from '../../core/home/devices/device-following.ts';
import { singleAddresses } from '../../core/home/devices/device-owners.ts';
import type { Neighbour } from '../../core/home/devices/device-table.ts';
import { parseTracks, renderTracks } from '../../core/home/devices/follow-state.ts';
import { InnerAddresses, sharersOf } from '../../core/home/devices/inner-addresses.ts';
import { parsePlaces, renderPlaces } from '../../core/home/devices/inner-memory.ts';
import { type Lease, namesOf } from '../../core/home/devices/leases.ts';
import { NeighbourMemory } from '../../core/home/devices/neighbour-memory.ts';
import { Presence } from '../../core/home/devices/presence.ts';
import type { Finding, House } from '../../core/home/home-facts.ts';
import type { Noted } from '../../core/home/machine/events.ts';
import type { Near } from '../../core/home/machine/state.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { FollowedDevice, InnerPlaces } from '../../core/plan/facts.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { ipJson } from '../network/ip-json.ts';
import { readLeases } from '../network/names/leases-reader.ts';
import type { Log } from '../system/log.ts';
import { Serial } from '../system/serial.ts';
import type { System } from '../system/system.ts';

/** Below the state directory: what was learned of followed devices. */
export const FOLLOWED_FILE = 'followed.json';

/** Below the run directory: which inner address each device's address has. */
export const INNER_FILE = 'inner.json';

/** Flash wears: what is learned is written no more often. */
const KEEP_EVERY_MS = 5 * 60_000;
const NOTHING_TOLD: Told = { findings: [], remark: null };

/** What the machine tells. */
export interface Seen {
  neighbours: Neighbour[];
  leases: Lease[];
  /** Hardware and IP addresses of the machine itself. */
  own: ReadonlySet<string>;
  /** Of a clock that never jumps. */
  nowMs: number;
}

export interface SurroundingsOptions {
  system: System;
  /** Where {@link FOLLOWED_FILE} is kept. */
  path: string;
  /** Where {@link INNER_FILE} is kept. */
  innerPath: string;
  log: Log;
  /** The machine, as tests replace it. */
  read?: () => Promise<Seen>;
}

/** Looks around when asked to, and remembers what it saw. */
export class Surroundings {
  readonly #options: SurroundingsOptions;
  readonly #presence = new Presence();
  readonly #serial = new Serial();
  #follower: DeviceFollower | null = null;
  #keptFingerprint = '';
  #keptMs = Number.NEGATIVE_INFINITY;
  #config: Config | null = null;
  #missing = NOTHING_TOLD;
  #resolvers = NOTHING_TOLD;
  #networks: readonly Finding[] = [];
  #inner: InnerAddresses | null = null;
  readonly #memory = new NeighbourMemory();
  #keptPlaces = '';
  #sharing: readonly Finding[] = [];
  neighbours: Neighbour[] = [];
  /** Those, and who was there lately and is quiet now. */
  known: Neighbour[] = [];
  names = new Map<string, string>();
  followed: readonly FollowedDevice[] = [];

  constructor(options: SurroundingsOptions) {
    this.#options = options;
  }

  /** Everything found that a person should know of. */
  get findings(): Finding[] {
    const choices = this.#config
      ? findChanceChoices(this.#config, (section) => this.#presence.netdevOf(section))
      : [];
    const { findings: missing } = this.#missing;
    const { findings: resolvers } = this.#resolvers;
    return [...this.#networks, ...this.#sharing, ...missing, ...resolvers, ...choices];
  }

  /** Netdevs on which other hosts live beside chosen devices. */
  get sharedNetdevs(): string[] {
    const { networks = [], devices = [] } = this.#config ?? {};
    const near = devices
      .filter(({ policy }) => policy === 'shape')
      .map(({ section }) => this.#presence.netdevOf(section));
    const netdevs = [...networks.map(({ device }) => device), ...near];
    return [...new Set(netdevs.filter((netdev) => netdev !== null))].sort();
  }

  /** What belongs behind the sentence that says that all is well. */
  get remarks(): Notice[] {
    return [this.#missing.remark, this.#resolvers.remark].filter((remark) => remark !== null);
  }

  /**
   * Takes in what is there now.
   *
   * @param noted by rules meanwhile.
   */
  look(config: Config, house: House, noted: Noted): Promise<Near> {
    return this.#serial.run(async () => {
      const innerPlaces = await this.#look(config, house, noted);
      const { followed, sharedNetdevs, remarks } = this;
      const { resolvers } = noted;
      return { followed, sharedNetdevs, remarks, resolvers, innerPlaces };
    });
  }

  async #look(config: Config, house: House, { resolvers, senders }: Noted): Promise<InnerPlaces> {
    const { system, read = () => readMachine(system) } = this.#options;
    const { neighbours, leases, own, nowMs } = await read();
    this.#follower ??= await this.#wake();
    this.#config = config;
    this.neighbours = neighbours;
    this.known = this.#memory.observe(neighbours, nowMs);
    this.names = namesOf(leases);
    // Whoever speaks from outside may claim any address.
    const outside = [...house.uplinks, config.tunnel.interface, TUNNEL_NETDEV];
    const inside = neighbours.filter(({ dev }) => !outside.includes(dev));
    this.followed = this.#follower.observe({ config, neighbours: inside, leases, own, nowMs });
    this.#networks = house.networkFindings;
    this.#missing = tellMissing(
      this.#presence.observe({
        config,
        neighbours: inside,
        followed: this.followed,
        houseNetdevs: house.netdevs,
        own,
        nowMs,
      }),
    );
    const known = new Set(this.followed.flatMap(({ macs }) => macs));
    const hosts = resolvers.flatMap((mac) => hostsOf(mac, inside));
    this.#resolvers = config.main.dns
      ? tellResolvers(hosts, config, this.names, known)
      : NOTHING_TOLD;
    this.#inner ??= new InnerAddresses(
      parsePlaces(await this.#read(this.#options.innerPath)),
      nowMs,
    );
    const innerPlaces = this.#inner.observe({
      ...{ config, leases, own, nowMs, senders, followed: this.followed },
      networkPrefixes: house.listing
        .filter(({ name }) => config.networks.some(({ device }) => device === name))
        .flatMap(({ prefixes }) => prefixes),
      neighbours: inside,
    });
    const sharing = sharersOf(innerPlaces).map((address) => this.#nameOf(config, address));
    this.#sharing = tellSharing(sharing);
    await this.#keepPlaces(renderPlaces(innerPlaces));
    if (nowMs - this.#keptMs >= KEEP_EVERY_MS && (await this.keep())) this.#keptMs = nowMs;
    return innerPlaces;
  }

  #nameOf(config: Config, address: string): string {
    const { neighbours, followed, names } = this;
    const mac = neighbours.find(({ dst }) => dst === address)?.lladdr?.toLowerCase() ?? '';
    const device = config.devices.find(
      (one) =>
        one.mac === mac ||
        singleAddresses(one).includes(address) ||
        followed.some(({ section, addresses }) => {
          return section === one.section && addresses.includes(address);
        }),
    );
    return device?.name ?? names.get(mac) ?? names.get(address) ?? address;
  }

  /** Below the run directory, which is memory: written whenever it has changed. */
  async #keepPlaces(text: string): Promise<void> {
    if (text === this.#keptPlaces) return;
    this.#keptPlaces = text;
    const { system, innerPath } = this.#options;
    await system.files.replace(innerPath, text).catch(() => {}); // a restart may break connections then, no more
  }

  #read(path: string): Promise<string> {
    return this.#options.system.files.readText(path).catch(() => '');
  }

  /** Keeps what was learned, where that has changed; tells whether it has. */
  async keep(): Promise<boolean> {
    const follower = this.#follower;
    if (!follower || follower.fingerprint === this.#keptFingerprint) return false;
    this.#keptFingerprint = follower.fingerprint;
    const { system, path, log } = this.#options;
    try {
      await system.files.replace(path, renderTracks(follower.tracks));
    } catch (error) {
      const said = notice('followed-unkept', { error: (error as Error).message });
      log('warning', wordsOf(said));
    }
    return true;
  }

  async #wake(): Promise<DeviceFollower> {
    const follower = new DeviceFollower(parseTracks(await this.#read(this.#options.path)));
    this.#keptFingerprint = follower.fingerprint;
    return follower;
  }
}

/** One host, once for each address it has. */
function hostsOf(mac: string, neighbours: readonly Neighbour[]): ResolverHost[] {
  const addresses = neighbours
    .filter(({ lladdr }) => lladdr?.toLowerCase() === mac)
    .map(({ dst }) => dst);
  return (addresses.length > 0 ? addresses : ['']).map((address) => ({ mac, address }));
}

async function readMachine(system: System): Promise<Seen> {
  return {
    neighbours: await ipJson<Neighbour>(system, ['neigh', 'show']),
    leases: await readLeases(system),
    own: await readOwnAddresses(system),
    nowMs: system.clock.monotonicMs(),
  };
}

/** Hardware and IP addresses of this machine. */
async function readOwnAddresses({ files, sockets }: System): Promise<Set<string>> {
  const own = new Set<string>(['']);
  for (const name of await files.list('/sys/class/net').catch(() => [])) {
    const mac = await files.readText(`/sys/class/net/${name}/address`).catch(() => '');
    own.add(mac.trim().toLowerCase());
  }
  for (const { address } of sockets.netdevAddresses()) own.add(address);
  return own;
}
