// The home role: its machine, what feeds it, and what others may ask of it.
import { join } from 'node:path';
import { mainDefaults } from '../../core/config/options/options.ts';
import { bare, type ConfigVerdict, renderConfigStatus } from '../../core/home/answers.ts';
import type {
  AuditReport,
  AuditStart,
  ConfigStatus,
  HistorySample,
  ProfileCheck,
  Recommendation,
  ServiceApi,
  Status,
} from '../../core/home/api.ts';
import type { HomeEvidence, Verdict } from '../../core/home/judgement.ts';
import type { Act, HomeEvent, Work } from '../../core/home/machine/events.ts';
import {
  desiredOf,
  type HomeState,
  type Intent,
  initialState,
} from '../../core/home/machine/state.ts';
import { step } from '../../core/home/machine/step.ts';
import { notice } from '../../core/notices/notice.ts';
import { sentencesOf, wordsOf } from '../../core/notices/words.ts';
import { formatRemote } from '../../core/openvpn/remote.ts';
import { ROUTE_TABLE, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { MachineLoop } from '../machine/machine-loop.ts';
import { NetworkMonitor } from '../network/network-monitor.ts';
import { managementSocketOf } from '../openvpn/openvpn.ts';
import type { Log } from '../system/log.ts';
import type { Cancel, Listener, System } from '../system/system.ts';
import { findAuditTarget } from './audit-target.ts';
import { type GoodConfig, keepGoodConfig, profilePath, readGoodConfig } from './config-source.ts';
import { HomeEffects } from './home-effects.ts';
import { HomeHistory } from './home-history.ts';
import { renderStatus } from './home-status.ts';
import { serveLocalApi } from './local-api.ts';
import { judgeProfile, storeProfile } from './profile-file.ts';
import { ScheduleClock } from './schedule-clock.ts';
import { FOLLOWED_FILE, Surroundings } from './surroundings.ts';
import { ToolRunner } from './tool-runner.ts';

/** A second without a report is told to the machine no sooner. */
const UNREPORTED_MS = 1500;

export interface HomeServiceOptions {
  system: System;
  configPath: string;
  runDir: string;
  /** Where the last good configuration is kept. */
  stateDir: string;
  log: Log;
  /** What lets devices go on, as tests replace it. */
  judge?: (evidence: HomeEvidence) => Verdict;
}

/** The running service of the home role. */
export class HomeService implements ServiceApi {
  readonly #options: HomeServiceOptions;
  readonly #system: System;
  readonly #loop: MachineLoop<HomeState, HomeEvent, Act, Work>;
  readonly #effects: HomeEffects;
  readonly #history: HomeHistory;
  readonly #surroundings: Surroundings;
  readonly #monitor: NetworkMonitor;
  readonly #tools: ToolRunner;
  readonly #clock: ScheduleClock;
  readonly #listeners = new Set<(status: Status) => void>();
  /** Whether {@link HomeService.stop} is to leave devices cut off, because somebody starts the service again. */
  staysShut = false;
  #server: Listener | null = null;
  #isServing = false;
  #cancelTimer: Cancel | null = null;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #good: GoodConfig | null = null;
  #configStatus: ConfigVerdict = { ok: true, errors: [], warnings: [] };

  constructor(options: HomeServiceOptions) {
    const { system, runDir, stateDir, log } = options;
    this.#options = options;
    this.#system = system;
    this.#tools = new ToolRunner(system, runDir);
    this.#clock = new ScheduleClock({ system, runDir, log });
    this.#surroundings = new Surroundings({ system, path: join(stateDir, FOLLOWED_FILE), log });
    this.#monitor = new NetworkMonitor({
      system,
      onChange: (what) => this.#loop.dispatch({ kind: 'surroundings', what }),
      ignoredNetdevs: () => [this.#good?.config.tunnel.interface ?? '', TUNNEL_NETDEV],
      ignoredTable: ROUTE_TABLE,
    });
    this.#effects = new HomeEffects({
      ...{ system, runDir, stateDir, log },
      tell: (event) => this.#tell(event),
      lookAround: (config, house, resolvers) => this.#surroundings.look(config, house, resolvers),
      rateOf: (config) => this.#clock.rateOf(config),
    });
    this.#history = new HomeHistory(system, this.#effects);
    this.#loop = new MachineLoop({
      system,
      initial: initialState(
        { uid: system.processes.uid, managementSocket: managementSocketOf(runDir) },
        this.#unixS(),
      ),
      step: (state, event, now) => step(state, event, now, options.judge),
      act: (act) => this.#act(act),
      work: (work) => this.#effects.work(work),
    });
  }

  /** Starts with the configuration as it stands, or with the last good one. */
  async start(): Promise<void> {
    this.#cancelTimer = this.#system.timers.every(1000, () => this.#everySecond());
    await this.reload();
  }

  /** Ends everything and removes it, but for the rules that hold devices back where {@link HomeService.staysShut}. */
  async stop(): Promise<void> {
    this.#cancelTimer?.();
    this.#tools.stop();
    await this.#surroundings.keep();
    this.#loop.dispatch({ kind: 'intent', intent: { kind: 'stop', staysShut: this.staysShut } });
    await this.#loop.settled();
    await this.#monitor.stop();
    await this.#server?.close();
    this.#server = null;
  }

  /** Reads the configuration again and puts it in force, unless it is bad; resolves once that stands or has failed. */
  async reload(): Promise<void> {
    const { system, configPath, stateDir, log } = this.#options;
    const keptPath = join(stateDir, 'last-good');
    await this.#serveCommands();
    const reading = await readGoodConfig(system, configPath);
    this.#configStatus = reading.status;
    for (const warning of reading.status.warnings) log('warning', wordsOf(warning));
    for (const error of reading.status.errors) log('err', wordsOf(error));
    if (reading.good) {
      this.#good = reading.good;
      await keepGoodConfig(system, configPath, keptPath).catch((error: Error) =>
        log('warning', wordsOf(notice('last-good-unkept', { error: error.message }))),
      );
    } else if (!this.#good) this.#good = (await readGoodConfig(system, keptPath)).good;
    this.#loop.dispatch({ kind: 'intent', intent: this.#intent() });
    await this.#loop.settled();
    // Reloads come with interfaces that went up.
    this.#effects.act({ do: 'retry-now' });
  }

  /** What is wrong with the configuration as it stands in UCI. */
  async check(): Promise<ConfigStatus> {
    const { status } = await readGoodConfig(this.#system, this.#options.configPath);
    return renderConfigStatus(this.#withFindings(status));
  }

  history(): HistorySample[] {
    return this.#history.samples;
  }

  async audit({ seconds }: { seconds: number }): Promise<AuditStart> {
    const { neighbours } = this.#surroundings;
    const target = await findAuditTarget(this.#system, this.#loop.state, neighbours);
    return this.#tools.startAudit(target, seconds);
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
    const path = await profilePath(this.#system, this.#options.configPath);
    await storeProfile(this.#system, path, text);
    await this.reload();
    return verdict;
  }

  onState(listener: (status: Status) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): Status {
    const nowMs = this.#system.clock.monotonicMs();
    const { config = null, profile = null } = this.#good ?? {};
    const { tunnel } = this.#effects;
    return renderStatus({
      machine: this.#loop.state,
      configStatus: renderConfigStatus(
        this.#withFindings(this.#clock.annotate(this.#configStatus, config)),
      ),
      config,
      remote: profile ? formatRemote(profile.remotes[0]!) : '',
      rate: desiredOf(this.#loop.state)?.rate ?? (config && this.#clock.rateOf(config)),
      queues: tunnel.link?.queues ?? null,
      answerSilentMs: tunnel.answerSilentMs(nowMs),
      rates: this.#history.rates,
      neighbours: this.#surroundings.neighbours,
      names: this.#surroundings.names,
      traffic: this.#history.addresses.traffic(nowMs),
      nowMs,
    });
  }

  /** Devices are guarded whether commands can ask about it or not. */
  async #serveCommands(): Promise<void> {
    const { system, runDir, log } = this.#options;
    if (this.#server || this.#isServing) return;
    this.#isServing = true;
    try {
      this.#server = await serveLocalApi(system, join(runDir, 'api.sock'), {
        status: () => this.status(),
        history: () => this.history(),
        counters: () => this.#history.addresses.samples,
        check: () => this.check(),
        reload: async () => {
          await this.reload();
          return renderConfigStatus(this.#configStatus);
        },
      });
    } catch (error) {
      log('warning', wordsOf(notice('commands-unheard', { error: (error as Error).message })));
    }
    this.#isServing = false;
  }

  #unixS(): number {
    return Math.floor(this.#system.clock.unixMs() / 1000);
  }

  #intent(): Intent {
    if (!this.#good) {
      const [error] = this.#configStatus.errors;
      return { kind: 'none', why: error ? bare(error) : null };
    }
    const { config, profile } = this.#good;
    if (!config.main.enabled || !profile) return { kind: 'off' };
    return { kind: 'on', desired: { config, profile, rate: this.#clock.rateOf(config) } };
  }

  #tell(event: HomeEvent): void {
    if (event.kind === 'second') this.#reportedMs = this.#system.clock.monotonicMs();
    if (event.kind === 'fault') this.#options.log('warning', wordsOf(event.fault));
    this.#loop.dispatch(event);
  }

  /** What shapes reports once a second; where it does not, somebody has to notice. */
  #everySecond(): void {
    const { config } = desiredOf(this.#loop.state) ?? {};
    if (config) this.#history.sample(config.main.packetBytes);
    if (this.#system.clock.monotonicMs() - this.#reportedMs < UNREPORTED_MS) return;
    this.#loop.dispatch({ kind: 'second', listing: null, takenMs: null });
  }

  #act(act: Act): void {
    switch (act.do) {
      case 'log':
        this.#options.log(act.level, wordsOf(act.notice));
        return;
      case 'publish':
        this.#publish();
        return;
      case 'watch':
        if (act.on) this.#monitor.start();
        else {
          this.#history.clear();
          void this.#monitor.stop();
        }
        return;
      default:
        this.#effects.act(act);
    }
  }

  #publish(): void {
    const { state, reason, remarks } = this.#loop.state.told;
    const level = state === 'blocked' || state === 'error' ? 'warning' : 'notice';
    this.#options.log(level, `${state}: ${sentencesOf([reason, ...remarks])}`);
    const status = this.status();
    for (const listener of this.#listeners) listener(status);
  }

  /** What is wrong with the configuration, and what was found of it while running. */
  #withFindings(status: ConfigVerdict): ConfigVerdict {
    const found = desiredOf(this.#loop.state) ? this.#surroundings.findings : [];
    return { ...status, warnings: [...status.warnings, ...found] };
  }
}
