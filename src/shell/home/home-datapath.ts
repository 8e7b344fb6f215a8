// The home's datapath: brings processes, rules, queue and sockets to what configuration and tunnel ask for.
import { join } from 'node:path';
import type { ActiveRate } from '../../core/config/schedule.ts';
import type { Config } from '../../core/config/types.ts';
import type { Welcome } from '../../core/control/message.ts';
import { ipDestination, ipSource } from '../../core/framing/ip-packet.ts';
import { type House, NO_HOUSE } from '../../core/home/home-facts.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { noticeOfError } from '../../core/notices/notice-error.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { Profile } from '../../core/openvpn/profile.ts';
import type {
  FollowedDevice,
  HomeFacts,
  InnerNetwork,
  PlainUser,
  TunnelAddresses,
} from '../../core/plan/facts.ts';
import { planInsideRoutes } from '../../core/plan/inside.ts';
import { DEVICE_MTU, HOME_CLASS_MINOR, TABLE, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { renderAlive, renderNotAlive } from '../../core/plan/nft-alive.ts';
import {
  aliveProtocols,
  HOME_TEXT_SETS,
  RESOLVER_SET,
  renderHomeNft,
  WITNESS_COUNTER,
} from '../../core/plan/nft-home.ts';
import { renderHomeOpenVpn } from '../../core/plan/openvpn.ts';
import { planRoutes } from '../../core/plan/routes.ts';
import { queueLimit, type SlotClass } from '../../core/plan/tc.ts';
import { type Shape, shapeOf } from '../../core/stream/stream.ts';
import { version } from '../../version.ts';
import { HomeControl } from '../control/home-control.ts';
import { HouseReader, NETWORKS_FILE } from '../network/house-reader.ts';
import { netdevIndex, setLink, writeSysctl } from '../network/netdev.ts';
import { deleteTable, loadNft } from '../network/nft.ts';
import { rebuildQueue } from '../network/queue.ts';
import { findRouteFault } from '../network/route-check.ts';
import { applyInsideRoutes, applyRoutes, removeRoutes } from '../network/routing.ts';
import { Rules } from '../network/rules.ts';
import { OpenVpn } from '../openvpn/openvpn.ts';
import type { ShaperReport } from '../shaper/messages.ts';
import { Shaper } from '../shaper/shaper.ts';
import { run, succeeds } from '../system/command.ts';
import { endLeftovers } from '../system/leftovers.ts';
import type { Log } from '../system/log.ts';
import { readPlainUser } from '../system/plain-user.ts';
import { Serial } from '../system/serial.ts';
import { NetdevCounter } from '../tunnel/counters.ts';
import { FrameLink } from '../tunnel/frame-link.ts';
import { isSocatOf, PacketPort } from '../tunnel/packet-port.ts';

const DEVICE_QUEUE_PACKETS = 500;

/** What is known of the devices beside what the configuration says, all by that configuration's sections. */
export interface Near {
  followed: readonly FollowedDevice[];
  /** Netdevs on which other hosts live beside chosen devices. */
  sharedNetdevs: readonly string[];
}

/** What is to be: a configuration, the rate that its schedule puts in force, the profile it names. */
export interface Wish {
  config: Config;
  rate: ActiveRate;
  profile: Profile;
}

export type TunnelState = 'down' | 'connecting' | 'up' | 'reconnecting';

export interface DatapathOptions {
  runDir: string;
  stateDir: string;
  log: Log;
  /** Looks at who is near, before rules are made of it. */
  lookAround: (config: Config, house: House, resolvers: readonly string[]) => Promise<Near>;
  onReport: (report: ShaperReport) => void;
  /** Something happened that the next look will have to judge. */
  onFault: (fault: Notice) => void;
  onTunnelState: () => void;
}

/** Everything the home makes on its machine. {@link HomeDatapath.apply} may be called any number of times. */
export class HomeDatapath {
  readonly #options: DatapathOptions;
  readonly #serial = new Serial();
  readonly #shaper: Shaper;
  readonly #openvpn: OpenVpn;
  readonly sentCounter = new NetdevCounter(TUNNEL_NETDEV, 'tx_packets');
  readonly receivedCounter = new NetdevCounter(TUNNEL_NETDEV, 'rx_packets');
  readonly #restore = new Map<string, string>();
  #port: PacketPort | null = null;
  #portNetdev = '';
  #wish: Wish | null = null;
  #openvpnConfig = '';
  #near: Near = { followed: [], sharedNetdevs: [] };
  readonly #houseReader: HouseReader;
  #plainUser: PlainUser | null | undefined;
  readonly #rules = new Rules(
    HOME_TEXT_SETS,
    () => void this.#serial.run(() => this.#restoreRules()).catch(() => {}), // the next look tells
  );
  #queue: { index: number; limit: number } | null = null;
  #alive = false;
  /** Why devices' packets would not take their way; null while they would. */
  routeFault: Notice | null = null;
  /** The house as last looked at. */
  house: House = NO_HOUSE;
  tunnelState: TunnelState = 'down';
  tunnelSince = 0;
  tunnel: TunnelAddresses | null = null;
  /** The endpoint's address on the Internet. */
  remoteAddress: string | null = null;
  inner: InnerNetwork | null = null;
  welcome: Welcome | null = null;
  link: FrameLink | null = null;
  control: HomeControl | null = null;
  /** Bytes of devices' packets that came down, by inner address. */
  readonly downloadBytes = new Map<string, number>();

  constructor(options: DatapathOptions) {
    this.#options = options;
    this.#houseReader = new HouseReader(join(options.stateDir, NETWORKS_FILE));
    this.#shaper = new Shaper({
      onReport: options.onReport,
      onFault: (_minor, fault) => options.onFault(fault),
    });
    this.#openvpn = new OpenVpn({
      configPath: join(options.runDir, 'openvpn.conf'),
      managementSocket: join(options.runDir, 'openvpn.sock'),
      onState: (name, local, remote) => this.#onOpenVpnState(name, local, remote),
      onExit: (why) => {
        this.#setTunnelState('down');
        options.onFault(notice('openvpn-stopped', { why }));
      },
      onLine: (line) => options.log('info', `openvpn: ${line}`),
    });
  }

  /** Whether devices may send at this moment. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Brings everything to the wish; resolves when it stands. Faults are thrown after what could be done was done. */
  apply(wish: Wish): Promise<void> {
    return this.#serial.run(async () => {
      this.#wish = wish;
      await this.#reconcile(false);
    });
  }

  /** Does the last wish over again, making the queue anew. */
  repair(): Promise<void> {
    return this.#serial.run(() => this.#reconcile(true));
  }

  /** Looks again at which netdevs are the house, and makes everything follow. */
  refreshHouse(): Promise<void> {
    return this.#serial.run(() => this.#reconcile(false));
  }

  /** Looks again at who is near. */
  refreshNear(): Promise<void> {
    return this.#serial.run(async () => {
      if (!this.#wish) return;
      await this.#lookAround(this.#wish.config);
      await this.#applyRules(false);
    });
  }

  /** Packets of devices that were stopped on a way that others' rules or routes gave them, since the table was made. */
  get astray(): number {
    return this.#rules.counted(WITNESS_COUNTER);
  }

  /** MACs of hosts beside the devices that asked the Internet for names lately. */
  get resolvers(): string[] {
    return this.#rules.learned(RESOLVER_SET);
  }

  /** Has OpenVPN try again at once where it is not connected. */
  hurry(): void {
    this.#openvpn.hurry();
  }

  /** Asks OpenVPN to connect anew. */
  reconnect(): void {
    this.#openvpn.reconnect();
  }

  /** Whether rules of the tunnel's output stand as loaded; extends the devices' leave in the same breath when `extend`. */
  async checkRules(extend: boolean): Promise<boolean> {
    return this.#serial.run(async () => {
      if (!this.#wish) return false;
      return this.#rules.stand(extend ? renderAlive(this.#aliveProtocols()) : '');
    });
  }

  /** Lets devices go on, or stops them now. */
  async setAlive(alive: boolean): Promise<void> {
    if (alive === this.#alive) return;
    this.#alive = alive;
    this.link?.setOpen(alive);
    if (!alive) await this.#serial.run(() => loadNft(renderNotAlive()).catch(() => ''));
  }

  /** The rules that hold all devices back under the configuration in force; null when there is none. */
  shutTable(): string | null {
    if (!this.#wish) return null;
    return renderHomeNft(this.#wish.config, { ...this.#facts(), tunnel: null, inner: null });
  }

  /**
   * Ends and removes everything, in the order that never opens a gap.
   *
   * @param staysShut the rules stay, and let nothing of a device out.
   */
  stop(staysShut = false): Promise<void> {
    return this.#serial.run(async () => {
      const shut = staysShut ? this.shutTable() : null;
      if (shut) await loadNft(shut);
      this.#wish = null;
      this.#alive = false;
      this.#closeTunnel();
      await this.#shaper.stop();
      await this.#openvpn.stop();
      await this.#port?.close();
      this.#port = null;
      await this.#rules.release(!staysShut);
      if (!staysShut) await removeEverything(this.#portNetdev);
      for (const [path, value] of this.#restore) await writeSysctl(path, value);
      this.#restore.clear();
      this.sentCounter.close();
      this.receivedCounter.close();
      this.#openvpnConfig = '';
      this.#setTunnelState('down');
    });
  }

  async #reconcile(fresh: boolean): Promise<void> {
    const wish = this.#wish;
    if (!wish) return;
    const { config } = wish;
    this.house = await this.#houseReader.read(config, this.remoteAddress);
    // Rules without it would let out devices that are met under another address or hardware than configured.
    await this.#lookAround(config);
    await applyInsideRoutes(planInsideRoutes(wish.profile.inside));
    await this.#applyRules(fresh);
    await this.#applyRouting();
    await this.#applyPort();
    await this.#applyTunnel(fresh);
    await this.#applyOpenVpn();
  }

  async #lookAround(config: Config): Promise<void> {
    this.#near = await this.#options.lookAround(config, this.house, this.resolvers);
  }

  #facts(): HomeFacts {
    const house = this.house;
    return {
      uid: process.getuid?.() ?? 0,
      houseNetdevs: house.netdevs,
      housePrefixes: house.prefixes,
      uplinks: house.uplinks,
      networkPrefixes: house.networkPrefixes,
      networkPorts: house.networkPorts,
      networkLost: house.networkFindings.some(({ blocks }) => blocks),
      followed: this.#near.followed,
      sharedNetdevs: this.#near.sharedNetdevs,
      inside: this.#wish?.profile.inside ?? null,
      tunnel: this.tunnel,
      inner: this.inner,
    };
  }

  #aliveProtocols(): string[] {
    return aliveProtocols(this.#facts());
  }

  async #applyRules(again: boolean): Promise<void> {
    const text = renderHomeNft(this.#wish!.config, this.#facts());
    // In one transaction with the table, so that devices that may go on do not notice.
    const loaded = await this.#rules.apply(text, this.#leave(), again);
    // A connection that fw4 has offloaded is looked at again only once its route is stale (nf_flow_table_ip.c).
    if (loaded) await succeeds(['ip', 'route', 'flush', 'cache']);
  }

  /** Commands that let devices go on, where they may. */
  #leave(): string {
    return this.#alive ? renderAlive(this.#aliveProtocols()) : '';
  }

  /** The table was deleted: by us to replace it, or by someone who flushed all rules. */
  async #restoreRules(): Promise<void> {
    if (!this.#wish || (await this.#rules.stand())) return;
    this.#options.log('warning', wordsOf(notice('rules-put-back')));
    await this.#rules.restore(this.#leave());
  }

  async #applyRouting(): Promise<void> {
    const { config, profile } = this.#wish!;
    const there = new Set<string>();
    if ((await netdevIndex(config.tunnel.interface)) !== null) there.add(config.tunnel.interface);
    await applyRoutes(planRoutes(config, this.#facts()), there);
    this.routeFault = null;
    if (this.inner && there.size > 0) {
      // Loose reverse-path filtering refuses what comes in on a netdev without any address, or from where nothing but an
      // unreachable route leads (fib_frontend.c): so the whole inner range lies behind this one.
      const [, length] = profile.inside.inner4.split('/');
      const own = this.inner.prefix4.replace(/\.0\/24$/, `.254/${length}`);
      await run(['ip', 'addr', 'replace', own, 'dev', config.tunnel.interface]);
      const networks = config.networks.map(({ device }) => device);
      this.routeFault = await findRouteFault(config.tunnel.interface, networks, this.house);
    }
  }

  async #applyPort(): Promise<void> {
    const netdev = this.#wish!.config.tunnel.interface;
    if (this.#port && this.#portNetdev === netdev) return;
    await this.#port?.close();
    await endLeftovers((argv) => isSocatOf(netdev, argv));
    this.#portNetdev = netdev;
    const port = new PacketPort({
      netdev,
      onPacket: (packet) => this.link?.enqueue(ipSource(packet), packet),
      onUp: () =>
        void this.#serial
          .run(() => this.#dressPort())
          .catch((error) => this.#options.onFault(noticeOfError(error))),
      onFault: this.#options.onFault,
    });
    this.#port = port;
    await port.open(await this.#findPlainUser());
  }

  /** Settings and routes of the devices' netdev, after it was made. */
  async #dressPort(): Promise<void> {
    if (!this.#wish) return;
    const netdev = this.#portNetdev;
    await setLink(netdev, DEVICE_MTU, DEVICE_QUEUE_PACKETS);
    await writeSysctl(`net/ipv4/conf/${netdev}/rp_filter`, '2');
    await writeSysctl(`net/ipv6/conf/${netdev}/accept_ra`, '0');
    const forwarding = await writeSysctl('net/ipv4/ip_forward', '1');
    if (forwarding !== null) this.#restore.set('net/ipv4/ip_forward', forwarding);
    await this.#applyRouting();
  }

  async #applyOpenVpn(): Promise<void> {
    const { profile } = this.#wish!;
    const text = renderHomeOpenVpn({
      profile,
      plainUser: await this.#findPlainUser(),
      managementSocket: join(this.#options.runDir, 'openvpn.sock'),
      queuePackets: 1024,
    });
    if (text === this.#openvpnConfig) return;
    this.#openvpnConfig = text;
    this.#closeTunnel();
    this.#setTunnelState('connecting');
    await this.#openvpn.start(text);
  }

  /** Looked for once: what happens to the list of users is no reason to connect anew. */
  async #findPlainUser(): Promise<PlainUser | null> {
    if (this.#plainUser === undefined) {
      this.#plainUser = await readPlainUser();
      if (!this.#plainUser) this.#options.log('warning', wordsOf(notice('plain-user-missing')));
    }
    return this.#plainUser;
  }

  async #applyTunnel(fresh: boolean): Promise<void> {
    const { config, rate } = this.#wish!;
    const { tunnel } = this;
    const index = await netdevIndex(TUNNEL_NETDEV);
    if (!tunnel || index === null) return;
    const upload = shapeOf(config, rate.uploadKBps);
    const limit = queueLimit([upload]);
    const anew = fresh || this.#queue?.index !== index || this.#queue.limit < limit;
    await setLink(TUNNEL_NETDEV, config.main.packetBytes, Math.max(limit, this.#queue?.limit ?? 0));
    if (anew) {
      // For a moment nothing holds packets back: nobody may send then.
      this.link?.setOpen(false);
      await this.#shaper.pause();
      const slot: SlotClass = { minor: HOME_CLASS_MINOR, shape: upload, destination: null };
      await rebuildQueue([slot]);
      this.#queue = { index, limit };
    }
    await this.#applySockets(tunnel, upload);
    await this.#shaper.apply([{ minor: HOME_CLASS_MINOR, shape: upload, ...tunnel }], anew);
    this.link?.setOpen(this.#alive);
    this.control?.want(upload, shapeOf(config, rate.downloadKBps), config.main.maxDelayMs);
  }

  async #applySockets(tunnel: TunnelAddresses, upload: Shape): Promise<void> {
    const { maxDelayMs } = this.#wish!.config.main;
    if (this.link) {
      this.link.update(upload, maxDelayMs);
      return;
    }
    this.link = new FrameLink({
      ...tunnel,
      shape: upload,
      maxDelayMs,
      departures: () => this.sentCounter.read() ?? 'gone',
      onPacket: (packet) => this.#deliver(packet),
    });
    await this.link.start();
    this.control = new HomeControl({
      ...tunnel,
      version,
      key: this.#wish!.profile.controlKey,
      inside: this.#wish!.profile.inside,
      onWelcome: (welcome) => this.#onWelcome(welcome),
      onFault: (fault) => this.#options.log('warning', wordsOf(fault)),
    });
    await this.control.start();
  }

  #deliver(packet: Uint8Array): void {
    const key = ipDestination(packet);
    if (this.downloadBytes.size < 4096 || this.downloadBytes.has(key)) {
      this.downloadBytes.set(key, (this.downloadBytes.get(key) ?? 0) + packet.length);
    }
    this.#port?.send(packet);
  }

  #onWelcome(welcome: Welcome): void {
    this.welcome = welcome;
    if (JSON.stringify(welcome.inner) === JSON.stringify(this.inner)) return;
    this.inner = welcome.inner;
    this.refreshHouse().catch((error) => this.#options.onFault(noticeOfError(error)));
  }

  #onOpenVpnState(name: string, local: string, remote: string): void {
    if (name === 'CONNECTED') {
      this.remoteAddress = remote === '' ? null : remote;
      this.#serial
        .run(() => this.#onConnected(local))
        .catch((error) => this.#options.onFault(noticeOfError(error)));
    } else if (name === 'RECONNECTING' || name === 'EXITING') this.#setTunnelState('reconnecting');
    else if (this.tunnelState === 'down') this.#setTunnelState('connecting');
  }

  async #onConnected(local: string): Promise<void> {
    if (!this.#wish) return;
    const peer = local.replace(/\.\d+$/, '.1');
    const index = await netdevIndex(TUNNEL_NETDEV);
    if (this.tunnel?.local !== local || index !== this.#queue?.index) this.#closeTunnel();
    this.tunnel = { local, peer };
    await writeSysctl(`net/ipv6/conf/${TUNNEL_NETDEV}/disable_ipv6`, '1');
    this.#setTunnelState('up');
    await this.#reconcile(false);
  }

  #closeTunnel(): void {
    this.link?.close();
    this.control?.close();
    this.link = null;
    this.control = null;
    this.tunnel = null;
    this.#queue = null;
  }

  #setTunnelState(state: TunnelState): void {
    if (state === this.tunnelState) return;
    this.tunnelState = state;
    this.tunnelSince = Math.floor(Date.now() / 1000);
    this.#options.onTunnelState();
  }
}

/** Removes what the service makes on a home, found by name, whoever made it. */
export async function removeEverything(netdev: string): Promise<void> {
  await endLeftovers((argv) => isSocatOf(netdev, argv));
  await removeRoutes();
  await deleteTable(TABLE);
  await applyInsideRoutes([]);
}
