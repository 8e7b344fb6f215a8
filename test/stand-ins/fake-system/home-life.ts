// A home service's life on the stand-in machine: whatever the world does to it by chance, and what has to hold all the time.
import type { HomeEvidence, Verdict } from '../../../src/core/home/judgement.ts';
import type { Random } from '../../../src/core/random/random.ts';
import { drawIndex, seededRandom } from '../../../src/core/random/random.ts';
import { HomeService } from '../../../src/shell/home/home-service.ts';
import { readProfileText } from '../../../src/shell/openvpn/profile-file.ts';
import type { Failing } from './door.ts';
import type { FactName } from './facts.ts';
import {
  calmConfig,
  createHomeMachine,
  defaultConfig,
  homePaths,
  readInterfaces,
} from './home-machine.ts';
import type { FakeMachine } from './machine.ts';
import { troubles } from './troubles.ts';

/** So long what no longer holds may go unseen: looked at once a second, and what lets devices send lasts for three more. */
export const allowanceMs: Readonly<Record<FactName, number>> = {
  networkPresent: 6000,
  tunnelUp: 8000,
  queueIntact: 6000,
  clockIntact: 6000,
  rulesIntact: 6000,
  routesIntact: 15_000,
  coverRunning: 8000,
  // It may say nothing for half a minute.
  endpointAnswers: 36_000,
  downloadRunning: 8000,
};
/** Rules that others removed are put back at once, or, where that fails, by the next repair. */
const EXPOSED_MS = 8000;
/** Once nothing is wrong any more it shapes again within so long. */
const RECOVERED_MS = 10_000;
/** Devices that were sent elsewhere wait until nothing was for so long. */
const ASTRAY_MS = 10_000;
/** A new profile under which nobody answers gives way after so long. */
const ANSWER_MS = 45_000;
/** A command that hangs is ended after so long. */
const HANGS_MS = 30_000;
/** It goes on for so long after it shaped where one effect fails. */
const MORE_MS = 2000;
/** From one look at the machine to the next while that is awaited. */
const STEP_MS = 250;

export interface LifeOptions {
  seed: number;
  /** Things that happen; with none it starts, shapes for a while and stops. */
  steps: number;
  /** Names of what can happen; all without. */
  only?: readonly string[];
  /** The effect of this number fails once, this way. */
  failing?: { number: number; how: Failing };
  /** Effects fail by chance, this share of the steps. */
  failingShare?: number;
  /** Those that fail may hang as well, which nothing can be done beside. */
  hangs?: boolean;
  /** Effects take up to so long. */
  latencyMs?: number;
  /** In place of the service's own. */
  judge?: (evidence: HomeEvidence) => Verdict;
}

export interface Life {
  /** What should not have happened; with what came before. */
  violations: string[];
  /** States that the service told. */
  states: Set<string>;
  /** How long it took to shape once nothing was wrong. */
  recoveredMs: number;
  machine: FakeMachine;
  /** Text of everything that happened and was logged, one a line. */
  story: string[];
}

/** Configurations that come and go. */
const configs: Readonly<Record<string, string>> = {
  on: calmConfig,
  slower: calmConfig.replace("rate '8'", "rate '4'"),
  off: defaultConfig.replace("enabled '1'", "enabled '0'"),
  broken: defaultConfig.replace("enabled '1'", "enabled 'maybe'"),
};

/** Profiles that people upload, or write over the one there, made of the one that works. */
const profiles: Readonly<Record<string, (works: string) => string>> = {
  works: (text) => text,
  elsewhere: (text) => text.replace(/^remote \S+/m, 'remote elsewhere.example'),
  refused: (text) => text.replace(/^remote \S+/m, 'remote refused.example'),
  'with the control key of another home': (text) =>
    text.replace(/control-key \S+/, `control-key ${'A'.repeat(43)}=`),
  broken: (text) => text.slice(0, text.length / 2),
};
const PROFILE = '/etc/iotshaper/home.ovpn';

/** Lives one life to its end; the same one for the same options. */
export function liveHome(options: LifeOptions): Promise<Life> {
  return new LivedHome(options).live();
}

class LivedHome {
  readonly #options: LifeOptions;
  readonly #random: Random;
  readonly #machine: FakeMachine;
  readonly #service: HomeService;
  readonly #life: Life;
  /** Text of the profile that works. */
  readonly #works: string;
  /** What is under way and has an end. */
  readonly #begun = new Set<string>();
  /** Since when it has been asked to guard devices; null while it is not. */
  #onSinceMs: number | null;

  constructor(options: LifeOptions) {
    const { seed, failing, latencyMs = 0, judge } = options;
    this.#options = options;
    this.#random = seededRandom(seed, 1);
    const machine = createHomeMachine({ seed, config: calmConfig });
    this.#machine = machine;
    this.#life = { violations: [], states: new Set(), recoveredMs: 0, machine, story: [] };
    this.#works = machine.files.text(PROFILE)!;
    this.#onSinceMs = machine.time.nowMs;
    machine.world.refuses = (config) => config.includes('refused.example');
    if (failing) machine.failAt(failing.number, failing.how);
    if (latencyMs > 0) machine.door.latencyMs = () => Math.floor(this.#random() * latencyMs);
    this.#service = new HomeService({
      ...{ system: machine.system, ...homePaths, readInterfaces, ...(judge ? { judge } : {}) },
      log: (level, text) => this.#say(`${level}: ${text}`),
    });
    this.#service.onState(({ state }) => this.#life.states.add(state));
  }

  async live(): Promise<Life> {
    const { steps, failing } = this.#options;
    const [machine, life, service] = [this.#machine, this.#life, this.#service];
    const before = machine.printKernel();
    await this.#finish('start', service.start());
    const watch = () => this.#watch();
    machine.time.watchers.push(watch);
    for (let at = 0; at < steps && life.violations.length === 0; at++) await this.#turn();
    for (const name of this.#begun) troubles[name]!.end?.(machine.plants);
    if (!failing) machine.door.forgive();
    this.#say('everything is well again');
    machine.files.plant(PROFILE, this.#works, 0o600);
    if (steps > 0) await this.#reconfigure('on');
    await this.#recover();
    if (failing) {
      // What is done from time to time may fail as well.
      await machine.advance(MORE_MS);
      await this.#recover();
    }
    machine.time.watchers.splice(machine.time.watchers.indexOf(watch), 1);
    await this.#finish('stop', service.stop());
    machine.plants.removeNewHouses();
    if (machine.printKernel() !== before) this.#meet(`left behind:\n${machine.printKernel()}`);
    return life;
  }

  #say(text: string): void {
    this.#life.story.push(`${((this.#machine.time.nowMs - 300_000) / 1000).toFixed(3)} ${text}`);
  }

  /** Keeps the first thing that should not have happened: the others follow from it. */
  #meet(what: string): void {
    if (this.#life.violations.length > 0) return;
    this.#say(`VIOLATION ${what}`);
    const { seed } = this.#options;
    this.#life.violations.push(`seed ${seed}: ${what}\n${this.#life.story.slice(-40).join('\n')}`);
  }

  async #finish(what: string, work: Promise<unknown>): Promise<void> {
    await this.#machine.finish(work).catch((error: Error) => {
      // What fails because it was made to is told to whoever asked.
      if (!/planted fault/.test(error.message)) this.#meet(`${what}: ${error.message}`);
    });
  }

  #watch(): void {
    if (this.#life.violations.length > 0) return;
    const { nowMs } = this.#machine.time;
    const onForMs = this.#onSinceMs === null ? null : nowMs - this.#onSinceMs;
    for (const text of findViolations(this.#machine, onForMs, this.#slackMs)) this.#meet(text);
  }

  /** Nothing is mended while a command hangs, or many take long; devices are held back all the same. */
  get #slackMs(): number {
    const { hangs = false, failing, latencyMs = 0 } = this.#options;
    return latencyMs * 100 + (failing?.how === 'hangs' ? HANGS_MS : hangs ? 3 * HANGS_MS : 0);
  }

  async #reconfigure(name: string): Promise<void> {
    const { files, time } = this.#machine;
    files.plant(homePaths.configPath, configs[name]!);
    if (name === 'off') this.#onSinceMs = null;
    // With a profile that can't be read what was in force stays, and that was off.
    else if (name !== 'broken' && readProfileText(files.text(PROFILE)!))
      this.#onSinceMs ??= time.nowMs;
    // Whoever asks for it does not wait, and does not see it fail.
    this.#service.reload().catch(() => {});
    await time.settle();
  }

  /** Somebody uploads a profile, or writes it in the place of the one there. */
  async #changeProfile(): Promise<string> {
    const names = Object.keys(profiles);
    const name = names[drawIndex(this.#random, names.length)]!;
    const text = profiles[name]!(this.#works);
    const { files, time } = this.#machine;
    const isUploaded = this.#random() < 0.5;
    if (!isUploaded) files.plant(PROFILE, text, 0o600);
    const done = isUploaded ? this.#service.storeProfile({ text }) : this.#service.reload();
    // Whoever asks for it does not wait, and does not see it fail.
    Promise.resolve(done).catch(() => {});
    await time.settle();
    return `profile ${isUploaded ? 'uploaded' : 'written'}: ${name}`;
  }

  async #turn(): Promise<void> {
    const { failingShare = 0, hangs = false } = this.#options;
    const random = this.#random;
    this.#say(await this.#happen());
    if (random() < failingShare) {
      const ways = ['before', 'after', 'hangs'] as const;
      const how = ways[drawIndex(random, hangs ? 3 : 2)]!;
      this.#machine.failNext(1 + drawIndex(random, 20), how);
    }
    await this.#machine.advance(Math.floor(10 ** (random() * 4.2)));
  }

  async #happen(): Promise<string> {
    const { plants } = this.#machine;
    const random = this.#random;
    const kind = random();
    if (kind < 0.12) {
      const names = Object.keys(configs);
      const name = names[drawIndex(random, names.length)]!;
      await this.#reconfigure(name);
      return `configuration: ${name}`;
    }
    if (kind < 0.2) return `a device sends: ${this.#machine.sendFromDevice()}`;
    const [ended] = this.#begun;
    if (kind < 0.4 && ended !== undefined) {
      this.#begun.delete(ended);
      troubles[ended]!.end?.(plants);
      return `${ended} ends`;
    }
    if (!this.#options.only && kind > 0.92) return this.#changeProfile();
    const names = this.#options.only ?? Object.keys(troubles);
    const name = names[drawIndex(random, names.length)]!;
    troubles[name]!.begin(plants);
    if (troubles[name]!.end) this.#begun.add(name);
    return name;
  }

  /** Nothing is wrong any more: it shapes again soon, and without a person. */
  async #recover(): Promise<void> {
    const { time } = this.#machine;
    const sinceMs = time.nowMs;
    let withinMs = RECOVERED_MS + this.#slackMs;
    while (this.#life.violations.length === 0 && !this.#isWell()) {
      const { state, reason, fault_code, config } = this.#service.status();
      if (config.warning_notices.some(({ code }) => code === 'profile-not-answered'))
        withinMs = RECOVERED_MS + ANSWER_MS + this.#slackMs;
      if (fault_code === 'sent-astray') withinMs = RECOVERED_MS + ASTRAY_MS + this.#slackMs;
      if (time.nowMs - sinceMs >= withinMs) this.#meet(`it did not recover: ${state}: ${reason}`);
      await this.#machine.advance(STEP_MS);
    }
    this.#life.recoveredMs = Math.max(this.#life.recoveredMs, time.nowMs - sinceMs);
  }

  #isWell(): boolean {
    const machine = this.#machine;
    return (
      this.#service.status().state === 'shaping' &&
      machine.devicesMaySend() &&
      machine.wayOfDevices() === 'tunnel' &&
      machine.settings.read('net/ipv4/ip_forward') === '1\n'
    );
  }
}

/**
 * What should not be at this instant.
 *
 * @param onForMs for how long it has been asked to guard devices; null while it is not.
 * @param slackMs so much longer than usual it may take until what others did to the rules is mended.
 */
export function findViolations(
  machine: FakeMachine,
  onForMs: number | null,
  slackMs = 0,
): string[] {
  const { facts, strayed } = machine;
  const found: string[] = [];
  const open = facts.maySendForMs;
  // Who opened the rules is nobody who judged; they are put back.
  const rulesMs = facts.brokenForMs('rulesIntact');
  const isJudged = rulesMs === 0 || rulesMs > allowanceMs.rulesIntact + slackMs;
  if (open > 0 && isJudged) {
    for (const [name, ms] of facts.broken()) {
      const withinMs = allowanceMs[name] + (name === 'rulesIntact' ? slackMs : 0);
      if (ms > withinMs) found.push(`devices may send though ${name} has not held for ${ms} ms`);
    }
  }
  const exposedMs = Math.min(facts.exposedForMs, onForMs ?? 0);
  if (exposedMs > EXPOSED_MS + slackMs) found.push(`exposed for ${exposedMs} ms`);
  if (strayed.length > 0) found.push('a datagram of the tunnel left past it');
  return found;
}

/** Numbers of the effects of a life in which nothing happens, by what they are: `run ip -j`. */
export async function effectsOfLife(seed: number): Promise<Map<string, number[]>> {
  // None has this number.
  const { machine } = await liveHome({ seed, steps: 0, failing: { number: 0, how: 'before' } });
  const byKind = new Map<string, number[]>();
  for (const { what, number } of machine.calls) {
    const kind = what.split(' ').slice(0, 3).join(' ');
    byKind.set(kind, [...(byKind.get(kind) ?? []), number]);
  }
  return byKind;
}
