// The endpoint role: its machine, what feeds it, and what others may ask of it.
import { join } from 'node:path';
import { type Examination, findEndpointFaults } from '../../core/endpoint/examination.ts';
import type { EndpointIdentity } from '../../core/endpoint/identity.ts';
import type { EndpointEvidence, EndpointVerdict } from '../../core/endpoint/judgement.ts';
import { isLeftBehind, REMOVALS } from '../../core/endpoint/machine/ending.ts';
import type { Act, EndpointEvent, Work } from '../../core/endpoint/machine/events.ts';
import { type EndpointState, initialState } from '../../core/endpoint/machine/state.ts';
import { step } from '../../core/endpoint/machine/step.ts';
import { notice } from '../../core/endpoint/notice.ts';
import type { Notice } from '../../core/notices/notice.ts';
import { noticeOfError } from '../../core/notices/notice-error.ts';
import { wordsOf } from '../../core/notices/words.ts';
import { FIXED_NETDEVS, HOUSE_TABLE } from '../../core/plan/names.ts';
import { INNER_NETDEV } from '../../core/plan/nft/nft-endpoint.ts';
import { measureLateness } from '../machine/lateness.ts';
import { serveLocalApi } from '../machine/local-api.ts';
import { MachineLoop } from '../machine/machine-loop.ts';
import { ReportWatch } from '../machine/report-watch.ts';
import { IpMemory } from '../network/kernel/ip-memory.ts';
import { NetworkMonitor } from '../network/network-monitor.ts';
import { managementSocketOf } from '../openvpn/openvpn.ts';
import type { Log } from '../system/log.ts';
import { type Cancel, type Listener, pause, type System } from '../system/system.ts';
import { EndpointEffects } from './endpoint-effects.ts';
import { renderEndpointStatus } from './endpoint-status.ts';
import { clientConfigDirOf } from './openvpn-files.ts';
import type { ServedState } from './registry.ts';
import { readServed } from './state/limit-file.ts';
import { UsageFile } from './state/usage-file.ts';

/** Changes to the store come as several events. */
const SETTLE_MS = 200;
/**
 * The machine is looked at so often while no home is there: a firewall may be switched on at any time. One that shuts off homes
 * that are there shows in what passes; then each fifth look is enough.
 */
const EXAMINE_EVERY_MS = 60_000;
const EXAMINE_SERVING_EACH = 5;
/** What could not be removed is tried again so soon. */
const REMOVE_EVERY_MS = 500;

export interface EndpointServiceOptions {
  system: System;
  store: ServedState;
  runDir: string;
  /** Whether it is one of several. */
  isOfFleet?: boolean;
  /** Where data a month is kept; in the store's folder without it. */
  usageDir?: string;
  log: Log;
  /** Looks at the machine; without it nothing is looked at. @param inject hands a packet to the netdev towards the Internet */
  examine?: (inject: (packet: Uint8Array) => void) => Promise<Examination>;
  /** What lets frames leave, as tests replace it. */
  judge?: (evidence: EndpointEvidence) => EndpointVerdict;
}

/** The running endpoint. */
export class EndpointService {
  readonly #options: EndpointServiceOptions;
  readonly #system: System;
  readonly #loop: MachineLoop<EndpointState, EndpointEvent, Act, Work>;
  readonly #effects: EndpointEffects;
  readonly #usage: UsageFile;
  readonly #monitor: NetworkMonitor;
  /** When it was made, Unix seconds. */
  readonly #since: number;
  #server: Listener | null = null;
  #examined: Promise<void> = Promise.resolve();
  #cancelTimer: Cancel = () => {};
  #cancelExamine: Cancel = () => {};
  #cancelWatch: Cancel = () => {};
  #cancelSettle: Cancel = () => {};
  readonly #reports: ReportWatch;
  /** Of the endpoint that is served. */
  #stamp: string | null = null;
  /** Tells why it can't go on. */
  #lose: (why: Notice) => void = () => {};
  /** Resolves once it can't go on: what it serves with is not this machine's any more. */
  readonly lost = new Promise<Notice>((resolve) => {
    this.#lose = resolve;
  });

  constructor(options: EndpointServiceOptions, identity: EndpointIdentity) {
    const { store, runDir, log } = options;
    const memory = new IpMemory(options.system);
    const { system } = memory;
    this.#options = { ...options, system };
    this.#system = system;
    this.#reports = new ReportWatch(system);
    this.#usage = new UsageFile(system, options.usageDir ?? store.dir, log);
    this.#since = Math.floor(system.clock.unixMs() / 1000);
    this.#loop = new MachineLoop({
      system,
      initial: initialState({
        identity,
        uid: system.processes.uid,
        certificatePath: store.certificatePath,
        authorityPath: store.authorityPath,
        keyPath: store.keyPath,
        clientConfigDir: clientConfigDirOf(runDir),
        managementSocket: managementSocketOf(runDir),
        isOfFleet: options.isOfFleet ?? false,
        lateMs: measureLateness(system),
      }),
      step: (state, event, now) => step(state, event, now, options.judge),
      act: (act) => this.#effects.act(act),
      work: (work) => this.#effects.work(work),
    });
    this.#effects = new EndpointEffects({
      ...{ system, store, usage: this.#usage, runDir, log },
      state: () => this.#loop.state,
      tell: (event) => this.#tell(event),
    });
    this.#monitor = new NetworkMonitor({
      ...{ system, memory },
      onChange: (what) => {
        this.#effects.clock.forgetWays();
        if (what === 'house') this.#loop.dispatch({ kind: 'surroundings' });
      },
      ignoredNetdevs: () => [INNER_NETDEV, ...FIXED_NETDEVS],
      ignoredTables: [HOUSE_TABLE],
    });
  }

  /**
   * Resolves once what can be made stands; what can't is tried again.
   *
   * @throws {Error} when the homes can't be read.
   */
  async start(): Promise<void> {
    const { system, runDir, store } = this.#options;
    this.#server = await serveLocalApi(system, join(runDir, 'api.sock'), {
      status: () => this.status(),
      doctor: async () => {
        await this.#examine();
        return this.status();
      },
    });
    this.#watch();
    this.#stamp = await store.stamp();
    const served = await readServed(system, store);
    const usage = await this.#usage.read();
    this.#cancelTimer = system.timers.every(1000, () => this.#everySecond());
    this.#monitor.start();
    this.#loop.dispatch({ kind: 'start', usage, ...served });
    await this.#loop.settled();
    let turns = 0;
    this.#cancelExamine = system.timers.every(EXAMINE_EVERY_MS, () => {
      const isServing = this.#loop.state.sessions.length > 0;
      if (++turns % EXAMINE_SERVING_EACH === 0 || !isServing) void this.#examine();
    });
    await this.#examine();
  }

  /** Ends everything and removes it; what can't be removed is tried again for a moment, and told. */
  async stop(): Promise<void> {
    this.#cancelTimer();
    this.#cancelExamine();
    this.#cancelWatch();
    this.#cancelSettle();
    this.#loop.dispatch({ kind: 'stop' });
    await this.#loop.settled();
    for (let tries = 1; tries < REMOVALS && isLeftBehind(this.#loop.state); tries++) {
      await pause(this.#system.timers, REMOVE_EVERY_MS);
      this.#loop.dispatch({ kind: 'stop' });
      await this.#loop.settled();
    }
    await this.#monitor.stop();
    await this.#server?.close();
    this.#server = null;
  }

  /** Before anything is read, so that no change is missed; and anew after each, since the folder may be another one then. */
  #watch(): void {
    const { system, store } = this.#options;
    const cancel = system.files.watch(store.dir, () => this.#settle());
    this.#cancelWatch();
    this.#cancelWatch = cancel;
  }

  #settle(): void {
    this.#cancelSettle();
    this.#cancelSettle = this.#system.timers.after(SETTLE_MS, () => void this.#onStoreChanged());
  }

  async #onStoreChanged(): Promise<void> {
    const { log, store } = this.#options;
    if (this.#loop.state.phase === 'new') {
      this.#settle();
      return;
    }
    try {
      if ((await store.stamp()) !== this.#stamp) {
        this.#lose(notice('endpoint-replaced', { folder: store.dir }));
        return;
      }
      this.#watch();
    } catch (error) {
      log('warning', wordsOf(noticeOfError(error)));
    }
    this.#loop.dispatch({ kind: 'store-changed' });
  }

  /** See {@link renderEndpointStatus}. */
  status(): Record<string, unknown> {
    return renderEndpointStatus({
      machine: this.#loop.state,
      links: this.#effects.links,
      since: this.#since,
      nowMs: this.#system.clock.monotonicMs(),
    });
  }

  /** One look after the other: what it makes for a moment has one name in this process. */
  #examine(): Promise<void> {
    this.#examined = this.#examined.then(() => this.#examineNow());
    return this.#examined;
  }

  /** What can't be looked at is no finding. */
  async #examineNow(): Promise<void> {
    const { examine, log } = this.#options;
    if (!examine) return;
    try {
      const faults = findEndpointFaults(await examine((packet) => this.#effects.inject(packet)));
      this.#loop.dispatch({ kind: 'examined', faults });
    } catch (error) {
      log('warning', wordsOf(noticeOfError(error)));
    }
  }

  #tell(event: EndpointEvent): void {
    if (event.kind === 'second') this.#reports.hear();
    this.#loop.dispatch(event);
  }

  /** What shapes reports once a second; where it does not, somebody has to notice. */
  #everySecond(): void {
    if (this.#reports.isMissing()) this.#loop.dispatch({ kind: 'second', report: null });
  }
}
