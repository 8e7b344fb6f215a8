// The home role: one place where boot, reload, schedule and faults meet: read configuration, plan, apply, report.
import { join } from 'node:path';
import { mainDefaults } from '../../core/config/options/options.ts';
import type { ActiveRate } from '../../core/config/schedule.ts';
import type { Config } from '../../core/config/types.ts';
import { TUNNEL_OVERHEAD_BYTES } from '../../core/cost/cost.ts';
import { AddressMeter } from '../../core/home/address-meter.ts';
import type {
  AuditReport,
  AuditStart,
  ConfigStatus,
  HistorySample,
  ProfileCheck,
  Recommendation,
  ServiceApi,
  State,
  Status,
} from '../../core/home/api.ts';
import { TrafficHistory } from '../../core/home/traffic-history.ts';
import { formatRemote } from '../../core/openvpn/remote.ts';
import { ROUTE_TABLE, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { NetworkMonitor } from '../network/network-monitor.ts';
import type { ShaperReport } from '../shaper/messages.ts';
import type { Log } from '../system/log.ts';
import type { Listener, System } from '../system/system.ts';
import { BOOT_TABLE_FILE, keepBootTable } from './boot-table.ts';
import { type GoodConfig, keepGoodConfig, profilePath, readGoodConfig } from './config-source.ts';
import { HomeDatapath, type TunnelState } from './home-datapath.ts';
import { renderStatus } from './home-status.ts';
import { HomeWatch } from './home-watch.ts';
import { serveLocalApi } from './local-api.ts';
import { judgeProfile, storeProfile } from './profile-file.ts';
import { ScheduleClock } from './schedule-clock.ts';
import { FOLLOWED_FILE, Surroundings } from './surroundings.ts';
import { type AuditTarget, ToolRunner } from './tool-runner.ts';

const NEIGHBOURS_EVERY = 10;
/** Two looks in good order before devices may go on. */
const LOOKS_BEFORE_ALIVE = 2;
/** Repairs that follow one another are spaced so. */
const REPAIR_EVERY_MS = 3000;

export interface HomeServiceOptions {
  system: System;
  configPath: string;
  runDir: string;
  /** Where the last good configuration is kept. */
  stateDir: string;
  log: Log;
}

/** The running service of the home role. */
export class HomeService implements ServiceApi {
  readonly #options: HomeServiceOptions;
  readonly #datapath: HomeDatapath;
  readonly #history = new TrafficHistory();
  readonly #watch = new HomeWatch();
  readonly #listeners = new Set<(status: Status) => void>();
  /** Whether {@link HomeService.stop} is to leave devices cut off, because somebody starts the service again. */
  staysShut = false;
  #server: Listener | null = null;
  #good: GoodConfig | null = null;
  #configStatus: ConfigStatus = { ok: true, errors: [], warnings: [] };
  #rate: ActiveRate = { uploadKBps: 0, downloadKBps: 0, source: 'main.rate' };
  #state: State = 'starting';
  #reason = 'Starting.';
  #obstacle = '';
  #since = Math.floor(Date.now() / 1000);
  #started = false;
  #everAlive = false;
  #looks = 0;
  #goodLooks = 0;
  #lastRepairMs = Number.NEGATIVE_INFINITY;
  #applyError: string | null = null;
  readonly #surroundings: Surroundings;
  readonly #monitor: NetworkMonitor;
  readonly #addresses = new AddressMeter();
  readonly #tools: ToolRunner;
  readonly #clock: ScheduleClock;

  constructor(options: HomeServiceOptions) {
    this.#options = options;
    this.#tools = new ToolRunner(options.system, options.runDir);
    this.#clock = new ScheduleClock({
      system: options.system,
      runDir: options.runDir,
      log: options.log,
    });
    this.#surroundings = new Surroundings({
      system: options.system,
      path: join(options.stateDir, FOLLOWED_FILE),
      log: options.log,
    });
    this.#monitor = new NetworkMonitor({
      system: options.system,
      onChange: (what) =>
        void this.#lookAround(what === 'house').catch((error: Error) => this.#fault(error.message)),
      ignoredNetdevs: () => [this.#good?.config.tunnel.interface ?? '', TUNNEL_NETDEV],
      ignoredTable: ROUTE_TABLE,
    });
    this.#datapath = new HomeDatapath({
      system: options.system,
      runDir: options.runDir,
      stateDir: options.stateDir,
      log: options.log,
      lookAround: async (config, house, resolvers) => {
        await this.#surroundings.look(config, house, resolvers);
        const { followed, sharedNetdevs } = this.#surroundings;
        return { followed, sharedNetdevs };
      },
      onReport: (report) =>
        void this.#look(report).catch((error: Error) => this.#fault(error.message)),
      onFault: (text) => this.#fault(text),
      onTunnelState: () => this.#onTunnelState(this.#datapath.tunnelState),
    });
  }

  /** Starts with the configuration as it stands, or with the last good one. */
  async start(): Promise<void> {
    this.#server = await serveLocalApi(
      this.#options.system,
      join(this.#options.runDir, 'api.sock'),
      {
        status: () => this.status(),
        history: () => this.history(),
        counters: () => this.#addresses.samples,
        check: () => this.check(),
        reload: async () => {
          await this.reload();
          return this.#configStatus;
        },
      },
    );
    await this.reload();
  }

  /** Ends everything and removes it, but for the rules that hold devices back where {@link HomeService.staysShut}. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#tools.stop();
    await this.#monitor.stop();
    await this.#surroundings.keep();
    await this.#datapath.stop(this.staysShut);
    const server = this.#server;
    this.#server = null;
    await server?.close();
  }

  /** Reads the configuration again and puts it in force, unless it is bad. */
  async reload(): Promise<void> {
    const { system, configPath, stateDir, log } = this.#options;
    const reading = await readGoodConfig(system, configPath);
    this.#configStatus = reading.status;
    for (const warning of reading.status.warnings) log('warning', warning);
    for (const { message } of reading.status.errors) log('err', message);
    if (reading.good) {
      this.#good = reading.good;
      await keepGoodConfig(system, configPath, join(stateDir, 'last-good')).catch((error: Error) =>
        log('warning', `the last good configuration can't be kept: ${error.message}`),
      );
    } else if (!this.#good)
      this.#good = (await readGoodConfig(system, join(stateDir, 'last-good'))).good;
    await this.#apply();
    // Reloads come with interfaces that went up.
    this.#datapath.hurry();
  }

  /** What is wrong with the configuration as it stands in UCI. */
  async check(): Promise<ConfigStatus> {
    return this.#withFindings(
      (await readGoodConfig(this.#options.system, this.#options.configPath)).status,
    );
  }

  history(): HistorySample[] {
    return this.#history.samples;
  }

  async audit({ seconds }: { seconds: number }): Promise<AuditStart> {
    return this.#tools.startAudit(await this.#auditTarget(), seconds);
  }

  auditResult(): AuditReport {
    return this.#tools.auditResult();
  }

  recommend(): Promise<Recommendation> {
    return this.#tools.recommend(this.#good?.config.main ?? mainDefaults);
  }

  validateProfile({ text }: { text: string }): ProfileCheck {
    return judgeProfile(text);
  }

  /** Puts a profile in the place the configuration names and in force, if nothing is wrong with it. */
  async storeProfile({ text }: { text: string }): Promise<ProfileCheck> {
    const verdict = judgeProfile(text);
    if (!verdict.ok) return verdict;
    const { system, configPath } = this.#options;
    await storeProfile(system, await profilePath(system, configPath), text);
    await this.reload();
    return verdict;
  }

  onState(listener: (status: Status) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): Status {
    return renderStatus({
      state: this.#state,
      reason: this.#reason,
      fault: this.#obstacle,
      since: this.#since,
      configStatus: this.#withFindings(
        this.#clock.annotate(this.#configStatus, this.#good?.config ?? null),
      ),
      config: this.#good?.config ?? null,
      remote: this.#good?.profile ? formatRemote(this.#good.profile.remotes[0]!) : '',
      rate: this.#rate,
      datapath: this.#datapath,
      rates: this.#history.rates,
      neighbours: this.#surroundings.neighbours,
      names: this.#surroundings.names,
      followed: this.#surroundings.followed,
      traffic: this.#addresses.traffic(performance.now()),
      nowMs: performance.now(),
    });
  }

  async #apply(): Promise<void> {
    const good = this.#good;
    if (!good) {
      this.#setState(
        'error',
        `Not shaping: ${this.#configStatus.errors[0]?.message ?? 'there is no configuration'}`,
      );
      return;
    }
    const { config, profile } = good;
    this.#rate = this.#clock.rateOf(config);
    if (!config.main.enabled || !profile) {
      this.#started = false;
      await this.#monitor.stop();
      await this.#datapath.stop();
      this.#history.clear();
      await this.#keepBootTable(null);
      this.#setState(
        'off',
        'Off: your devices use the Internet directly, and your provider sees what they do.',
      );
      return;
    }
    if (!this.#started) {
      this.#started = true;
      this.#everAlive = false;
      this.#setState('starting', 'Starting: your devices are cut off until the tunnel is shaped.');
    }
    try {
      await this.#datapath.apply({ config, rate: this.#rate, profile });
      this.#applyError = null;
    } catch (error) {
      this.#applyError = (error as Error).message;
      this.#fault(this.#applyError);
    }
    await this.#keepBootTable(this.#datapath.shutTable());
    this.#monitor.start();
  }

  async #keepBootTable(text: string | null): Promise<void> {
    const { system, stateDir, log } = this.#options;
    await keepBootTable(system, join(stateDir, BOOT_TABLE_FILE), text).catch((error: Error) =>
      log('warning', `the rules for the next boot can't be kept: ${error.message}`),
    );
  }

  /** Once a second, whenever the shaping thread has reported. */
  async #look(report: ShaperReport): Promise<void> {
    const good = this.#good;
    if (!good || !this.#started) return;
    const nowMs = performance.now();
    this.#looks++;
    await this.#followSchedule(good.config);
    const verdict = await this.#watch.judge(this.#datapath, good.config, this.#rate, report, nowMs);
    if (!this.#started) return;
    this.#sample(good.config, nowMs);
    // Before the sentence that says that all is well.
    if (this.#surroundings.isNews(this.#datapath.resolvers)) await this.#lookAround(false);
    if (verdict.faults.length === 0) {
      this.#goodLooks++;
      if (this.#goodLooks >= LOOKS_BEFORE_ALIVE) await this.#goOn(good.config);
    } else {
      this.#goodLooks = 0;
      await this.#datapath.setAlive(false);
      this.#setBlocked(verdict.faults[0]!);
    }
    if ((verdict.repair || this.#applyError) && nowMs - this.#lastRepairMs > REPAIR_EVERY_MS) {
      this.#lastRepairMs = nowMs;
      await this.#datapath.repair();
      this.#applyError = null;
    } else if (this.#watch.wantsReconnect(this.#datapath, nowMs)) this.#datapath.reconnect();
    if (this.#looks % NEIGHBOURS_EVERY === 1) await this.#lookAround();
  }

  async #goOn(config: Config): Promise<void> {
    if (!this.#datapath.alive) {
      await this.#datapath.setAlive(true);
      await this.#datapath.checkRules(true);
    }
    this.#everAlive = true;
    const { uploadKBps, downloadKBps, source } = this.#rate;
    const rates =
      uploadKBps === downloadKBps
        ? `${uploadKBps} KB/s`
        : `${uploadKBps} KB/s up and ${downloadKBps} KB/s down`;
    if (uploadKBps === 0) {
      this.#setState(
        'shaping',
        `Shaping rests (${source}): your devices use the tunnel, but your provider sees when.`,
      );
    } else {
      const dns = config.main.dns
        ? ''
        : ' Names your devices look up still show, because dns is off.';
      this.#setState(
        'shaping',
        `Your provider sees one steady stream of ${rates}. It can't tell when your devices are used.${dns}${this.#surroundings.words}`,
      );
    }
  }

  async #followSchedule(config: Config): Promise<void> {
    const now = this.#clock.rateOf(config);
    if (JSON.stringify(now) === JSON.stringify(this.#rate)) return;
    await this.#apply();
  }

  /** What an audit would look at, or why there is nothing. */
  async #auditTarget(): Promise<AuditTarget | string> {
    const good = this.#good;
    const { remoteAddress } = this.#datapath;
    if (!good?.profile || this.#state !== 'shaping' || remoteAddress === null) {
      return 'An audit looks at the running stream; the service is not shaping now.';
    }
    const { networks, devices, main } = good.config;
    const macs = devices.filter(({ policy }) => policy === 'shape').map(({ mac }) => mac);
    const near = this.#surroundings.neighbours.filter(({ lladdr }) =>
      macs.includes(lladdr?.toLowerCase() ?? ''),
    );
    const lan = [
      ...new Set([...networks.map(({ device }) => device), ...near.map(({ dev }) => dev)]),
    ];
    if (lan.length === 0) return 'None of the devices has been seen yet; wait until one is on.';
    const { stdout } = await this.#options.system.processes.run([
      'ip',
      '-j',
      'route',
      'get',
      remoteAddress,
    ]);
    const [route] = JSON.parse(stdout) as { dev: string }[];
    return {
      wan: route!.dev,
      lan,
      devices: networks.length > 0 ? [] : macs.filter((mac) => mac !== null),
      port: good.profile.remotes[0]!.port,
      packetBytes: main.packetBytes,
    };
  }

  async #lookAround(houseToo = true): Promise<void> {
    if (!this.#started) return;
    if (houseToo) await this.#datapath.refreshHouse();
    else await this.#datapath.refreshNear();
    if (this.#started) await this.#keepBootTable(this.#datapath.shutTable());
  }

  /** What is wrong with the configuration, and what was found of it while running. */
  #withFindings(status: ConfigStatus): ConfigStatus {
    const found = this.#started ? this.#surroundings.findings.map(({ text }) => text) : [];
    return { ...status, warnings: [...status.warnings, ...found] };
  }

  #sample(config: Config, nowMs: number): void {
    const { link, downloadBytes } = this.#datapath;
    this.#history.push(
      {
        uploadDeviceBytes: link?.queues.totals.bytesOut ?? 0,
        downloadDeviceBytes: [...downloadBytes.values()].reduce((sum, bytes) => sum + bytes, 0),
        uploadPackets: this.#datapath.sentCounter.read() ?? 0,
        downloadPackets: this.#datapath.receivedCounter.read() ?? 0,
      },
      link?.queues.oldestWaitMs(nowMs) ?? 0,
      config.main.packetBytes + TUNNEL_OVERHEAD_BYTES,
      nowMs,
      Math.floor(Date.now() / 1000),
    );
    this.#addresses.push(
      link?.queues.countersByKey() ?? new Map(),
      downloadBytes,
      nowMs,
      Math.floor(Date.now() / 1000),
    );
  }

  #onTunnelState(state: TunnelState): void {
    this.#options.log('notice', `tunnel: ${state}`);
    if (state === 'up' || !this.#started) return;
    this.#goodLooks = 0;
    void this.#datapath.setAlive(false);
    this.#setBlocked(
      state === 'connecting'
        ? 'the tunnel to the endpoint is being set up'
        : 'the tunnel to the endpoint is down',
    );
  }

  #fault(text: string): void {
    this.#options.log('warning', text);
    if (!this.#started) return;
    this.#goodLooks = 0;
    void this.#datapath.setAlive(false);
    this.#setBlocked(text);
  }

  #setBlocked(why: string): void {
    const open = this.#good?.config.main.killswitch === false;
    const cutOff = this.#datapath.house.networkUnknown
      ? 'devices that are chosen by nothing else use the Internet directly meanwhile'
      : 'your devices are cut off so that nothing leaks';
    const effect = open
      ? 'your devices use the Internet directly, because the kill switch is off'
      : cutOff;
    if (this.#everAlive) this.#setState('blocked', `Not protected: ${why}; ${effect}.`, why);
    else this.#setState('starting', `Starting: ${why}; ${effect}.`, why);
  }

  #setState(state: State, reason: string, obstacle = ''): void {
    if (state === this.#state && reason === this.#reason) return;
    if (state !== this.#state) this.#since = Math.floor(Date.now() / 1000);
    this.#state = state;
    this.#reason = reason;
    this.#obstacle = obstacle;
    this.#options.log(
      state === 'blocked' || state === 'error' ? 'warning' : 'notice',
      `${state}: ${reason}`,
    );
    const status = this.status();
    for (const listener of this.#listeners) listener(status);
  }
}
