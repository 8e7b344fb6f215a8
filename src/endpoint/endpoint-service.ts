// The endpoint role: serves every home the store names, each with its own queue, class, frames and cover.
import { createSocket, type Socket } from 'node:dgram';
import { type FSWatcher, watch } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { decodeControl, encodeControl, type Hello } from '../control/message.ts';
import { serveLocalApi } from '../daemon/local-api.ts';
import { findQueueFaults } from '../daemon/verification.ts';
import { ipDestination } from '../framing/ip-packet.ts';
import { OpenVpn } from '../openvpn/openvpn.ts';
import type { EndpointFacts, InnerNetwork } from '../plan/facts.ts';
import {
  ALIVE_SECONDS,
  CONTROL_PORT,
  DEVICE_MTU,
  STRAY_CLASS_MINOR,
  TABLE,
  TUNNEL_MTU,
  TUNNEL_NETDEV,
} from '../plan/names.ts';
import {
  INNER_NETDEV,
  innerPrefix4,
  innerPrefix6,
  renderEndpointAlive,
  renderEndpointNft,
  resolver4,
  resolver6,
  tunnelAddress,
} from '../plan/nft-endpoint.ts';
import { renderEndpointOpenVpn } from '../plan/openvpn.ts';
import { queueLimit, renderClassAdd, renderClassRemove, type SlotClass } from '../plan/tc.ts';
import type { ShaperReport } from '../shaper/messages.ts';
import { Shaper } from '../shaper/shaper.ts';
import type { SupervisedChild } from '../system/child.ts';
import { run } from '../system/command.ts';
import { endLeftovers } from '../system/leftovers.ts';
import type { Log } from '../system/log.ts';
import { netdevIndex, readSysctl, setLink, writeSysctl } from '../system/netdev.ts';
import { deleteTable, loadNft } from '../system/nft.ts';
import { changeQueue, rebuildQueue } from '../system/queue.ts';
import { Serial } from '../system/serial.ts';
import { NetdevCounter } from '../tunnel/counters.ts';
import { PacketPort, socatArgv } from '../tunnel/packet-port.ts';
import { version } from '../version.ts';
import { HomeSession, owns } from './home-session.ts';
import { resolverArgv, startResolver } from './resolver.ts';
import type { EndpointIdentity, EndpointStore, StoredHome } from './store.ts';

const DEVICE_QUEUE_PACKETS = 1000;
/** Changes to the store come as several events. */
const SETTLE_MS = 200;

export interface EndpointServiceOptions {
  store: EndpointStore;
  runDir: string;
  log: Log;
}

/** The running endpoint. */
export class EndpointService {
  readonly #options: EndpointServiceOptions;
  readonly #identity: EndpointIdentity;
  readonly #serial = new Serial();
  readonly #shaper: Shaper;
  readonly #openvpn: OpenVpn;
  readonly #port: PacketPort;
  readonly #sent = new NetdevCounter(TUNNEL_NETDEV, 'tx_packets');
  readonly #sessions = new Map<number, HomeSession>();
  readonly #classes = new Map<number, SlotClass>();
  readonly #restore = new Map<string, string>();
  #server: Server | null = null;
  #watcher: FSWatcher | null = null;
  #settle: NodeJS.Timeout | null = null;
  #resolver: SupervisedChild | null = null;
  #control: Socket | null = null;
  #homes: StoredHome[] = [];
  #ipv6 = false;
  #queue: { index: number; limit: number } | null = null;
  #up = false;
  #stopping = false;
  #nftText = '';
  #fault = '';
  #since = Math.floor(Date.now() / 1000);

  constructor(options: EndpointServiceOptions, identity: EndpointIdentity) {
    this.#options = options;
    this.#identity = identity;
    this.#shaper = new Shaper({
      onReport: (report) =>
        void this.#look(report).catch((error: Error) => options.log('warning', error.message)),
      onFault: (minor, text) => this.#onShaperFault(minor, text),
    });
    this.#openvpn = new OpenVpn({
      configPath: join(options.runDir, 'openvpn.conf'),
      managementSocket: join(options.runDir, 'openvpn.sock'),
      onState: (name) => {
        if (name === 'CONNECTED') this.#later(() => this.#onUp());
      },
      onExit: (why) => {
        this.#up = false;
        options.log('warning', `OpenVPN stopped (${why}); it is started again`);
      },
      onLine: (line) => options.log('info', `openvpn: ${line}`),
    });
    this.#port = new PacketPort({
      netdev: INNER_NETDEV,
      onPacket: (packet) => this.#fromInternet(packet),
      onUp: () => this.#later(() => this.#dressPort()),
      onFault: (text) => options.log('warning', text),
    });
  }

  async start(): Promise<void> {
    const { runDir, store, log } = this.#options;
    this.#server = await serveLocalApi(join(runDir, 'api.sock'), { status: () => this.status() });
    const addresses = this.#resolverAddresses();
    await endLeftovers(
      (argv) =>
        argv.join(' ') === socatArgv(INNER_NETDEV).join(' ') ||
        argv.join(' ') === resolverArgv(INNER_NETDEV, addresses).join(' '),
    );
    this.#ipv6 = (await run(['ip', '-6', 'route', 'show', 'default'])).stdout.trim() !== '';
    this.#homes = await store.homes();
    await this.#forward();
    await this.#applyRules();
    await this.#port.open();
    this.#resolver = startResolver(INNER_NETDEV, addresses, log);
    await this.#startOpenVpn();
    this.#watcher = watch(store.dir, () => {
      if (this.#settle) clearTimeout(this.#settle);
      this.#settle = setTimeout(() => this.#later(() => this.#readHomes()), SETTLE_MS);
    });
    log(
      'notice',
      `endpoint at ${this.#identity.host}:${this.#identity.port}, ${this.#homes.length} homes`,
    );
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#watcher?.close();
    if (this.#settle) clearTimeout(this.#settle);
    await this.#serial.run(async () => {
      for (const session of this.#sessions.values()) session.link.close();
      this.#sessions.clear();
      this.#control?.close();
      this.#control = null;
      await this.#shaper.stop();
      await this.#openvpn.stop();
      await this.#resolver?.stop();
      await this.#port.close();
      await deleteTable(TABLE);
      for (const [path, value] of this.#restore) await writeSysctl(path, value);
      this.#sent.close();
    });
    const server = this.#server;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** What `iotshaper status` prints on an endpoint. */
  status(): Record<string, unknown> {
    const nowMs = performance.now();
    return {
      state: this.#up ? 'shaping' : 'starting',
      reason:
        this.#fault ||
        (this.#up
          ? `Serving ${this.#sessions.size} of ${this.#homes.length} homes.`
          : 'OpenVPN is starting.'),
      since: this.#since,
      version,
      role: 'endpoint',
      ipv6: this.#ipv6,
      homes: this.#homes.map(({ name, host }) => {
        const session = this.#sessions.get(host);
        const totals = session?.link.queues.totals;
        return {
          name,
          address: tunnelAddress(this.#identity, host),
          online: session !== undefined,
          download_kBps: session?.shape.rateKBps ?? 0,
          packet_size: session?.shape.packetBytes ?? 0,
          version: session?.version ?? '',
          queue_packets: totals?.depthPackets ?? 0,
          queue_ms: Math.round(session?.link.queues.oldestWaitMs(nowMs) ?? 0),
          dropped: totals ? totals.droppedLate + totals.droppedFull : 0,
          foreign: session?.foreign ?? 0,
        };
      }),
    };
  }

  #later(work: () => Promise<void>): void {
    void this.#serial
      .run(async () => {
        if (!this.#stopping) await work();
      })
      .catch((error: Error) => {
        this.#fault = error.message;
        this.#options.log('warning', error.message);
      });
  }

  #facts(): EndpointFacts {
    const { tunnelNet, innerNet, innerNet6 } = this.#identity;
    return {
      uid: process.getuid?.() ?? 0,
      tunnelNet,
      innerNet,
      innerNet6: this.#ipv6 ? innerNet6 : null,
      homes: this.#homes.map(
        ({ name, host }) => this.#sessions.get(host)?.slot() ?? { name, host, shape: null },
      ),
    };
  }

  #inner(host: number): InnerNetwork {
    const facts = this.#facts();
    return {
      prefix4: innerPrefix4(facts, host),
      prefix6: innerPrefix6(facts, host),
      resolver4: resolver4(facts),
      resolver6: resolver6(facts),
    };
  }

  #resolverAddresses(): string[] {
    return [resolver4(this.#identity), resolver6(this.#identity)!];
  }

  async #applyRules(): Promise<void> {
    const text = renderEndpointNft(this.#facts());
    if (text === this.#nftText) return;
    const alive = [...this.#sessions.values()].map(({ peer }) => peer);
    await loadNft(text + renderEndpointAlive(alive, ALIVE_SECONDS));
    this.#nftText = text;
  }

  async #forward(): Promise<void> {
    const set = async (path: string, value: string): Promise<void> => {
      const before = await writeSysctl(path, value);
      if (before !== null) this.#restore.set(path, before);
    };
    await set('net/ipv4/ip_forward', '1');
    if (!this.#ipv6) return;
    // Forwarding makes the kernel deaf to router advertisements unless accept_ra is 2 (ip-sysctl.rst).
    const { stdout } = await run(['ip', '-j', '-6', 'route', 'show', 'default']);
    for (const { dev } of JSON.parse(stdout) as { dev?: string }[]) {
      const path = `net/ipv6/conf/${dev}/accept_ra`;
      if ((await readSysctl(path)) === '1') await set(path, '2');
    }
    await set('net/ipv6/conf/all/forwarding', '1');
  }

  async #dressPort(): Promise<void> {
    await setLink(INNER_NETDEV, DEVICE_MTU, DEVICE_QUEUE_PACKETS);
    await writeSysctl(`net/ipv4/conf/${INNER_NETDEV}/rp_filter`, '0');
    await writeSysctl(`net/ipv6/conf/${INNER_NETDEV}/accept_ra`, '0');
    const [four, six] = this.#resolverAddresses();
    await run(['ip', 'addr', 'replace', `${four}/16`, 'dev', INNER_NETDEV]);
    if (this.#ipv6) await run(['ip', 'addr', 'replace', `${six}/48`, 'dev', INNER_NETDEV, 'nodad']);
  }

  async #startOpenVpn(): Promise<void> {
    const { store, runDir } = this.#options;
    await this.#openvpn.start(
      renderEndpointOpenVpn({
        port: this.#identity.port,
        certificatePath: store.certificatePath,
        keyPath: store.keyPath,
        // Without any home OpenVPN still wants a fingerprint; nobody has this one.
        fingerprints:
          this.#homes.length > 0 ? this.#homes.map(({ fingerprint }) => fingerprint) : [NOBODY],
        clientConfigDir: store.clientConfigDir,
        tunnelNet: this.#identity.tunnelNet,
        managementSocket: join(runDir, 'openvpn.sock'),
        queuePackets: 1024,
      }),
    );
  }

  /** Homes came or went: OpenVPN reads its fingerprints at the start only, so it is started over. */
  async #readHomes(): Promise<void> {
    const homes = await this.#options.store.homes();
    if (JSON.stringify(homes) === JSON.stringify(this.#homes)) return;
    this.#homes = homes;
    for (const [host, session] of this.#sessions) {
      if (!homes.some((home) => home.host === host && home.name === session.name))
        this.#closeSession(session);
    }
    await this.#applyStreams(false);
    await this.#startOpenVpn();
    this.#options.log(
      'notice',
      `now ${homes.length} homes: ${homes.map(({ name }) => name).join(', ')}`,
    );
  }

  async #onUp(): Promise<void> {
    const index = await netdevIndex(TUNNEL_NETDEV);
    if (index === null) throw new Error(`${TUNNEL_NETDEV} is not there though OpenVPN is up`);
    await writeSysctl(`net/ipv6/conf/${TUNNEL_NETDEV}/disable_ipv6`, '1');
    if (this.#queue?.index !== index) {
      for (const session of this.#sessions.values()) this.#closeSession(session);
      this.#classes.clear();
      this.#queue = null;
      await this.#openControl();
    }
    this.#up = true;
    this.#fault = '';
    await this.#applyStreams(this.#queue === null);
  }

  #openControl(): Promise<void> {
    this.#control?.close();
    return new Promise((resolve, reject) => {
      const socket = createSocket({
        type: 'udp4',
        reuseAddr: true,
        // Addresses only: there is nothing to look up.
        lookup: (host, _options, done) => done(null, host, 4),
      });
      socket.once('error', reject);
      socket.on('message', (datagram, { address }) => this.#onControl(datagram, address));
      socket.bind(CONTROL_PORT, tunnelAddress(this.#identity, 1), () => {
        socket.off('error', reject);
        socket.on('error', () => {}); // a home that is gone
        this.#control = socket;
        resolve();
      });
    });
  }

  #onControl(datagram: Uint8Array, address: string): void {
    const hello = decodeControl(datagram);
    const home = this.#homes.find(({ host }) => tunnelAddress(this.#identity, host) === address);
    if (hello?.kind !== 'hello' || !home) return;
    this.#later(() => this.#greet(home, hello, address));
  }

  async #greet(home: StoredHome, hello: Hello, peer: string): Promise<void> {
    let session = this.#sessions.get(home.host);
    if (session) {
      if (session.hear(hello)) await this.#applyStreams(false);
    } else {
      session = new HomeSession({
        ...home,
        local: tunnelAddress(this.#identity, 1),
        peer,
        inner: this.#inner(home.host),
        shape: hello.download,
        maxDelayMs: hello.maxDelayMs,
        // One netdev, one counter: with several homes departures can't be told apart.
        departures: () => (this.#sessions.size === 1 ? this.#sent.read() : null),
        onPacket: (packet) => this.#port.send(packet),
      });
      session.version = hello.version;
      this.#sessions.set(home.host, session);
      await session.link.start();
      this.#options.log('notice', `home ${home.name} is there`);
      await this.#applyStreams(false);
    }
    this.#answer(session, hello);
  }

  #answer(session: HomeSession, hello: Hello): void {
    const { totals } = session.link.queues;
    const datagram = encodeControl(
      {
        kind: 'welcome',
        sequence: hello.sequence,
        version,
        inner: session.inner,
        queuePackets: totals.depthPackets,
        queueMs: session.link.queues.oldestWaitMs(performance.now()),
        dropped: totals.droppedLate + totals.droppedFull,
      },
      session.shape.packetBytes,
    );
    this.#control?.send(datagram, CONTROL_PORT, session.peer, () => {}); // lost: the home asks again
  }

  #closeSession(session: HomeSession): void {
    session.link.close();
    this.#sessions.delete(session.host);
    this.#options.log('notice', `home ${session.name} is gone`);
  }

  /** Brings rules, classes and streams to the homes that are there. */
  async #applyStreams(fresh: boolean): Promise<void> {
    const index = await netdevIndex(TUNNEL_NETDEV);
    if (index === null) return;
    const sessions = [...this.#sessions.values()];
    const wanted = sessions.map(
      (session): SlotClass => ({
        minor: session.host,
        shape: session.shape,
        destination: session.peer,
      }),
    );
    const shapes = wanted.map(({ shape }) => shape);
    const limit = queueLimit(shapes);
    const anew = fresh || this.#queue?.index !== index || this.#queue.limit < limit;
    const mtu = Math.max(256, ...shapes.map(({ packetBytes }) => packetBytes));
    await setLink(
      TUNNEL_NETDEV,
      sessions.length === 0 ? TUNNEL_MTU : mtu,
      Math.max(limit, this.#queue?.limit ?? 0),
    );
    if (anew) {
      await rebuildQueue(wanted);
      this.#queue = { index, limit };
      this.#classes.clear();
    } else {
      const gone = [...this.#classes.values()].filter(({ minor }) => !this.#sessions.has(minor));
      const come = wanted.filter(({ minor }) => !this.#classes.has(minor));
      await changeQueue(come.flatMap(renderClassAdd));
      await changeQueue(gone.flatMap(renderClassRemove));
      for (const { minor } of gone) this.#classes.delete(minor);
    }
    for (const slot of wanted) this.#classes.set(slot.minor, slot);
    await this.#applyRules();
    this.#shaper.apply(
      sessions.map(({ host, shape, local, peer }) => ({ minor: host, shape, local, peer })),
      anew,
    );
  }

  #fromInternet(packet: Uint8Array): void {
    const destination = ipDestination(packet);
    for (const session of this.#sessions.values()) {
      if (owns(session.inner, destination)) {
        session.enqueue(packet);
        return;
      }
    }
  }

  /** Once a second: homes whose class stands as made may be sent to; the silent ones are let go. */
  async #look(report: ShaperReport): Promise<void> {
    if (!this.#up || this.#stopping) return;
    const nowMs = performance.now();
    // A home that came since tc was asked is looked at next time.
    const current = [...this.#classes.keys()].sort().join() === [...report.minors].sort().join();
    const minors = [STRAY_CLASS_MINOR, ...report.minors];
    const faults =
      report.listing && current
        ? findQueueFaults({ listing: report.listing, minors }, [STRAY_CLASS_MINOR])
        : [];
    this.#fault = faults[0] ?? '';
    for (const session of this.#sessions.values()) session.link.setOpen(faults.length === 0);
    if (faults.length > 0) {
      this.#options.log('warning', faults.join('; '));
      this.#later(() => this.#applyStreams(true));
      return;
    }
    const silent = [...this.#sessions.values()].filter((session) => session.isSilent(nowMs));
    if (silent.length > 0) {
      for (const session of silent) this.#closeSession(session);
      this.#later(() => this.#applyStreams(false));
    }
    const peers = [...this.#sessions.values()].map(({ peer }) => peer);
    await this.#serial.run(() => loadNft(renderEndpointAlive(peers, ALIVE_SECONDS)));
  }

  #onShaperFault(minor: number, text: string): void {
    this.#options.log(
      'warning',
      minor === 0 ? text : `home ${this.#sessions.get(minor)?.name ?? minor}: ${text}`,
    );
    for (const [host, session] of this.#sessions)
      if (minor === 0 || host === minor) session.link.setOpen(false);
  }
}

/** SHA-256 of no certificate. */
const NOBODY = Array(32).fill('00').join(':');
