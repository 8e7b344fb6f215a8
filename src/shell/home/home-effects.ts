// Does to the machine what a home's machine asks for, a part at a time, and tells how it went.
import { join } from 'node:path';
import type { ActiveRate } from '../../core/config/schedule.ts';
import type { Config } from '../../core/config/types.ts';
import type { House } from '../../core/home/home-facts.ts';
import type { Act, HomeEvent, Noted, Outcomes, Work } from '../../core/home/machine/events.ts';
import type { Near, Part } from '../../core/home/machine/state.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { noticeOfError } from '../../core/notices/notice-error.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { PlainUser } from '../../core/plan/facts.ts';
import { HOME_CLASS_MINOR, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { renderNotAlive } from '../../core/plan/nft/nft-alive.ts';
import {
  HOME_SETS,
  REDIRECTED_SET,
  RESOLVER_SET,
  WITNESS_COUNTER,
} from '../../core/plan/nft/nft-home.ts';
import { SENDER_SETS } from '../../core/plan/nft/nft-inner.ts';
import { homePassages } from '../../core/plan/nft/nft-passage.ts';
import { planClock } from '../../core/plan/outer-clock.ts';
import { readForeignChains } from '../network/foreign-chains.ts';
import { HouseReader, NETWORKS_FILE } from '../network/house-reader.ts';
import { netdevExists, netdevIndex, openNetdevCounter, setLink } from '../network/netdev.ts';
import { loadNft } from '../network/nft.ts';
import { rebuildQueue } from '../network/queue.ts';
import { findRouteFault } from '../network/route-check.ts';
import { applyInsideRoutes, applyRoutes, keepAddress } from '../network/routing.ts';
import { Rules } from '../network/rules.ts';
import { Sysctls } from '../network/sysctls.ts';
import { HomeOpenVpn, type OpenVpnAct } from '../openvpn/home-openvpn.ts';
import { OuterClock } from '../shaper/outer-clock.ts';
import { Shaper } from '../shaper/shaper.ts';
import { succeeds } from '../system/command.ts';
import { endLeftovers } from '../system/leftovers.ts';
import type { Log } from '../system/log.ts';
import { readPlainUser } from '../system/plain-user.ts';
import type { System } from '../system/system.ts';
import { uniformRandom } from '../system/uniform-random.ts';
import { isSocatOf, PacketPort } from '../tunnel/packet-port.ts';
import { tryKeepBootTable } from './boot-table.ts';
import { configureNetdev, configureTunnel } from './devices-netdev.ts';
import { HomeTunnel } from './home-tunnel.ts';
import { removeEverything } from './remove-everything.ts';

export interface HomeEffectsOptions {
  system: System;
  runDir: string;
  stateDir: string;
  log: Log;
  /** Tells the machine what happened. */
  tell: (event: HomeEvent) => void;
  /** Looks at who is near, before rules are made of it. */
  lookAround: (config: Config, house: House, noted: Noted) => Promise<Near>;
  rateOf: (config: Config) => ActiveRate;
}

/** Everything the home makes on its machine. */
export class HomeEffects {
  readonly #options: HomeEffectsOptions;
  readonly #system: System;
  readonly #shaper: Shaper;
  readonly #openvpn: HomeOpenVpn;
  readonly #rules: Rules;
  readonly #houseReader: HouseReader;
  readonly #sent;
  readonly #received;
  readonly #sysctls: Sysctls;
  readonly #clock: OuterClock;
  #port: PacketPort | null = null;
  #plainUser: PlainUser | null | undefined;
  readonly tunnel: HomeTunnel;

  constructor(options: HomeEffectsOptions) {
    const { system, runDir, stateDir, log, tell } = options;
    this.#options = options;
    this.#system = system;
    this.#sent = openNetdevCounter(system, TUNNEL_NETDEV, 'tx_packets');
    this.#received = openNetdevCounter(system, TUNNEL_NETDEV, 'rx_packets');
    this.#rules = new Rules({ system, sets: HOME_SETS, onLost: (kind) => tell({ kind }) });
    this.#houseReader = new HouseReader(system, join(stateDir, NETWORKS_FILE));
    this.#sysctls = new Sysctls(system);
    this.#clock = new OuterClock(system, 'home');
    this.tunnel = new HomeTunnel({
      system,
      departures: () => this.#sent.read(),
      onPacket: (packet) => this.#port?.send(packet),
      onSaid: tell,
      onAnswer: (answer) => tell({ kind: 'probe-answered', answer }),
      onFault: (fault) => log('warning', wordsOf(fault)),
      onGone: (fault) => tell({ kind: 'fault', fault }),
    });
    this.#shaper = new Shaper({
      system,
      onReport: ({ listing, takenMs }) => tell({ kind: 'second', listing, takenMs }),
      onFault: (_minor, fault) => tell({ kind: 'fault', fault }),
    });
    this.#openvpn = new HomeOpenVpn({ system, runDir, log, tell });
  }

  /** Packets on the tunnel's netdev since it was made, sent and received; null while there is none. */
  get sentPackets(): number | null {
    return this.#sent.read();
  }

  get receivedPackets(): number | null {
    return this.#received.read();
  }

  /** Does what neither waits nor fails. */
  act(act: Extract<Act, { do: 'gate' | 'close-tunnel' | 'probe' | OpenVpnAct['do'] }>): void {
    if (act.do === 'gate') this.tunnel.link?.setOpen(act.open);
    else if (act.do === 'close-tunnel') this.#closeTunnel();
    else if (act.do === 'probe') this.tunnel.probe(act.inner);
    else this.#openvpn.act(act);
  }

  /** Cover ends at once, too: on the next netdev nothing would hold it back before the queue is made. */
  #closeTunnel(): void {
    this.tunnel.close();
    void this.#shaper.pause();
  }

  /** Does one part, and resolves with the event that says how it went. */
  async work(work: Work): Promise<HomeEvent> {
    try {
      const found = await this.#do(work);
      return { kind: 'done', part: work.part, found } as HomeEvent;
    } catch (error) {
      return { kind: 'failed', part: work.part, fault: noticeOfError(error) };
    }
  }

  #do(work: Work): Promise<unknown> {
    const system = this.#system;
    switch (work.part) {
      case 'forbid':
        return loadNft(system, renderNotAlive());
      case 'permit':
        return this.#rules.isIntact(work.permits);
      case 'look':
        return this.#look(work);
      case 'chains':
        return this.#clock.readChains();
      case 'restore':
        return this.#restoreRules(work.permits);
      case 'remove':
        return this.#remove(work);
      case 'boot':
        return tryKeepBootTable(this.#options, work.table);
      case 'user':
        return this.#findPlainUser();
      case 'connect':
        return configureTunnel(system);
      case 'suspects':
        return readForeignChains(system);
      case 'house':
        return this.#houseReader.read(work.config, work.remoteAddress);
      case 'near':
        void this.tunnel.readNames();
        return this.#options.lookAround(work.config, work.house, this.#noted());
      case 'inside':
        return applyInsideRoutes(system, work.routes);
      case 'rules':
        return this.#applyRules(work);
      case 'routes':
        return this.#applyRoutes(work);
      case 'port':
        return this.#openPort(work);
      case 'netdev':
        return this.#port?.mend() ?? configureNetdev(system, this.#sysctls, work);
      case 'index':
        return netdevIndex(system, TUNNEL_NETDEV);
      case 'queue':
        return this.#applyQueue(work);
      case 'clock':
        return this.#clock.place(planClock(work, system.processes.uid));
      case 'streams':
        return this.#applyStreams(work);
      case 'openvpn':
        return this.#openvpn.start(work.config);
    }
  }

  async #look({ permits, config, chains }: WorkOf<'look'>): Promise<Outcomes['look']> {
    // What lets devices go on is renewed in the same breath.
    const rulesIntact = await this.#rules.isIntact(permits);
    return {
      ...{ takenMs: this.#system.clock.monotonicMs(), rulesIntact },
      chains: chains ? await this.#clock.readChains() : null,
      astray: this.#rules.counted(WITNESS_COUNTER),
      ...this.#noted(),
      ...{ sentPackets: this.sentPackets, receivedPackets: this.receivedPackets },
      answerSilentMs: this.tunnel.answerSilentMs(this.#system.clock.monotonicMs()),
      ...{ smallerBytes: this.tunnel.smallerBytes, config, rate: this.#options.rateOf(config) },
      passages: this.#rules.passages(homePassages),
      chance: uniformRandom(this.#system)(),
    };
  }

  #noted(): Noted {
    const learned = (set: string) => this.#rules.learned(set);
    const [resolvers, redirected] = [learned(RESOLVER_SET), learned(REDIRECTED_SET)];
    return { resolvers, redirected, senders: SENDER_SETS.flatMap(learned) };
  }

  /** The table was deleted: by us to replace it, or by someone who flushed all rules. */
  async #restoreRules(permits: string): Promise<void> {
    if (!this.#rules.areLoaded || (await this.#rules.isIntact())) return;
    this.#options.log('warning', wordsOf(notice('rules-put-back')));
    await this.#rules.restore(permits);
  }

  /** Looked for once: what happens to the list of users is no reason to connect again. */
  async #findPlainUser(): Promise<PlainUser | null> {
    if (this.#plainUser === undefined) {
      this.#plainUser = await readPlainUser(this.#system);
      if (!this.#plainUser) this.#options.log('warning', wordsOf(notice('plain-user-missing')));
    }
    return this.#plainUser;
  }

  async #applyRules({ table, permits, again }: WorkOf<'rules'>): Promise<void> {
    // In one transaction with the table, so that devices that may go on do not notice.
    const loaded = await this.#rules.apply(table, permits, again);
    // A connection that fw4 has offloaded is looked at again only once its route is stale (nf_flow_table_ip.c).
    if (loaded) await succeeds(this.#system, ['ip', 'route', 'flush', 'cache']);
  }

  async #applyRoutes(work: WorkOf<'routes'>): Promise<Notice | null> {
    const { netdev, plan, own, networks, house } = work;
    const there = netdevExists(this.#system, netdev) ? [netdev] : [];
    await applyRoutes(this.#system, plan, new Set(there));
    if (own === null || there.length === 0) return null;
    await keepAddress(this.#system, netdev, own);
    return findRouteFault(this.#system, netdev, networks, house);
  }

  async #openPort({ netdev, plainUser }: WorkOf<'port'>): Promise<void> {
    const { tell } = this.#options;
    await this.#port?.close();
    this.#port = null;
    await endLeftovers(this.#system, (argv) => isSocatOf(netdev, argv));
    this.#port = new PacketPort({
      system: this.#system,
      netdev,
      onPacket: (packet) => this.tunnel.send(packet),
      onUp: () => tell({ kind: 'port-up' }),
      onFault: (fault) => tell({ kind: 'fault', fault }),
    });
    await this.#port.open(plainUser);
  }

  async #applyQueue({ mtu, length, ring, slots }: WorkOf<'queue'>): Promise<void> {
    if (slots !== null) {
      // Whatever waited for OpenVPN is too late by now: a ring of no length lets it go.
      await setLink(this.#system, TUNNEL_NETDEV, mtu, 0);
      // A leaf is as long as the netdev's queue was when it was made; OpenVPN's ring follows it.
      await setLink(this.#system, TUNNEL_NETDEV, mtu, length);
      await this.#shaper.pause();
      await rebuildQueue(this.#system, slots);
    }
    await setLink(this.#system, TUNNEL_NETDEV, mtu, ring);
  }

  async #applyStreams(work: WorkOf<'streams'>): Promise<void> {
    const { tunnel, upload, standing, fresh } = work;
    await this.tunnel.apply(work);
    const stream = { minor: HOME_CLASS_MINOR, shape: upload, ...tunnel, standing };
    await this.#shaper.apply([stream], fresh);
    this.tunnel.want(work);
  }

  /** Ends and removes everything, in the order that never opens a gap; goes on where something can't be removed. */
  async #remove({ netdev, shut }: WorkOf<'remove'>): Promise<void> {
    const system = this.#system;
    let failure: unknown = null;
    const attempt = async (work: () => Promise<unknown>): Promise<void> => {
      await work().catch((error) => {
        failure ??= error;
      });
    };
    if (shut !== null) await attempt(() => loadNft(system, shut));
    this.tunnel.end();
    await attempt(() => this.#shaper.stop());
    await attempt(() => this.#openvpn.stop());
    await attempt(async () => this.#port?.close());
    this.#port = null;
    await attempt(() => this.#clock.remove());
    await attempt(() => this.#rules.release(shut === null));
    if (shut === null) await attempt(() => removeEverything(system, netdev));
    await attempt(() => this.#sysctls.restore());
    this.#sent.close();
    this.#received.close();
    if (failure !== null) throw failure;
  }
}

type WorkOf<P extends Part> = Extract<Work, { part: P }>;
