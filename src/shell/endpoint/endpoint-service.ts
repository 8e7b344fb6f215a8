// The endpoint role: serves every home the store names, each with its own queue, class, frames and cover.
import { createSocket, type Socket } from 'node:dgram';
import { type FSWatcher, watch } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import type { Hello } from '../../core/control/message.ts';
import { ipDestination } from '../../core/framing/ip-packet.ts';
import { renderReason } from '../../core/home/answers.ts';
import { findQueueFaults } from '../../core/home/verification.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { noticeOfError } from '../../core/notices/notice-error.ts';
import { wordsOf } from '../../core/notices/words.ts';
import { CONTROL_PORT, STRAY_CLASS_MINOR, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { tunnelAddress } from '../../core/plan/nft-endpoint.ts';
import { classId } from '../../core/plan/tc.ts';
import { version } from '../../version.ts';
import { serveLocalApi } from '../home/local-api.ts';
import { OpenVpn } from '../openvpn/openvpn.ts';
import type { ShaperReport } from '../shaper/messages.ts';
import type { Log } from '../system/log.ts';
import { Serial } from '../system/serial.ts';
import { NetdevCounter } from '../tunnel/counters.ts';
import type { Departures } from '../tunnel/frame-link.ts';
import { EndpointDatapath } from './endpoint-datapath.ts';
import { Greetings } from './greetings.ts';
import { HomeSession, owns } from './home-session.ts';
import { prepareOpenVpn, removeClientConfigs } from './openvpn-files.ts';
import type { EndpointIdentity, EndpointStore, StoredHome } from './store.ts';

/** Changes to the store come as several events. */
const SETTLE_MS = 200;
/** Repairs that follow one another are spaced so. */
const REPAIR_EVERY_MS = 5000;

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
  readonly #datapath: EndpointDatapath;
  readonly #openvpn: OpenVpn;
  readonly #greetings: Greetings;
  readonly #sent = new NetdevCounter(TUNNEL_NETDEV, 'tx_packets');
  readonly #sessions = new Map<number, HomeSession>();
  #server: Server | null = null;
  #watcher: FSWatcher | null = null;
  #settle: NodeJS.Timeout | null = null;
  #control: Socket | null = null;
  #homes: StoredHome[] = [];
  #up = false;
  #stopping = false;
  #fault: Notice | null = null;
  #since = Math.floor(Date.now() / 1000);
  #lastRepairMs = Number.NEGATIVE_INFINITY;

  constructor(options: EndpointServiceOptions, identity: EndpointIdentity) {
    this.#options = options;
    this.#identity = identity;
    this.#datapath = new EndpointDatapath({
      identity,
      log: options.log,
      serial: this.#serial,
      onReport: (report) => this.#later(() => this.#look(report)),
      onFault: (minor, fault) => this.#onFault(minor, fault),
      onPacket: (packet) => this.#fromInternet(packet),
    });
    this.#openvpn = new OpenVpn({
      configPath: join(options.runDir, 'openvpn.conf'),
      managementSocket: join(options.runDir, 'openvpn.sock'),
      onState: (name) => {
        if (name === 'CONNECTED') this.#later(() => this.#onUp());
      },
      onExit: (why) => {
        this.#up = false;
        options.log('warning', wordsOf(notice('openvpn-stopped', { why })));
      },
      onLine: (line) => options.log('info', `openvpn: ${line}`),
    });
    this.#greetings = new Greetings({
      log: options.log,
      send: (datagram, address) => this.#sendControl(datagram, address),
      greet: (home, address) => this.#later(() => this.#greet(home, address)),
    });
  }

  async start(): Promise<void> {
    const { runDir, store, log } = this.#options;
    this.#server = await serveLocalApi(join(runDir, 'api.sock'), { status: () => this.status() });
    this.#homes = await store.homes();
    await this.#datapath.start(this.#homes);
    await this.#startOpenVpn();
    this.#watcher = watch(store.dir, () => {
      if (this.#settle) clearTimeout(this.#settle);
      this.#settle = setTimeout(() => this.#later(() => this.#readHomes()), SETTLE_MS);
    });
    const { host, port } = this.#identity;
    const count = this.#homes.length;
    log('notice', wordsOf(notice('endpoint-at', { host, port: `${port}`, count })));
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
      await this.#openvpn.stop();
      await removeClientConfigs(this.#options.runDir);
      await this.#datapath.stop();
      this.#sent.close();
    });
    const server = this.#server;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** What `iotshaper status` prints on an endpoint. */
  status(): Record<string, unknown> {
    const nowMs = performance.now();
    const counts = { online: this.#sessions.size, count: this.#homes.length };
    const serving = this.#up ? notice('endpoint-serving', counts) : notice('endpoint-starting');
    return {
      state: this.#up ? 'shaping' : 'starting',
      ...renderReason(this.#fault ?? serving),
      since: this.#since,
      version,
      role: 'endpoint',
      ipv6: this.#datapath.ipv6,
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
      .catch((error) => {
        this.#fault = noticeOfError(error);
        this.#options.log('warning', wordsOf(this.#fault));
      });
  }

  /** Brings the datapath to the homes and sessions as they are. */
  #apply(fresh: boolean): Promise<void> {
    return this.#datapath.apply(this.#homes, [...this.#sessions.values()], fresh);
  }

  async #startOpenVpn(): Promise<void> {
    await this.#openvpn.start(await prepareOpenVpn(this.#options, this.#identity, this.#homes));
  }

  /** Homes came or went: OpenVPN reads its fingerprints at the start only, so it is started over. */
  async #readHomes(): Promise<void> {
    const homes = await this.#options.store.homes();
    if (JSON.stringify(homes) === JSON.stringify(this.#homes)) return;
    this.#homes = homes;
    for (const session of this.#sessions.values()) {
      const stays = homes.some(({ host, name }) => host === session.host && name === session.name);
      if (!stays) this.#closeSession(session);
    }
    await this.#apply(false);
    await this.#startOpenVpn();
    const names = homes.map(({ name }) => name).join(', ');
    const said = notice('homes-now', { count: homes.length, names });
    this.#options.log('notice', wordsOf(said));
  }

  async #onUp(): Promise<void> {
    const anew = await this.#datapath.noteTunnel();
    if (anew) {
      for (const session of this.#sessions.values()) this.#closeSession(session);
      await this.#openControl();
    }
    this.#up = true;
    this.#fault = null;
    await this.#apply(anew);
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
    const home = this.#homes.find(({ host }) => tunnelAddress(this.#identity, host) === address);
    if (!home) return;
    const slotBytes = this.#sessions.get(home.host)?.shape.packetBytes ?? null;
    this.#greetings.receive(home, address, datagram, slotBytes, performance.now());
  }

  async #greet(home: StoredHome, peer: string): Promise<void> {
    const greeting = this.#greetings.take(home);
    const stays = this.#homes.some(
      ({ host, controlKey }) => host === home.host && controlKey === home.controlKey,
    );
    if (!greeting || !stays) return;
    const { hello, handshake } = greeting;
    const known = this.#sessions.get(home.host);
    const session = known ?? (await this.#openSession(home, hello, peer));
    if (!known || session.hear(hello)) await this.#apply(false);
    const report = session.report(performance.now());
    const { packetBytes } = session.shape;
    this.#sendControl(handshake.welcome(hello, session.inner, report, packetBytes), peer);
  }

  async #openSession(home: StoredHome, hello: Hello, peer: string): Promise<HomeSession> {
    const session = new HomeSession({
      ...home,
      local: tunnelAddress(this.#identity, 1),
      peer,
      inner: this.#datapath.inner(home.host),
      shape: hello.download,
      maxDelayMs: hello.maxDelayMs,
      departures: () => this.#departures(),
      onPacket: (packet) => this.#datapath.send(packet),
    });
    session.version = hello.version;
    await session.link.start();
    this.#sessions.set(home.host, session);
    this.#options.log('notice', wordsOf(notice('home-there', { name: home.name })));
    return session;
  }

  /** One netdev, one counter: with several homes departures can't be told apart. */
  #departures(): Departures {
    const sent = this.#sent.read();
    if (sent === null) return 'gone';
    return this.#sessions.size === 1 ? sent : 'shared';
  }

  #sendControl(datagram: Uint8Array, address: string): void {
    this.#control?.send(datagram, CONTROL_PORT, address, () => {}); // lost: the home asks again
  }

  #closeSession(session: HomeSession): void {
    session.setOpen(false);
    session.link.close();
    this.#sessions.delete(session.host);
    this.#options.log('notice', wordsOf(notice('home-gone', { name: session.name })));
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

  /** Once a second: homes whose class and stream stand as made may be sent to; the silent ones are let go. */
  async #look(report: ShaperReport): Promise<void> {
    if (!this.#up) return;
    const nowMs = performance.now();
    const silent = [...this.#sessions.values()].filter((session) => session.isSilent(nowMs));
    for (const session of silent) this.#closeSession(session);
    if (silent.length > 0) await this.#apply(false);
    // A home that came or went since tc was asked is looked at next time.
    const asked = [...report.minors].sort().join();
    if (!report.listing || asked !== [...this.#datapath.minors].sort().join()) return;
    const minors = [STRAY_CLASS_MINOR, ...report.minors];
    const faults = findQueueFaults({ listing: report.listing, minors }, [STRAY_CLASS_MINOR]);
    let repair = faults.length > 0;
    for (const session of this.#sessions.values()) {
      const listed = report.listing.classes.find(({ id }) => id === classId(session.host));
      const own = faults.length > 0 ? [] : session.judge(listed?.packets ?? 0, nowMs);
      session.setOpen(faults.length === 0 && own.length === 0);
      if (own.length > 0 && session.isMeasured) {
        faults.push(...own);
        repair = true;
      }
    }
    const before = this.#fault && wordsOf(this.#fault);
    const texts = faults.map((fault) => wordsOf(fault));
    if (texts[0] && texts[0] !== before) this.#options.log('warning', texts.join('; '));
    this.#fault = faults[0] ?? null;
    if (repair && nowMs - this.#lastRepairMs > REPAIR_EVERY_MS) {
      this.#lastRepairMs = nowMs;
      await this.#apply(true);
    }
    await this.#datapath.extend([...this.#sessions.values()]);
  }

  #onFault(minor: number, fault: Notice): void {
    const home = this.#sessions.get(minor);
    const said = home ? notice('home-fault', { name: home.name, fault }) : fault;
    this.#options.log('warning', wordsOf(said));
    for (const [host, session] of this.#sessions) {
      if (minor === 0 || host === minor) session.setOpen(false);
    }
  }
}
