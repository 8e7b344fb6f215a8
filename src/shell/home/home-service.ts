// The home role: one place where boot, reload, schedule and faults meet: read configuration, plan, apply, report.
import type { Server } from 'node:net';
import { join } from 'node:path';
import { mainDefaults } from '../../core/config/options/options.ts';
import type { ActiveRate } from '../../core/config/schedule.ts';
import type { Config } from '../../core/config/types.ts';
import { TUNNEL_OVERHEAD_BYTES } from '../../core/cost/cost.ts';
import { AddressMeter } from '../../core/home/address-meter.ts';
import { bare, type ConfigVerdict, renderConfigStatus } from '../../core/home/answers.ts';
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
import { tunnelFault } from '../../core/home/judgement.ts';
import { obstacleReason, shapingReason, shapingRemarks } from '../../core/home/reasons.ts';
import { TrafficHistory } from '../../core/home/traffic-history.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { noticeOfError } from '../../core/notices/notice-error.ts';
import { sentencesOf, wordsOf } from '../../core/notices/words.ts';
import { formatRemote } from '../../core/openvpn/remote.ts';
import { ROUTE_TABLE, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { NetworkMonitor } from '../network/network-monitor.ts';
import type { ShaperReport } from '../shaper/messages.ts';
import { run } from '../system/command.ts';
import type { Log } from '../system/log.ts';
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
  #server: Server | null = null;
  #good: GoodConfig | null = null;
  #configStatus: ConfigVerdict = { ok: true, errors: [], warnings: [] };
  #rate: ActiveRate = { uploadKBps: 0, downloadKBps: 0, source: 'main.rate' };
  #state: State = 'starting';
  #reason = notice('service-starting');
  #remarks: readonly Notice[] = [];
  #obstacle: Notice | null = null;
  #since = Math.floor(Date.now() / 1000);
  #started = false;
  #everAlive = false;
  #looks = 0;
  #goodLooks = 0;
  #lastRepairMs = Number.NEGATIVE_INFINITY;
  #applyError: Notice | null = null;
  readonly #surroundings: Surroundings;
  readonly #monitor: NetworkMonitor;
  readonly #addresses = new AddressMeter();
  readonly #tools: ToolRunner;
  readonly #clock: ScheduleClock;

  constructor(options: HomeServiceOptions) {
    this.#options = options;
    this.#tools = new ToolRunner(options.runDir);
    this.#clock = new ScheduleClock({ runDir: options.runDir, log: options.log });
    this.#surroundings = new Surroundings({
      path: join(options.stateDir, FOLLOWED_FILE),
      log: options.log,
    });
    this.#monitor = new NetworkMonitor({
      onChange: (what) =>
        void this.#lookAround(what === 'house').catch((error) => this.#fault(noticeOfError(error))),
      ignoredNetdevs: () => [this.#good?.config.tunnel.interface ?? '', TUNNEL_NETDEV],
      ignoredTable: ROUTE_TABLE,
    });
    this.#datapath = new HomeDatapath({
      runDir: options.runDir,
      stateDir: options.stateDir,
      log: options.log,
      lookAround: async (config, house, resolvers) => {
        await this.#surroundings.look(config, house, resolvers);
        const { followed, sharedNetdevs } = this.#surroundings;
        return { followed, sharedNetdevs };
      },
      onReport: (report) =>
        void this.#look(report).catch((error) => this.#fault(noticeOfError(error))),
      onFault: (fault) => this.#fault(fault),
      onTunnelState: () => this.#onTunnelState(this.#datapath.tunnelState),
    });
  }

  /** Starts with the configuration as it stands, or with the last good one. */
  async start(): Promise<void> {
    this.#server = await serveLocalApi(join(this.#options.runDir, 'api.sock'), {
      status: () => this.status(),
      history: () => this.history(),
      counters: () => this.#addresses.samples,
      check: () => this.check(),
      reload: async () => {
        await this.reload();
        return renderConfigStatus(this.#configStatus);
      },
    });
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
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Reads the configuration again and puts it in force, unless it is bad. */
  async reload(): Promise<void> {
    const { configPath, stateDir, log } = this.#options;
    const reading = await readGoodConfig(configPath);
    this.#configStatus = reading.status;
    for (const warning of reading.status.warnings) log('warning', wordsOf(warning));
    for (const error of reading.status.errors) log('err', wordsOf(error));
    if (reading.good) {
      this.#good = reading.good;
      await keepGoodConfig(configPath, join(stateDir, 'last-good')).catch((error: Error) =>
        log('warning', wordsOf(notice('last-good-unkept', { error: error.message }))),
      );
    } else if (!this.#good) this.#good = (await readGoodConfig(join(stateDir, 'last-good'))).good;
    await this.#apply();
    // Reloads come with interfaces that went up.
    this.#datapath.hurry();
  }

  /** What is wrong with the configuration as it stands in UCI. */
  async check(): Promise<ConfigStatus> {
    const { status } = await readGoodConfig(this.#options.configPath);
    return renderConfigStatus(this.#withFindings(status));
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
    await storeProfile(await profilePath(this.#options.configPath), text);
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
      remarks: this.#remarks,
      fault: this.#obstacle,
      since: this.#since,
      configStatus: renderConfigStatus(
        this.#withFindings(this.#clock.annotate(this.#configStatus, this.#good?.config ?? null)),
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
      const [error] = this.#configStatus.errors;
      const why = error && bare(error);
      this.#setState(
        'error',
        why ? notice('configuration-refused', { why }) : notice('no-configuration'),
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
      this.#setState('off', notice('off'));
      return;
    }
    if (!this.#started) {
      this.#started = true;
      this.#everAlive = false;
      this.#setState('starting', notice('starting'));
    }
    try {
      await this.#datapath.apply({ config, rate: this.#rate, profile });
      this.#applyError = null;
    } catch (error) {
      this.#applyError = noticeOfError(error);
      this.#fault(this.#applyError);
    }
    await this.#keepBootTable(this.#datapath.shutTable());
    this.#monitor.start();
  }

  async #keepBootTable(text: string | null): Promise<void> {
    const { stateDir, log } = this.#options;
    await keepBootTable(join(stateDir, BOOT_TABLE_FILE), text).catch((error: Error) =>
      log('warning', wordsOf(notice('boot-rules-unkept', { error: error.message }))),
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
    const remarks = shapingRemarks(this.#rate, config.main.dns, this.#surroundings.remarks);
    this.#setState('shaping', shapingReason(this.#rate), null, remarks);
  }

  async #followSchedule(config: Config): Promise<void> {
    const now = this.#clock.rateOf(config);
    if (JSON.stringify(now) === JSON.stringify(this.#rate)) return;
    await this.#apply();
  }

  /** What an audit would look at, or why there is nothing. */
  async #auditTarget(): Promise<AuditTarget | Notice> {
    const good = this.#good;
    const { remoteAddress } = this.#datapath;
    if (!good?.profile || this.#state !== 'shaping' || remoteAddress === null) {
      return notice('audit-without-stream');
    }
    const { networks, devices, main } = good.config;
    const macs = devices.filter(({ policy }) => policy === 'shape').map(({ mac }) => mac);
    const near = this.#surroundings.neighbours.filter(({ lladdr }) =>
      macs.includes(lladdr?.toLowerCase() ?? ''),
    );
    const lan = [
      ...new Set([...networks.map(({ device }) => device), ...near.map(({ dev }) => dev)]),
    ];
    if (lan.length === 0) return notice('audit-without-devices');
    const { stdout } = await run(['ip', '-j', 'route', 'get', remoteAddress]);
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
  #withFindings(status: ConfigVerdict): ConfigVerdict {
    const found = this.#started ? this.#surroundings.findings : [];
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
    this.#options.log('notice', wordsOf(notice('tunnel-state', { state })));
    if (state === 'up' || !this.#started) return;
    this.#goodLooks = 0;
    void this.#datapath.setAlive(false);
    this.#setBlocked(tunnelFault(state));
  }

  #fault(fault: Notice): void {
    this.#options.log('warning', wordsOf(fault));
    if (!this.#started) return;
    this.#goodLooks = 0;
    void this.#datapath.setAlive(false);
    this.#setBlocked(fault);
  }

  #setBlocked(why: Notice): void {
    const exposure = {
      everShaped: this.#everAlive,
      killswitch: this.#good?.config.main.killswitch !== false,
      networkUnknown: this.#datapath.house.networkUnknown,
    };
    this.#setState(this.#everAlive ? 'blocked' : 'starting', obstacleReason(exposure, why), why);
  }

  #setState(
    state: State,
    reason: Notice,
    obstacle: Notice | null = null,
    remarks: readonly Notice[] = [],
  ): void {
    const text = sentencesOf([reason, ...remarks]);
    if (state === this.#state && text === sentencesOf([this.#reason, ...this.#remarks])) return;
    if (state !== this.#state) this.#since = Math.floor(Date.now() / 1000);
    this.#state = state;
    this.#reason = reason;
    this.#remarks = remarks;
    this.#obstacle = obstacle;
    this.#options.log(
      state === 'blocked' || state === 'error' ? 'warning' : 'notice',
      `${state}: ${text}`,
    );
    const status = this.status();
    for (const listener of this.#listeners) listener(status);
  }
}
