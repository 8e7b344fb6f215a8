// A home service's life on the stand-in machine: whatever the world does to it by chance, and what has to hold all the time.
import { TUNNEL_NETDEV } from '../../../src/core/plan/names.ts';
import type { Random } from '../../../src/core/random/random.ts';
import { drawIndex, seededRandom } from '../../../src/core/random/random.ts';
import { HomeService } from '../../../src/shell/home/home-service.ts';
import type { Failing } from './door.ts';
import type { FactName } from './facts.ts';
import { createHomeMachine, defaultConfig, homePaths } from './home-machine.ts';
import type { FakeMachine } from './machine.ts';
import type { Plants } from './plants.ts';

/** What happens to a machine, and what ends it. */
interface Trouble {
  begin: (plants: Plants) => void;
  end?: (plants: Plants) => void;
}

export const troubles: Readonly<Record<string, Trouble>> = {
  deleteQueue: { begin: (plants) => plants.deleteQueue() },
  changeQueue: { begin: (plants) => plants.changeQueue() },
  dropLeaves: { begin: (plants) => plants.dropLeaves() },
  addClass: { begin: (plants) => plants.addClass() },
  flushRuleset: { begin: (plants) => plants.flushRuleset() },
  editChain: { begin: (plants) => plants.editChain() },
  removeRoutes: { begin: (plants) => plants.removeRoutes('7213') },
  takePackerDown: { begin: (plants) => plants.takeDown('iot0') },
  takeTunnelDown: { begin: (plants) => plants.takeDown(TUNNEL_NETDEV) },
  changeSettings: { begin: (plants) => plants.changeSettings() },
  countAstray: { begin: (plants) => plants.countAstray() },
  openvpnDies: { begin: (plants) => plants.openvpnDies() },
  openvpnIgnoresTerm: { begin: (plants) => plants.openvpnIgnoresTerm() },
  endpointRestarts: { begin: (plants) => plants.endpointRestarts() },
  coverStops: { begin: (plants) => plants.coverStops() },
  threadThrows: { begin: (plants) => plants.threadThrows() },
  socatDies: { begin: (plants) => plants.socatDies() },
  tcDies: { begin: (plants) => plants.tcDies() },
  monitorsDie: { begin: (plants) => plants.monitorsDie() },
  houseChanges: { begin: (plants) => plants.houseChanges() },
  neighbourComes: { begin: (plants) => plants.neighbourComes() },
  clockJumps: { begin: (plants) => plants.clockJumps(86_400_000) },
  foreignRule: {
    begin: (plants) => plants.addForeignRule(),
    end: (plants) => plants.removeForeignRule(),
  },
  tunnelDown: { begin: (plants) => plants.tunnelDown(), end: (plants) => plants.tunnelUp() },
  tunnelSilent: { begin: (plants) => plants.tunnelDown(false), end: (plants) => plants.tunnelUp() },
  endpointSilent: {
    begin: (plants) => plants.endpointSilent(),
    end: (plants) => plants.endpointAnswers(),
  },
  downloadStops: {
    begin: (plants) => plants.downloadStops(),
    end: (plants) => plants.downloadRuns(),
  },
  networkGone: {
    begin: (plants) => plants.networkGone(),
    end: (plants) => plants.networkBack(),
  },
};

/** So long what no longer holds may go unseen: looked at once a second, and what lets devices send lasts for three more. */
export const allowanceMs: Readonly<Record<FactName, number>> = {
  networkPresent: 6000,
  tunnelUp: 8000,
  queueIntact: 6000,
  rulesIntact: 6000,
  routesIntact: 6000,
  coverRunning: 8000,
  // It may say nothing for half a minute.
  endpointAnswers: 36_000,
  downloadRunning: 8000,
};
/** Rules that others removed are put back at once, or, where that fails, by the next repair. */
const EXPOSED_MS = 8000;

export interface LifeOptions {
  seed: number;
  steps: number;
  /** The effect of this number fails once, this way. */
  failing?: { number: number; how: Failing };
  /** Effects fail by chance, this share of them. */
  failingShare?: number;
  /** Effects take up to so long. */
  latencyMs?: number;
}

export interface Life {
  /** What should not have happened; with what came before. */
  violations: string[];
  recoveredMs: number; told: string;
  /** States that the service told. */
  states: Set<string>;
  machine: FakeMachine;
  /** Text of everything that happened and was logged, one a line. */
  story: string[];
}

/** Few slots a second, so that a second of it is soon over. */
const calmConfig = defaultConfig.replace("enabled '1'", "enabled '1'\n\toption rate '8'");

/** Configurations that come and go: by name, in place of the default one. */
const configs: Readonly<Record<string, string>> = {
  on: calmConfig,
  slower: calmConfig.replace("rate '8'", "rate '4'"),
  off: defaultConfig.replace("enabled '1'", "enabled '0'"),
  broken: defaultConfig.replace("enabled '1'", "enabled 'maybe'"),
};

/** Lives one life to its end. */
export async function liveHome(options: LifeOptions): Promise<Life> {
  const { seed, steps, failing, failingShare = 0, latencyMs = 0 } = options;
  const random = seededRandom(seed, 1);
  const machine = createHomeMachine({ seed, config: calmConfig });
  const life: Life = { violations: [], states: new Set(), recoveredMs: 0, told: '', machine, story: [] };
  const say = (text: string): void => {
    life.story.push(`${((machine.time.nowMs - 300_000) / 1000).toFixed(3)} ${text}`);
  };
  const before = machine.printKernel();
  if (failing) machine.failAt(failing.number, failing.how);
  if (latencyMs > 0) machine.door.latencyMs = () => Math.floor(random() * latencyMs);
  const log = (level: string, text: string): void => say(`${level}: ${text}`);
  const service = new HomeService({ system: machine.system, ...homePaths, log });
  const meet = (what: string): void => {
    life.violations.push(what);
    say(`VIOLATION ${what}`);
  };
  service.onState(({ state }) => life.states.add(state));
  let onSinceMs: number | null = machine.time.nowMs;
  const watch = (): void => {
    if (life.violations.length > 0) return;
    const onForMs = onSinceMs === null ? null : machine.time.nowMs - onSinceMs;
    for (const text of findViolations(machine, onForMs)) meet(text);
  };
  const reconfigure = async (name: string): Promise<void> => {
    machine.files.plant(homePaths.configPath, configs[name]!);
    if (name === 'off') onSinceMs = null;
    else if (name !== 'broken') onSinceMs ??= machine.time.nowMs;
    // Whoever asks for it does not wait, and does not see it fail.
    service.reload().catch(() => {});
    await machine.time.settle();
  };
  await machine.finish(service.start()).catch((error: Error) => meet(`start: ${error.message}`));
  machine.time.watchers.push(watch);
  const begun = new Set<string>();
  for (let at = 0; at < steps && life.violations.length === 0; at++) {
    say(await happen(machine, reconfigure, random, begun));
    if (random() < failingShare) {
      machine.failNext(1 + drawIndex(random, 20), random() < 0.3 ? 'after' : 'before');
    }
    await machine.advance(Math.floor(10 ** (random() * 4.2)));
  }
  for (const name of begun) troubles[name]!.end?.(machine.plants);
  if (!failing) machine.door.forgive();
  say('everything is well again');
  if (steps > 0) await reconfigure('on');
  const isWell = (): boolean =>
    service.status().state === 'shaping' &&
    machine.devicesMaySend() &&
    machine.wayOfDevices() === 'tunnel' &&
    machine.settings.read('net/ipv4/ip_forward') === '1\n';
  const wellAgainMs = machine.time.nowMs;
  while (!isWell() && machine.time.nowMs < wellAgainMs + 120_000 && life.violations.length===0) await machine.advance(500);
  life.recoveredMs = machine.time.nowMs - wellAgainMs;
  life.told = JSON.stringify(service.status().reason);
  if (!isWell()) meet(`it is ${service.status().state} in the end`);
  machine.time.watchers.splice(machine.time.watchers.indexOf(watch), 1);
  await machine.finish(service.stop()).catch((error: Error) => meet(`stop: ${error.message}`));
  machine.plants.removeNewHouses();
  if (machine.printKernel() !== before) meet(`left behind:\n${machine.printKernel()}`);
  return life;
}

/**
 * What should not be at this instant.
 *
 * @param onForMs for how long it has been asked to guard devices; null while it is not.
 */
export function findViolations(machine: FakeMachine, onForMs: number | null): string[] {
  const { facts, strayed } = machine;
  const found: string[] = [];
  const open = facts.maySendForMs;
  // Who opened the rules is nobody who judged; they are put back.
  const isJudged = facts.brokenForMs('rulesIntact') === 0 || open > allowanceMs.rulesIntact;
  if (open > 0 && isJudged) {
    for (const [name, ms] of facts.broken()) {
      if (ms > allowanceMs[name])
        found.push(`devices may send though ${name} has not held for ${ms} ms`);
    }
  }
  const exposedMs = Math.min(facts.exposedForMs, onForMs ?? 0);
  if (exposedMs > EXPOSED_MS) found.push(`exposed for ${exposedMs} ms`);
  if (strayed.length > 0) found.push('a datagram of the tunnel left past it');
  return found;
}

async function happen(
  machine: FakeMachine,
  reconfigure: (name: string) => Promise<void>,
  random: Random,
  begun: Set<string>,
): Promise<string> {
  const kind = random();
  if (kind < 0.12) {
    const names = Object.keys(configs);
    const name = names[drawIndex(random, names.length)]!;
    await reconfigure(name);
    return `configuration: ${name}`;
  }
  if (kind < 0.2) return `a device sends: ${machine.sendFromDevice()}`;
  const [ended] = begun;
  if (kind < 0.4 && ended !== undefined) {
    begun.delete(ended);
    troubles[ended]!.end?.(machine.plants);
    return `${ended} ends`;
  }
  const names = Object.keys(troubles);
  const name = names[drawIndex(random, names.length)]!;
  troubles[name]!.begin(machine.plants);
  if (troubles[name]!.end) begun.add(name);
  return name;
}
