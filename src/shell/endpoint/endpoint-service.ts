// The endpoint role: serves every home the store names, each with its own queue, class, frames and cover.

import { join } from 'node:path';
import { isSame } from '../../core/equality/equality.ts';
import { findQueueFaults } from '../../core/home/verification.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { noticeOfError } from '../../core/notices/notice-error.ts';
import { wordsOf } from '../../core/notices/words.ts';
import { CONTROL_PORT, STRAY_CLASS_MINOR } from '../../core/plan/names.ts';
import { tunnelAddress } from '../../core/plan/nft-endpoint.ts';
import { classId } from '../../core/plan/tc.ts';
import { serveLocalApi } from '../home/local-api.ts';
import { managementSocketOf, OpenVpn } from '../openvpn/openvpn.ts';
import type { ShaperReport } from '../shaper/messages.ts';
import type { Log } from '../system/log.ts';
import { Serial } from '../system/serial.ts';
import type { Cancel, Listener, System, UdpSocket } from '../system/system.ts';
import { EndpointDatapath } from './endpoint-datapath.ts';
import { renderEndpointStatus } from './endpoint-status.ts';
import { Greetings } from './greetings.ts';
import { HomeSessions } from './home-sessions.ts';
import { prepareOpenVpn, removeClientConfigs } from './openvpn-files.ts';
import type { EndpointIdentity, EndpointStore, StoredHome } from './store.ts';

/** Changes to the store come as several events. */
const SETTLE_MS = 200;
/** Repairs that follow one another are spaced so. */
const REPAIR_EVERY_MS = 5000;

export interface EndpointServiceOptions {
  system: System;
  store: EndpointStore;
  runDir: string;
  log: Log;
}

/** The running endpoint. */
export class EndpointService {
  readonly #options: EndpointServiceOptions;
  readonly #system: System;
  readonly #identity: EndpointIdentity;
  readonly #serial = new Serial();
  readonly #datapath: EndpointDatapath;
  readonly #openvpn: OpenVpn;
  readonly #greetings: Greetings;
  readonly #sessions: HomeSessions;
  #server: Listener | null = null;
  #cancelWatch: Cancel = () => {};
  #cancelSettle: Cancel = () => {};
  #control: UdpSocket | null = null;
  #homes: StoredHome[] = [];
  #up = false;
  #stopping = false;
  #fault: Notice | null = null;
  readonly #since: number;
  #lastRepairMs = Number.NEGATIVE_INFINITY;

  constructor(options: EndpointServiceOptions, identity: EndpointIdentity) {
    const { system } = options;
    this.#options = options;
    this.#system = system;
    this.#identity = identity;
    this.#since = Math.floor(system.clock.unixMs() / 1000);
    this.#sessions = new HomeSessions({
      system,
      log: options.log,
      local: tunnelAddress(identity, 1),
      onPacket: (packet) => this.#datapath.send(packet),
    });
    this.#datapath = new EndpointDatapath({
      system,
      identity,
      log: options.log,
      serial: this.#serial,
      onReport: (report) => this.#later(() => this.#tick(report)),
      onFault: (minor, fault) => this.#onFault(minor, fault),
      onPacket: (packet) => this.#sessions.enqueue(packet),
    });
    this.#openvpn = new OpenVpn({
      system,
      configPath: join(options.runDir, 'openvpn.conf'),
      managementSocket: managementSocketOf(options.runDir),
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
      system,
      log: options.log,
      send: (datagram, address) => this.#sendControl(datagram, address),
      greet: (home, address) => this.#later(() => this.#greet(home, address)),
    });
  }

  async start(): Promise<void> {
    const { runDir, store, log } = this.#options;
    this.#server = await serveLocalApi(this.#system, join(runDir, 'api.sock'), {
      status: () => this.status(),
    });
    this.#homes = await store.homes();
    await this.#datapath.start(this.#homes);
    await this.#startOpenVpn();
    const { files, timers } = this.#system;
    this.#cancelWatch = files.watch(store.dir, () => {
      this.#cancelSettle();
      this.#cancelSettle = timers.after(SETTLE_MS, () => this.#later(() => this.#readHomes()));
    });
    const { host, port } = this.#identity;
    const count = this.#homes.length;
    log('notice', wordsOf(notice('endpoint-at', { host, port: `${port}`, count })));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelWatch();
    this.#cancelSettle();
    await this.#serial.run(async () => {
      this.#sessions.close();
      this.#control?.close();
      this.#control = null;
      await this.#openvpn.stop();
      await removeClientConfigs(this.#system, this.#options.runDir);
      await this.#datapath.stop();
    });
    await this.#server?.close();
  }

  /** See {@link renderEndpointStatus}. */
  status(): Record<string, unknown> {
    const figures = {
      identity: this.#identity,
      isUp: this.#up,
      fault: this.#fault,
      since: this.#since,
      ipv6: this.#datapath.ipv6,
      homes: this.#homes,
      sessions: this.#sessions,
    };
    return renderEndpointStatus(figures, this.#system.clock.monotonicMs());
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
    return this.#datapath.apply(this.#homes, this.#sessions.all(), fresh);
  }

  async #startOpenVpn(): Promise<void> {
    await this.#openvpn.start(await prepareOpenVpn(this.#options, this.#identity, this.#homes));
  }

  /** Homes came or went: OpenVPN reads its fingerprints at the start only, so it is started over. */
  async #readHomes(): Promise<void> {
    const homes = await this.#options.store.homes();
    if (isSame(homes, this.#homes)) return;
    this.#homes = homes;
    for (const session of this.#sessions.all()) {
      const stays = homes.some(({ host, name }) => host === session.host && name === session.name);
      if (!stays) this.#sessions.disconnect(session);
    }
    await this.#apply(false);
    await this.#startOpenVpn();
    const names = homes.map(({ name }) => name).join(', ');
    const said = notice('homes-now', { count: homes.length, names });
    this.#options.log('notice', wordsOf(said));
  }

  async #onUp(): Promise<void> {
    const isNew = await this.#datapath.noteTunnel();
    if (isNew) {
      for (const session of this.#sessions.all()) this.#sessions.disconnect(session);
      await this.#openControl();
    }
    this.#up = true;
    this.#fault = null;
    await this.#apply(isNew);
  }

  async #openControl(): Promise<void> {
    this.#control?.close();
    this.#control = null;
    this.#control = await this.#system.sockets.openUdp({
      local: { address: tunnelAddress(this.#identity, 1), port: CONTROL_PORT },
      reuse: true,
      onMessage: (datagram, { address }) => this.#onControl(datagram, address),
    });
  }

  #onControl(datagram: Uint8Array, address: string): void {
    const home = this.#homes.find(({ host }) => tunnelAddress(this.#identity, host) === address);
    if (!home) return;
    const slotBytes = this.#sessions.get(home.host)?.shape.packetBytes ?? null;
    this.#greetings.receive(home, address, datagram, slotBytes, this.#system.clock.monotonicMs());
  }

  async #greet(home: StoredHome, peer: string): Promise<void> {
    const greeting = this.#greetings.take(home);
    const stays = this.#homes.some(
      ({ host, controlKey }) => host === home.host && controlKey === home.controlKey,
    );
    if (!greeting || !stays) return;
    const { hello, handshake } = greeting;
    const known = this.#sessions.get(home.host);
    const inner = this.#datapath.inner(home.host);
    const session = known ?? (await this.#sessions.connect(home, hello, peer, inner));
    if (!known || session.hear(hello)) await this.#apply(false);
    const report = session.report(this.#system.clock.monotonicMs());
    const { packetBytes } = session.shape;
    this.#sendControl(handshake.welcome(hello, session.inner, report, packetBytes), peer);
  }

  #sendControl(datagram: Uint8Array, address: string): void {
    this.#control?.sendTo(datagram, address, CONTROL_PORT); // lost: the home asks again
  }

  /** Once a second: homes whose class and stream stand as made may be sent to; the silent ones are let go. */
  async #tick(report: ShaperReport): Promise<void> {
    if (!this.#up) return;
    const nowMs = this.#system.clock.monotonicMs();
    const silent = this.#sessions.all().filter((session) => session.isSilent(nowMs));
    for (const session of silent) this.#sessions.disconnect(session);
    if (silent.length > 0) await this.#apply(false);
    // A home that came or went since tc was asked is judged next time.
    const asked = [...report.minors].sort().join();
    if (!report.listing || asked !== [...this.#datapath.minors].sort().join()) return;
    const minors = [STRAY_CLASS_MINOR, ...report.minors];
    const faults = findQueueFaults({ listing: report.listing, minors }, [STRAY_CLASS_MINOR]);
    let repair = faults.length > 0;
    for (const session of this.#sessions.all()) {
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
    await this.#datapath.extend(this.#sessions.all());
  }

  #onFault(minor: number, fault: Notice): void {
    const home = this.#sessions.get(minor);
    const said = home ? notice('home-fault', { name: home.name, fault }) : fault;
    this.#options.log('warning', wordsOf(said));
    for (const session of this.#sessions.all()) {
      if (minor === 0 || session.host === minor) session.setOpen(false);
    }
  }
}
