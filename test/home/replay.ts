// Random lives of a home's machine: whatever comes in whatever order, devices send only while everything was seen to hold.

import { type HomeEvidence, judgeHome, type Verdict } from '../../src/core/home/judgement.ts';
import type { HomeEvent, Work } from '../../src/core/home/machine/events.ts';
import { desiredOf, type HomeState, initialState } from '../../src/core/home/machine/state.ts';
import { step } from '../../src/core/home/machine/step.ts';
import { notice } from '../../src/core/notices/notice.ts';
import { ALIVE_SECONDS } from '../../src/core/plan/names.ts';
import { drawIndex, type Random, seededRandom } from '../../src/core/random/random.ts';
import { brokenQueues, desired, type Faults, NO_FAULTS, World, welcome } from './world.ts';

export type Judge = (evidence: HomeEvidence) => Verdict;

export interface ReplayOptions {
  seed: number;
  steps: number;
  judge?: Judge;
  /** What can break, in place of {@link FAULTS}. */
  faults?: readonly Partial<Faults>[];
  /** Index of the work that fails, once; none without. */
  failing?: number;
}

export interface ReplayResult {
  /** What was broken by whom, one line each; empty when all held. */
  violations: string[];
  /** Works that were begun. */
  works: number;
  states: Set<string>;
}

/**
 * How long each fault may stand before devices are stopped, ms: two seconds' looks and what a window takes to show it. A
 * look may wait for one work that takes its time.
 */
const NOTICED_WITHIN_MS: Record<keyof Faults, number> = {
  queue: 6_000,
  rulesChanged: 5_000,
  tunnelDown: 3_000,
  sendShare: 16_000,
  receiveShare: 16_000,
  endpointSilent: 40_000,
  shaperDead: 9_000,
  astray: 5_000,
  foreignRule: 25_000,
  networkGone: 25_000,
};

/** Rules that others changed may let devices out by themselves: they are put back, whatever else stops devices. */
const PUT_BACK_WITHIN_MS = 12_000;

const FAULTS: readonly Partial<Faults>[] = [
  ...Object.keys(brokenQueues).map((queue) => ({ queue })),
  { rulesChanged: true },
  { tunnelDown: true },
  { sendShare: 0.1 },
  { sendShare: 2.5 },
  { receiveShare: 0 },
  { endpointSilent: true },
  { shaperDead: true },
  { astray: true },
  { foreignRule: true },
  { networkGone: true },
];

/** Lives one life; the same one for the same seed. */
export function replay(options: ReplayOptions): ReplayResult {
  return new Life(options).live();
}

class Life {
  readonly #random: Random;
  readonly #options: ReplayOptions;
  readonly #world = new World();
  readonly #judge: Judge;
  #state: HomeState;
  #work: Work | null = null;
  #works = 0;
  readonly #since = new Map<keyof Faults, number>();
  readonly #violations: string[] = [];
  readonly #states = new Set<string>();
  readonly #story: (() => string)[] = [];

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#judge = options.judge ?? judgeHome;
    this.#state = initialState(
      { uid: 0, managementSocket: '/run/openvpn.sock', trialSocket: '/run/trial.sock' },
      0,
    );
  }

  live(): ReplayResult {
    this.#hear({ kind: 'intent', intent: { kind: 'on', desired: desired() } });
    for (let at = 0; at < this.#options.steps && this.#violations.length === 0; at++) this.#turn();
    this.#recover();
    this.#end();
    return { violations: this.#violations, works: this.#works, states: this.#states };
  }

  #turn(): void {
    // Every other life is calm enough for each fault to take its course.
    const calm = this.#options.seed % 2 === 0 ? 0.2 : 1;
    const dice = this.#random();
    if (dice < 0.1 * calm) this.#breakSomething();
    else if (dice < 0.17 * calm) this.#mend();
    else if (dice < 0.36 * calm) this.#happen();
    else this.#second();
    this.#check();
  }

  /** A second goes by, in which most works come to their end. */
  #second(): void {
    this.#world.advance(400 + 600 * this.#random());
    this.#hear(this.#world.report());
    if (this.#world.isConnecting) this.#connect();
    if (this.#random() < 0.9) this.#finishWorks();
  }

  #breakSomething(): void {
    const { faults = FAULTS } = this.#options;
    const fault = faults[drawIndex(this.#random, faults.length)]!;
    this.#world.faults = { ...this.#world.faults, ...fault };
    this.#tell(() => `broken: ${JSON.stringify(fault)}`);
    if ('tunnelDown' in fault) {
      this.#world.closeTunnel();
      this.#hear({ kind: 'openvpn', name: 'RECONNECTING', local: '', remote: '' });
    }
    if ('networkGone' in fault || 'foreignRule' in fault)
      this.#hear({ kind: 'surroundings', what: 'house' });
  }

  #mend(): void {
    this.#world.faults = NO_FAULTS;
    this.#tell(() => 'mended');
    this.#connect();
    this.#hear({ kind: 'surroundings', what: 'house' });
  }

  #connect(): void {
    if (this.#world.faults.tunnelDown) return;
    this.#world.isConnecting = false;
    this.#hear({ kind: 'openvpn', name: 'CONNECTED', local: '10.213.0.2', remote: '192.0.2.1' });
  }

  #happen(): void {
    const local = this.#random() < 0.5 ? '10.213.0.2' : '10.213.0.9';
    const rates = [5, 40, 40, 400];
    const on = desired(rates[drawIndex(this.#random, rates.length)]);
    const events: HomeEvent[] = [
      { kind: 'intent', intent: { kind: 'on', desired: on } },
      { kind: 'intent', intent: { kind: 'on', desired: on } },
      { kind: 'intent', intent: { kind: 'off' } },
      { kind: 'intent', intent: { kind: 'none', why: null } },
      { kind: 'openvpn', name: 'CONNECTED', local, remote: '' },
      { kind: 'openvpn', name: 'WAIT', local: '', remote: '' },
      { kind: 'openvpn-exited', why: notice('process-signalled', { signal: 'SIGKILL' }) },
      { kind: 'welcome', welcome },
      {
        kind: 'welcome',
        welcome: { ...welcome, inner: { ...welcome.inner, prefix4: '10.214.9.0/24' } },
      },
      { kind: 'rules-lost' },
      { kind: 'clock-touched' },
      { kind: 'port-up' },
      { kind: 'surroundings', what: 'neighbours' },
      { kind: 'surroundings', what: 'house' },
      { kind: 'fault', fault: notice('socat-stopped', { netdev: 'iot0', why: 'exit status 1' }) },
    ];
    const event = events[drawIndex(this.#random, events.length)]!;
    if (event.kind === 'intent' && event.intent.kind === 'on') this.#world.rate = on.rate;
    if (event.kind === 'openvpn' && this.#world.faults.tunnelDown) return;
    this.#hear(event);
    if (event.kind === 'openvpn-exited') this.#connect();
    if (this.#random() < 0.5) this.#finishWorks();
  }

  #finishWorks(): void {
    for (let count = 0; this.#work && count < 200; count++) {
      const work = this.#work;
      this.#work = null;
      const index = this.#works - 1;
      const isFailing = index === this.#options.failing;
      if (isFailing) this.#tell(() => `failing: ${work.part}`);
      this.#hear(
        isFailing
          ? {
              kind: 'failed',
              part: work.part,
              fault: notice('openvpn-stopped', { why: 'planted' }),
            }
          : this.#world.do(work),
      );
      this.#check();
    }
  }

  #hear(event: HomeEvent): void {
    const { nowMs } = this.#world;
    const now = { monotonicMs: nowMs, unixS: Math.floor(nowMs / 1000) };
    const { permitted: wasPermitted, everPermitted } = this.#state;
    const { state, acts, work } = step(this.#state, event, now, this.#judge);
    this.#state = state;
    this.#states.add(state.told.state);
    if (state.permitted && !wasPermitted) this.#checkPermit(everPermitted ? 1900 : 850);
    for (const act of acts) {
      if (act.do === 'gate') this.#world.gateIsOpen = act.open;
      if (act.do === 'close-tunnel') this.#world.closeTunnel();
    }
    if (work) {
      if (this.#work) this.#violate('a second work was begun beside the first');
      this.#work = work;
      this.#works++;
    }
    this.#tell(() => `${event.kind} → ${state.told.state}${work ? `, ${work.part}` : ''}`);
  }

  #tell(line: () => string): void {
    const { nowMs } = this.#world;
    this.#story.push(() => `${nowMs}: ${line()}`);
  }

  #violate(what: string): void {
    this.#violations.push(
      `seed ${this.#options.seed}: ${what}\n${this.#story
        .slice(-40)
        .map((line) => line())
        .join('\n')}`,
    );
  }

  /** What must hold at any time. */
  #check(): void {
    const world = this.#world;
    const { nowMs, faults } = world;
    if (world.gateIsOpen && !this.#state.permitted) this.#violate('the gate is open without leave');
    const isOn = desiredOf(this.#state) !== null;
    if (!isOn && this.#state.permitted) this.#violate('devices may send though nothing is shaped');
    for (const name of Object.keys(faults) as (keyof Faults)[]) {
      const isWrong = faults[name] !== NO_FAULTS[name];
      if (!isWrong || !isOn) this.#since.delete(name);
      else if (!this.#since.has(name)) this.#since.set(name, nowMs);
      const forMs = nowMs - (this.#since.get(name) ?? nowMs);
      const withinMs = NOTICED_WITHIN_MS[name];
      if (forMs > withinMs && this.#state.permitted)
        this.#violate(`${name} unnoticed for ${forMs} ms`);
      if (forMs > withinMs + ALIVE_SECONDS * 1000 && world.devicesMaySend)
        this.#violate(`the firewall lets devices out, ${name} for ${forMs} ms`);
      if (name === 'rulesChanged' && forMs > PUT_BACK_WITHIN_MS)
        this.#violate(`rules of others stand for ${forMs} ms`);
    }
  }

  /** Devices that were stopped go on only after everything was measured; for less long before they ever went. */
  #checkPermit(leastMs: number): void {
    const { streamsForMs, isListed, isHeard } = this.#world;
    if (streamsForMs < leastMs)
      this.#violate(`devices may send ${streamsForMs} ms after the streams began`);
    if (!isListed) this.#violate('devices may send though nobody looked at the queue');
    if (!isHeard) this.#violate('devices may send though the endpoint has not answered');
  }

  /** Once nothing is wrong any more it shapes again, without a person. */
  #recover(): void {
    if (this.#violations.length > 0) return;
    this.#hear({ kind: 'intent', intent: { kind: 'on', desired: desired() } });
    this.#world.rate = desired().rate;
    this.#mend();
    const isWell = () => this.#state.told.state === 'shaping' && this.#world.gateIsOpen;
    for (let second = 0; second < 60 && this.#violations.length === 0 && !isWell(); second++) {
      this.#world.advance(1000);
      this.#hear(this.#world.report());
      if (this.#world.isConnecting) this.#connect();
      this.#finishWorks();
      this.#check();
    }
    if (!isWell()) this.#violate(`it did not recover: ${JSON.stringify(this.#state.told)}`);
  }

  /** It ends, and nothing is done after that. */
  #end(): void {
    const staysShut = this.#random() < 0.5;
    this.#hear({ kind: 'intent', intent: { kind: 'stop', staysShut } });
    this.#finishWorks();
    if (this.#world.hasTable !== staysShut) this.#violate(`${staysShut} was asked to stay shut`);
    for (const event of [this.#world.report(), { kind: 'rules-lost' }] as const) {
      this.#hear(event);
      if (this.#work) this.#violate(`after the end: ${(this.#work as Work).part}`);
    }
  }
}
