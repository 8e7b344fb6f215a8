// The endpoint role: its machine, what feeds it, and what others may ask of it.
import { join } from 'node:path';
import type { EndpointIdentity } from '../../core/endpoint/identity.ts';
import type { EndpointEvidence, EndpointVerdict } from '../../core/endpoint/judgement.ts';
import type { Act, EndpointEvent, Work } from '../../core/endpoint/machine/events.ts';
import { type EndpointState, initialState } from '../../core/endpoint/machine/state.ts';
import { step } from '../../core/endpoint/machine/step.ts';
import { serveLocalApi } from '../home/local-api.ts';
import { MachineLoop } from '../machine/machine-loop.ts';
import { managementSocketOf } from '../openvpn/openvpn.ts';
import type { Log } from '../system/log.ts';
import type { Cancel, Listener, System } from '../system/system.ts';
import { EndpointEffects } from './endpoint-effects.ts';
import { renderEndpointStatus } from './endpoint-status.ts';
import { clientConfigDirOf } from './openvpn-files.ts';
import type { EndpointStore } from './store.ts';

/** Changes to the store come as several events. */
const SETTLE_MS = 200;
/** A second without a report is told to the machine no sooner. */
const UNREPORTED_MS = 1500;

export interface EndpointServiceOptions {
  system: System;
  store: EndpointStore;
  runDir: string;
  log: Log;
  /** What lets frames leave, as tests replace it. */
  judge?: (evidence: EndpointEvidence) => EndpointVerdict;
}

/** The running endpoint. */
export class EndpointService {
  readonly #options: EndpointServiceOptions;
  readonly #system: System;
  readonly #loop: MachineLoop<EndpointState, EndpointEvent, Act, Work>;
  readonly #effects: EndpointEffects;
  /** When it was made, Unix seconds. */
  readonly #since: number;
  #server: Listener | null = null;
  #cancelTimer: Cancel = () => {};
  #cancelWatch: Cancel = () => {};
  #cancelSettle: Cancel = () => {};
  #reportedMs = Number.NEGATIVE_INFINITY;

  constructor(options: EndpointServiceOptions, identity: EndpointIdentity) {
    const { system, store, runDir, log } = options;
    this.#options = options;
    this.#system = system;
    this.#since = Math.floor(system.clock.unixMs() / 1000);
    this.#loop = new MachineLoop({
      system,
      initial: initialState({
        identity,
        uid: system.processes.uid,
        certificatePath: store.certificatePath,
        keyPath: store.keyPath,
        clientConfigDir: clientConfigDirOf(runDir),
        managementSocket: managementSocketOf(runDir),
      }),
      step: (state, event, now) => step(state, event, now, options.judge),
      act: (act) => this.#effects.act(act),
      work: (work) => this.#effects.work(work),
    });
    this.#effects = new EndpointEffects({
      ...{ system, store, runDir, log },
      state: () => this.#loop.state,
      tell: (event) => this.#tell(event),
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
    });
    const homes = await store.homes();
    this.#cancelWatch = system.files.watch(store.dir, () => {
      this.#cancelSettle();
      this.#cancelSettle = system.timers.after(SETTLE_MS, () =>
        this.#loop.dispatch({ kind: 'store-changed' }),
      );
    });
    this.#cancelTimer = system.timers.every(1000, () => this.#everySecond());
    this.#loop.dispatch({ kind: 'start', homes });
    await this.#loop.settled();
  }

  /** Ends everything and removes it. */
  async stop(): Promise<void> {
    this.#cancelTimer();
    this.#cancelWatch();
    this.#cancelSettle();
    this.#loop.dispatch({ kind: 'stop' });
    await this.#loop.settled();
    await this.#server?.close();
    this.#server = null;
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

  #tell(event: EndpointEvent): void {
    if (event.kind === 'second') this.#reportedMs = this.#system.clock.monotonicMs();
    this.#loop.dispatch(event);
  }

  /** What shapes reports once a second; where it does not, somebody has to notice. */
  #everySecond(): void {
    if (this.#system.clock.monotonicMs() - this.#reportedMs < UNREPORTED_MS) return;
    this.#loop.dispatch({ kind: 'second', report: null });
  }
}
