// Runs a pure machine: hands it what happens, one event after another, and does what it asks.
import type { Now, Step } from '../../core/machine/step.ts';
import type { System } from '../system/system.ts';

export interface MachineOptions<State, Event, Act, Work> {
  system: Pick<System, 'clock'>;
  initial: State;
  step: (state: State, event: Event, now: Now) => Step<State, Act, Work>;
  /** Must neither fail nor wait. */
  act: (act: Act) => void;
  /** Resolves with the event that says how it went; the machine asks for no other work meanwhile. */
  work: (work: Work) => Promise<Event>;
}

/** The one place where a machine's state changes. */
export class MachineLoop<State, Event, Act, Work> {
  readonly #options: MachineOptions<State, Event, Act, Work>;
  readonly #events: Event[] = [];
  #state: State;
  #isStepping = false;
  #isWorking = false;
  readonly #waiting: (() => void)[] = [];

  constructor(options: MachineOptions<State, Event, Act, Work>) {
    this.#options = options;
    this.#state = options.initial;
  }

  get state(): State {
    return this.#state;
  }

  /** Takes an event, after those that came before. */
  dispatch(event: Event): void {
    this.#events.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      this.#step(next);
    }
    this.#isStepping = false;
    if (!this.#isWorking) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves once nothing is being done: what was asked for stands, or has failed. */
  settled(): Promise<void> {
    if (!this.#isWorking && !this.#isStepping) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #step(event: Event): void {
    const { system, step, act, work } = this.#options;
    const { clock } = system;
    const now = { monotonicMs: clock.monotonicMs(), unixS: Math.floor(clock.unixMs() / 1000) };
    const result = step(this.#state, event, now);
    this.#state = result.state;
    for (const one of result.acts) act(one);
    if (!result.work) return;
    this.#isWorking = true;
    void work(result.work).then((end) => {
      this.#isWorking = false;
      this.dispatch(end);
    });
  }
}
