// Does to the machine what an endpoint's machine asks for, a part at a time, and tells how it went.
import { join } from 'node:path';
import { homeConnections, renderSendOn } from '../../core/endpoint/fleet/drain.ts';
import type { Part } from '../../core/endpoint/machine/agenda.ts';
import type { Act, EndpointEvent, Outcomes, Work } from '../../core/endpoint/machine/events.ts';
import type { EndpointState } from '../../core/endpoint/machine/state.ts';
import { noticeOfError } from '../../core/notices/notice-error.ts';
import { wordsOf } from '../../core/notices/words.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { ENDPOINT_SETS, INNER_NETDEV } from '../../core/plan/nft/nft-endpoint.ts';
import { endpointPassages, KNOCK_COUNTER } from '../../core/plan/nft/nft-endpoint-passage.ts';
import { readForeignChains } from '../network/foreign-chains.ts';
import { netdevIndex, openNetdevCounter, writeSysctl } from '../network/netdev.ts';
import { changeSharedQueue } from '../network/queue.ts';
import { applyEndpointRoutes } from '../network/routing.ts';
import { Rules } from '../network/rules.ts';
import { Sysctls } from '../network/sysctls.ts';
import { OpenVpn } from '../openvpn/openvpn.ts';
import { ClockOfHomes } from '../shaper/homes-clock.ts';
import { Shaper } from '../shaper/shaper.ts';
import { endLeftovers } from '../system/leftovers.ts';
import type { Log } from '../system/log.ts';
import { readPlainUser } from '../system/plain-user.ts';
import type { Counter, System } from '../system/system.ts';
import { isSocatOf, PacketPort } from '../tunnel/packet-port.ts';
import { EndpointControl } from './endpoint-control.ts';
import { HomeLinks } from './home-links.ts';
import {
  allowForwarding,
  configureNetdev,
  drawTrial,
  findSwitchedOff,
  hasIpv6,
  putTunnelBack,
  readLinks,
  readNear,
  readUplinkMtu,
} from './internet-side.ts';
import { writeClientConfigs } from './openvpn-files.ts';
import type { ServedState } from './registry.ts';
import { planRemoval, type Removal } from './removal.ts';
import { Resolver } from './resolver.ts';
import { readServed } from './state/limit-file.ts';
import type { UsageFile } from './state/usage-file.ts';

export interface EndpointEffectsOptions {
  system: System;
  store: ServedState;
  usage: UsageFile;
  runDir: string;
  log: Log;
  state: () => EndpointState;
  /** Tells the machine what happened. */
  tell: (event: EndpointEvent) => void;
}

/** Everything the endpoint makes on its machine. */
export class EndpointEffects {
  readonly #options: EndpointEffectsOptions;
  readonly #system: System;
  readonly #shaper: Shaper;
  readonly #openvpn: OpenVpn;
  readonly #rules: Rules;
  readonly #sysctls: Sysctls;
  readonly #sent: Counter;
  readonly #control: EndpointControl;
  #port: PacketPort | null = null;
  readonly #resolver: Resolver;
  #removal: Removal | null = null;
  readonly links: HomeLinks;
  readonly clock: ClockOfHomes;

  constructor(options: EndpointEffectsOptions) {
    const { system, runDir, log, state, tell } = options;
    this.#options = options;
    this.#system = system;
    this.#sysctls = new Sysctls(system);
    this.#resolver = new Resolver(system, INNER_NETDEV, log);
    this.#sent = openNetdevCounter(system, TUNNEL_NETDEV, 'tx_packets');
    this.#rules = new Rules({ system, sets: ENDPOINT_SETS, onLost: (kind) => tell({ kind }) });
    this.links = new HomeLinks({
      system,
      departures: () => this.#sent.read(),
      onPacket: (packet) => this.#port?.send(packet),
    });
    this.#control = new EndpointControl({
      ...{ system, log, state, links: this.links },
      onHello: (host, hello, sharing) => tell({ kind: 'hello', host, hello, sharing }),
    });
    this.#shaper = new Shaper({
      system,
      onReport: (report) => tell({ kind: 'second', report }),
      onFault: (minor, fault) => tell({ kind: 'fault', minor, fault }),
    });
    this.#openvpn = new OpenVpn({
      system,
      configPath: join(runDir, 'openvpn.conf'),
      managementSocket: state().place.managementSocket,
      onState: (name) => tell({ kind: 'openvpn', name }),
      onExit: (why) => tell({ kind: 'openvpn-exited', why }),
      onLine: (line) => log('info', `openvpn: ${line}`),
    });
    this.clock = new ClockOfHomes(system, this.#openvpn);
  }

  /** Hands a packet to the netdev towards the Internet, as if a home had sent it. */
  inject(packet: Uint8Array): void {
    this.#port?.send(packet);
  }

  /** Does what neither waits nor fails. */
  act(act: Act): void {
    switch (act.do) {
      case 'gate':
        this.links.setOpen(act.host, act.open);
        return;
      case 'close-session':
        this.links.close(act.host);
        return;
      case 'welcome':
      case 'refuse':
        this.#control.answer(act);
        return;
      case 'send-on':
        this.#openvpn.command(renderSendOn(act.connection));
        return;
      case 'keep-usage':
        this.#options.usage.keep(act.usage);
        return;
      case 'try-forward':
        this.#port?.send(drawTrial(this.#system, this.#options.state().place.identity));
        return;
      case 'log':
        this.#options.log(act.level, wordsOf(act.notice));
    }
  }

  /** Does one part, and resolves with the event that says how it went. */
  async work(work: Work): Promise<EndpointEvent> {
    try {
      const found = await this.#do(work);
      return { kind: 'done', part: work.part, found } as EndpointEvent;
    } catch (error) {
      return { kind: 'failed', part: work.part, fault: noticeOfError(error) };
    }
  }

  #do(work: Work): Promise<unknown> {
    const system = this.#system;
    switch (work.part) {
      case 'remove':
        return this.#remove(work);
      case 'restore':
        return this.#restoreRules(work);
      case 'look':
        return this.#look(work);
      case 'connect':
        return this.#connect();
      case 'suspects':
        return readForeignChains(system);
      case 'connections':
        return this.#openvpn.clients().then(homeConnections);
      case 'homes':
        return readServed(system, this.#options.store);
      case 'user':
        return readPlainUser(system);
      case 'ipv6':
        return hasIpv6(system);
      case 'near':
        return readNear(system);
      case 'tunnel':
        return putTunnelBack(system, work.address);
      case 'inside':
        return applyEndpointRoutes(system, work.routes, work.plan);
      case 'index':
        return netdevIndex(system, TUNNEL_NETDEV);
      case 'places':
        return this.clock.readPlaces();
      case 'clock':
        return this.#applyClock(work);
      case 'chains':
        return this.clock.readChains();
      case 'queue':
        return this.#applyQueue(work);
      case 'rules':
        return this.#rules.apply(work.table, work.permits);
      case 'forward':
        return allowForwarding(system, this.#sysctls, work.ipv6);
      case 'port':
        return this.#openPort(work);
      case 'netdev':
        return this.#port?.mend() ?? configureNetdev(system, work);
      case 'resolver':
        return this.#resolver.start(work.addresses);
      case 'control':
        return this.#control.open(work.address);
      case 'streams':
        return this.#applyStreams(work);
      case 'clients':
        return this.#writeClients(work);
      case 'openvpn':
        return this.#openvpn.start(work.config);
    }
  }

  async #look({ permits, ipv6 }: WorkOf<'look'>): Promise<Outcomes['look']> {
    // What lets frames leave is renewed in the same breath.
    const rulesIntact = await this.#rules.isIntact(permits);
    const takenMs = this.#system.clock.monotonicMs();
    const received = this.#rules.countedBy('cover_in', 'frames_in');
    const passages = this.#rules.passages(endpointPassages);
    return {
      ...{ takenMs, rulesIntact, received, passages },
      resolver: await this.#resolver.findFault(),
      uplinkMtu: await readUplinkMtu(this.#system),
      links: await readLinks(this.#system),
      knocks: this.#rules.counted(KNOCK_COUNTER),
      switchedOff: await findSwitchedOff(this.#system, ipv6),
    };
  }

  /** The table was deleted or changed: by us to replace it, or by someone who flushed all rules. */
  async #restoreRules({ permits }: WorkOf<'restore'>): Promise<Outcomes['restore']> {
    if (await this.#rules.isIntact()) return { restored: false };
    await this.#rules.restore(permits);
    return { restored: true };
  }

  async #connect(): Promise<Outcomes['connect']> {
    const index = await netdevIndex(this.#system, TUNNEL_NETDEV);
    await writeSysctl(this.#system, `net/ipv6/conf/${TUNNEL_NETDEV}/disable_ipv6`, '1');
    return index;
  }

  async #applyQueue(work: WorkOf<'queue'>): Promise<void> {
    const { rebuild, gone } = work;
    if (rebuild) await this.#shaper.pause();
    else if (gone.length > 0) await this.#shaper.pause(gone.map(({ minor }) => minor));
    await changeSharedQueue(this.#system, work);
  }

  async #applyClock(work: WorkOf<'clock'>): Promise<Outcomes['clock']> {
    // tc would go on with what is gone.
    if (work.rebuild) await this.#shaper.pause();
    return this.clock.apply(work);
  }

  async #openPort({ plainUser }: WorkOf<'port'>): Promise<void> {
    const system = this.#system;
    const { log, tell } = this.#options;
    await this.#port?.close();
    this.#port = null;
    await endLeftovers(system, (argv) => isSocatOf(INNER_NETDEV, argv));
    const port = new PacketPort({
      system,
      netdev: INNER_NETDEV,
      onPacket: (packet) => this.links.enqueue(packet),
      onUp: () => tell({ kind: 'port-up' }),
      onFault: (fault) => log('warning', wordsOf(fault)),
    });
    this.#port = port;
    await port.open(plainUser);
  }

  async #applyStreams({ streams, fresh }: WorkOf<'streams'>): Promise<void> {
    await this.links.apply(streams);
    const shaped = streams.map(({ host: minor, shape, local, peer, standing }) => ({
      ...{ minor, shape, local, peer, standing },
    }));
    await this.#shaper.apply(shaped, fresh);
  }

  #writeClients({ files }: WorkOf<'clients'>): Promise<Outcomes['clients']> {
    const { clientConfigDir } = this.#options.state().place;
    // What is no home any more is let go at once, and finds no file when it comes again.
    return writeClientConfigs(this.#system, clientConfigDir, files, (commonName) =>
      this.#openvpn.command(`kill ${commonName}`),
    );
  }

  /** Ends and removes everything; goes on where something can't be removed. */
  async #remove({ inside }: WorkOf<'remove'>): Promise<Outcomes['remove']> {
    this.#control.close();
    this.#removal ??= planRemoval(this.#system, {
      ...{ inside, runDir: this.#options.runDir },
      clientConfigDir: this.#options.state().place.clientConfigDir,
      ...{ openvpn: this.#openvpn, shaper: this.#shaper, resolver: this.#resolver },
      clock: this.clock,
      ...{ port: this.#port, rules: this.#rules, sysctls: this.#sysctls },
    });
    const forgotten = await this.#removal.run();
    await this.#options.usage.settled();
    this.#sent.close();
    return { forgotten };
  }
}

type WorkOf<P extends Part> = Extract<Work, { part: P }>;
