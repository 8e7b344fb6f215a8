// The home role: its machine, what feeds it, and what others may ask of it.
import { join } from 'node:path';
import { mainDefaults } from '../../core/config/options/options.ts';
import { type ConfigVerdict, renderConfigStatus } from '../../core/home/answers.ts';
import type {
  AuditReport,
  AuditStart,
  ConfigStatus,
  HistorySample,
  Mending,
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
import { trialNotices } from '../../core/home/machine/trial.ts';
import { findMending } from '../../core/home/mending.ts';
import { sentencesOf, wordsOf } from '../../core/notices/words.ts';
import { formatRemote } from '../../core/openvpn/remote.ts';
import { FIXED_NETDEVS, HOUSE_TABLE, ROUTE_TABLE } from '../../core/plan/names.ts';
import { ConfigKeeper, type ConfigKeeperOptions, PROVED_FILE } from '../config/config-keeper.ts';
import { homeMethods } from '../machine/home-methods.ts';
import { LocalApi } from '../machine/local-api.ts';
import { MachineLoop } from '../machine/machine-loop.ts';
import { ReportWatch } from '../machine/report-watch.ts';
import { mend } from '../network/foreign-chains.ts';
import { IpMemory } from '../network/kernel/ip-memory.ts';
import { NetworkMonitor } from '../network/network-monitor.ts';
import { socketsOf } from '../openvpn/home-openvpn.ts';
import { judgeProfile } from '../openvpn/profile-file.ts';
import type { Cancel, System } from '../system/system.ts';
import { findAuditTarget } from './audit-target.ts';
import { HomeEffects } from './home-effects.ts';
import { HomeHistory } from './home-history.ts';
import { HomeProfiles } from './home-profiles.ts';
import { renderStatus } from './home-status.ts';
import { ScheduleClock } from './schedule-clock.ts';
import { FOLLOWED_FILE, INNER_FILE, Surroundings } from './surroundings.ts';
import { ToolRunner } from './tool-runner.ts';

/** Nobody tells when the bus answers again. */
const UNDERSTAND_EVERY_S = 10;

export interface HomeServiceOptions extends ConfigKeeperOptions {
  runDir: string;
  /** What lets devices go on, as tests replace it. */
  judge?: (evidence: HomeEvidence) => Verdict;
}

/** The running service of the home role. */
export class HomeService implements ServiceApi {
  readonly #options: HomeServiceOptions;
  readonly #system: System;
  readonly #loop: MachineLoop<HomeState, HomeEvent, Act, Work>;
  readonly #config: ConfigKeeper;
  readonly #effects: HomeEffects;
  readonly #history: HomeHistory;
  readonly #surroundings: Surroundings;
  readonly #monitor: NetworkMonitor;
  readonly #tools: ToolRunner;
  readonly #clock: ScheduleClock;
  readonly #profiles: HomeProfiles;
  readonly #listeners = new Set<(status: Status) => void>();
  readonly #commands: LocalApi;
  /** Whether {@link HomeService.stop} is to leave devices cut off, because somebody starts the service again. */
  staysShut = false;
  #cancelTimer: Cancel | null = null;
  readonly #reports: ReportWatch;
  #seconds = 0;

  constructor(outside: HomeServiceOptions) {
    const memory = new IpMemory(outside.system);
    const { system } = memory;
    const options = { ...outside, system };
    const { runDir, stateDir, log } = options;
    this.#options = options;
    this.#system = system;
    this.#config = new ConfigKeeper(options);
    this.#reports = new ReportWatch(system);
    const methods = homeMethods(this, {
      counters: () => this.#history.addresses.samples,
      configStatus: () => renderConfigStatus(this.#config.status),
    });
    this.#commands = new LocalApi(system, join(runDir, 'api.sock'), methods, log);
    this.#tools = new ToolRunner(system, runDir);
    this.#clock = new ScheduleClock({ system, runDir, log });
    this.#profiles = new HomeProfiles({
      ...{ system, log, configPath: options.configPath, provedPath: join(stateDir, PROVED_FILE) },
      state: () => this.#loop.state,
      reload: () => this.reload(),
    });
    this.#surroundings = new Surroundings({
      ...{ system, log },
      path: join(stateDir, FOLLOWED_FILE),
      innerPath: join(runDir, INNER_FILE),
    });
    this.#monitor = new NetworkMonitor({
      ...{ system, memory },
      onChange: (what) => {
        if (what === 'house') void this.#understandAnew();
        this.#loop.dispatch({ kind: 'surroundings', what });
      },
      ignoredNetdevs: () => [this.#config.good?.config.tunnel.interface ?? '', ...FIXED_NETDEVS],
      ignoredTables: [ROUTE_TABLE, HOUSE_TABLE],
    });
    this.#effects = new HomeEffects({
      ...{ system, runDir, stateDir, log },
      tell: (event) => this.#tell(event),
      lookAround: (...sight) => this.#surroundings.look(...sight),
      rateOf: (config) => this.#clock.rateOf(config),
    });
    this.#history = new HomeHistory(system, this.#effects);
    this.#loop = new MachineLoop({
      system,
      initial: initialState(
        { uid: system.processes.uid, ...socketsOf(runDir) },
        Math.floor(system.clock.unixMs() / 1000),
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
    await this.#commands.close();
  }

  /** Reads the configuration again and puts it in force, unless it is bad; resolves once that stands or has failed. */
  async reload(): Promise<void> {
    await this.#commands.open();
    await this.#config.read();
    this.#loop.dispatch({ kind: 'intent', intent: this.#intent() });
    await this.#loop.settled();
    // Reloads come with interfaces that went up.
    this.#effects.act({ do: 'retry-now' });
  }

  /** What is wrong with the configuration as it stands in UCI. */
  async check(): Promise<ConfigStatus> {
    return renderConfigStatus(this.#withFindings(await this.#config.check()));
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
    return this.#tools.recommend(this.#config.good?.config.main ?? mainDefaults);
  }

  validateProfile({ text }: { text: string }): ProfileCheck {
    return judgeProfile(text);
  }

  storeProfile({ text }: { text: string }): Promise<ProfileCheck> {
    return this.#profiles.store(text);
  }

  /** Runs the commands that the status names for it, then looks again. */
  async mend({ code }: { code: string }): Promise<Mending> {
    const answer = await mend(this.#system, findMending(this.status(), code));
    if (answer.ok) await this.reload();
    return answer;
  }

  onState(listener: (status: Status) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): Status {
    const nowMs = this.#system.clock.monotonicMs();
    const { config = null } = this.#config.good ?? {};
    const { profile } = desiredOf(this.#loop.state) ?? this.#config.good ?? { profile: null };
    const { tunnel } = this.#effects;
    return renderStatus({
      machine: this.#loop.state,
      configStatus: renderConfigStatus(
        this.#withFindings(this.#clock.annotate(this.#config.status, config)),
      ),
      config,
      remote: profile ? formatRemote(profile.remotes[0]!) : '',
      rate: desiredOf(this.#loop.state)?.rate ?? (config && this.#clock.rateOf(config)),
      queues: tunnel.link?.queues ?? null,
      answerSilentMs: tunnel.answerSilentMs(nowMs),
      rates: this.#history.rates,
      neighbours: this.#surroundings.known,
      names: this.#surroundings.names,
      traffic: this.#history.addresses.traffic(nowMs),
      nowMs,
    });
  }

  /** A network device that an interface's name stood for may be another one now. */
  async #understandAnew(): Promise<void> {
    if (!(await this.#config.understandAnew())) return;
    this.#loop.dispatch({ kind: 'intent', intent: this.#intent() });
  }

  #intent(): Intent {
    if (!this.#config.good) return { kind: 'none', why: this.#config.refusal };
    const { config, profile, waiting = null } = this.#config.good;
    if (!config.main.enabled || !profile) return { kind: 'off' };
    const desired = { config, profile, rate: this.#clock.rateOf(config) };
    return { kind: 'on', desired, waiting, lastProved: this.#config.proved };
  }

  #tell(event: HomeEvent): void {
    if (event.kind === 'second') this.#reports.hear();
    this.#loop.dispatch(event);
  }

  /** What shapes reports once a second; where it does not, somebody has to notice. */
  #everySecond(): void {
    const { state } = this.#loop;
    const { config } = desiredOf(state) ?? {};
    if (config) {
      const isConnected = state.tunnelState === 'up';
      this.#history.sample(config.main.packetBytes, state.near.innerPlaces, isConnected);
    }
    if (++this.#seconds % UNDERSTAND_EVERY_S === 0) void this.#understandAnew();
    if (!this.#reports.isMissing()) return;
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
      case 'adopt':
      case 'keep-proved':
        this.#profiles.prove(this.#config, act.do === 'adopt');
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
    const { state } = this.#loop;
    const { delivery } = state;
    const tried = trialNotices(state);
    const found = desiredOf(state) ? [...delivery.warnings, ...this.#surroundings.findings] : [];
    return { ...status, warnings: [...status.warnings, ...tried, ...found] };
  }
}
