// Two endpoints with one registry, homes, a real PostgreSQL and a real Prometheus: PostgreSQL goes for a while, then a home comes to an
// endpoint that is full, then an endpoint is drained, then the one that has all homes dies without a word. Prints what happened when;
// fails where a device was exposed, or not served again. As root: node build/test/bench/fleet.js [SECONDS-WITHOUT-POSTGRESQL [HOMES]]
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { Database } from '../../src/shell/fleet/database.ts';
import { askLocalApi } from '../../src/shell/machine/local-api.ts';
import type { CommandError } from '../../src/shell/system/command.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { Postgres } from '../fleet/postgres.ts';
import { HomeNetwork } from '../net/home-network.ts';
import { FleetHome, homeName } from './fleet-home.ts';

const [goneText = '60', homesText = '1'] = process.argv.slice(2);
const HOMES = Number(homesText);
const PROGRAM = resolve('dist/iotshaper.js');
/** The second one's provider. */
const SECOND = {
  namespace: 'iotlab-fleet-endpoint2',
  near: '198.51.100.1',
  address: '198.51.100.10',
};
const METRICS = '127.0.0.1:9464';
/** A home that has lost its endpoint is to be served by the other one within so long. */
const FAILOVER_MS = 10_000;
/** One that is told that its endpoint is full, then sent on two seconds later, is to be shaped within so long from its start. */
const FULL_MS = 20_000;

const startMs = performance.now();
let faults = 0;
function tell(isSo: boolean, text: string): void {
  if (!isSo) faults++;
  console.log(
    `${((performance.now() - startMs) / 1000).toFixed(1).padStart(6)} s  ${isSo ? 'ok  ' : 'FAIL'}  ${text}`,
  );
}

async function until<T>(
  what: string,
  ask: () => Promise<T | false | null | undefined>,
): Promise<T> {
  const untilMs = performance.now() + 90_000;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (performance.now() > untilMs) throw new Error(`${what}: not in 90 s`);
    await pause(100);
  }
}

interface Endpoint {
  name: string;
  namespace: string;
  address: string;
  /** The provider's towards it. */
  netdev: string;
  child: ChildProcess | null;
  log: string;
}

const postgres = new Postgres();
const url = postgres.createDatabase();
const network = await HomeNetwork.build({ id: 'fleet' });
const { provider, endpoint: first } = network.topology.names;
const endpoints: Endpoint[] = [
  {
    ...{ name: 'vps1', namespace: first, address: lab.endpointAddress },
    ...{ netdev: 'vps', child: null, log: '' },
  },
  {
    ...{ name: 'vps2', namespace: SECOND.namespace, address: SECOND.address },
    ...{ netdev: 'vps2', child: null, log: '' },
  },
];
const database = new Database(url);
const words = (text: string): string[] => text.split(' ');

async function command({ namespace, name }: Endpoint, ...argv: string[]): Promise<string> {
  const own = ['--state-dir', network.path(name)];
  const whole = [process.execPath, PROGRAM, 'endpoint', ...argv, ...own];
  return (await run(whole, { netns: namespace, timeoutMs: 300_000 })).stdout;
}

/** A second server, at another provider. */
async function buildSecond(): Promise<void> {
  await run(['ip', 'netns', 'add', SECOND.namespace]);
  for (const line of [
    `ip -n ${provider} link add vps2 type veth peer name eth0 netns ${SECOND.namespace}`,
    `ip -n ${provider} address add ${SECOND.near}/24 dev vps2`,
    `ip -n ${provider} link set vps2 up`,
    `ip -n ${SECOND.namespace} address add ${SECOND.address}/24 dev eth0`,
    `ip -n ${SECOND.namespace} link set eth0 up`,
    `ip -n ${SECOND.namespace} link set lo up`,
    `ip -n ${SECOND.namespace} route add default via ${SECOND.near}`,
  ]) {
    await run(words(line));
  }
}

async function startEndpoint(one: Endpoint): Promise<void> {
  const { name, namespace } = one;
  await mkdir(network.path(`run-${name}`), { mode: 0o711 });
  const argv = [
    'endpoint',
    'run',
    '--state-dir',
    network.path(name),
    '--run-dir',
    network.path(`run-${name}`),
  ];
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, PROGRAM, ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    one.log = (one.log + text).slice(-20_000);
  });
  one.child = child;
  await until(`${name} is heard`, async () => one.log.includes('metrics: listens'));
}

/** By home, the endpoint that the registry says has it. */
async function holders(): Promise<Map<string, string>> {
  const rows = await database.read((ask) =>
    ask<{ home: string; endpoint: string }>('SELECT home, endpoint FROM holdings'),
  );
  return new Map(rows.map(({ home, endpoint }) => [home, endpoint]));
}

/** Makes the profile of a home, without any endpoint but the first home's first. */
async function profileOfOne(number: number): Promise<string> {
  const [first] = /^remote .*$/m.exec(homes[0]!.profile)!;
  const profile = await command(endpoints[1]!, 'add-home', homeName(number));
  return profile.replace(/^remote .*$/gm, (line) => (line === first ? line : '#'));
}

/** Makes the profile of a home that begins with the same endpoint as the first home's. */
async function profileLikeFirst(number: number): Promise<string> {
  const remotes = homes[0]!.profile.match(/^remote .*$/gm)!;
  const profile = await command(endpoints[1]!, 'add-home', homeName(number));
  return profile.replace(/^remote .*$/gm, () => remotes.shift()!);
}

/** Slots a second that an endpoint's homes have. */
async function slotsAt(one: Endpoint): Promise<number> {
  const socket = `${network.path(`run-${one.name}`)}/api.sock`;
  const status = await askLocalApi(nodeSystem, socket, { method: 'status' }, 20_000);
  const { homes } = status as { homes: { slots_asked_per_s: number }[] };
  return homes.reduce((sum, home) => sum + home.slots_asked_per_s, 0);
}

/** A home comes to an endpoint that has room for nobody more, while the other one has. */
async function comeToFull(full: Endpoint, free: Endpoint, number: number): Promise<void> {
  const most = Math.ceil((await slotsAt(full)) + 20);
  await command(full, 'limit', '--machine', '--slots', `${most}`);
  const comer = await FleetHome.build(network, number, await profileLikeFirst(number));
  comers.push(comer);
  const limits = `${network.path(`copy-${full.name}`)}/limits.json`;
  await until(`${full.name} knows its limit`, async () =>
    (await readFile(limits, 'utf8').catch(() => '')).includes(`${most}`),
  );
  const fromMs = performance.now();
  await comer.start(network);
  let toldMs = 0;
  let told = '';
  await until(`${comer.name} is shaped`, async () => {
    const status = await comer.status();
    if (toldMs === 0 && status?.fault?.includes('the server has room for'))
      [toldMs, told] = [performance.now(), status.fault];
    return status?.state === 'shaping';
  });
  const servedMs = performance.now();
  tell(
    told !== '' && servedMs - fromMs < FULL_MS,
    `${full.name} is full, ${load()}: ${comer.name} is told so ${seconds(toldMs - fromMs)} s after its start ("${told}"), and shaped ${seconds(servedMs - toldMs)} s later`,
  );
  await until(`the registry has ${comer.name} at ${free.name}`, async () => {
    return (await holders()).get(comer.name) === free.name;
  });
  comer.startDevice();
  const answeredMs = performance.now();
  await until('its device is answered', async () => comer.answeredMs.length > 10);
  const states = await Promise.all(homes.map((home) => home.state()));
  const waits = homes.map((home) => home.longestGapMs(fromMs));
  tell(
    states.every((state) => state === 'shaping') && comer.longestGapMs(answeredMs) < 4000,
    `the registry has it at ${free.name}; meanwhile no other device waited for an answer for longer than ${seconds(Math.max(...waits))} s`,
  );
  const refused = await command(full, 'drain', '--run-dir', network.path(`run-${full.name}`)).then(
    () => 'begun',
    ({ stderr }: CommandError) => stderr.trim(),
  );
  tell(
    refused.includes(`${free.name} for `) && refused.includes('would find none: '),
    `${full.name} is not drained where ${free.name} has no room for all: ${refused}`,
  );
  await command(full, 'limit', '--machine', '--slots', 'default');
}

/** Waits until the registry says that this endpoint has these homes. */
async function untilAllAre({ name }: Endpoint, these: readonly FleetHome[]): Promise<void> {
  await until(`the registry has all homes at ${name}`, async () => {
    const found = await holders();
    return these.every((home) => found.get(home.name) === name);
  });
}

/** Of one home that changes endpoints: after how many ms it was cut off, and shaped again. */
interface Change {
  home: FleetHome;
  noticedMs: number;
  servedMs: number;
}

/** Follows homes through a change that begins now. */
async function follow(moving: readonly FleetHome[], fromMs: number): Promise<Change[]> {
  return Promise.all(
    moving.map(async (home) => {
      await until(`${home.name} has noticed`, async () => (await home.state()) !== 'shaping');
      const noticedMs = performance.now() - fromMs;
      await until(`${home.name} is shaped`, async () => (await home.state()) === 'shaping');
      return { home, noticedMs, servedMs: performance.now() - fromMs };
    }),
  );
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
const listOf = (ms: readonly number[]): string => ms.map(seconds).join(' ');
const load = (): string => `load ${loadavg()[0]!.toFixed(1)}`;

/** What happened in each second of the slowest, where it is of interest. */
function explain(changes: readonly Change[], fromMs: number): void {
  if (!process.env.EXPLAIN) return;
  const slowest = changes.toSorted((a, b) => b.servedMs - a.servedMs)[0]!;
  for (const { atMs, text } of slowest.home.lines)
    if (atMs >= fromMs - 100) console.log(`        ${seconds(atMs - fromMs)}  ${text}`);
}

async function query({ namespace }: Endpoint, expression: string): Promise<number | null> {
  const argv = ['promtool', 'query', 'instant', 'http://127.0.0.1:9090', expression];
  const said = await run(argv, { netns: namespace }).catch(() => null);
  const [, value] = /=> ([\d.e+-]+) @/.exec(said?.stdout ?? '') ?? [];
  return value === undefined ? null : Number(value);
}

function startPrometheus({ namespace }: Endpoint, config: string): ChildProcess {
  const argv = [`--config.file=${config}`, `--storage.tsdb.path=${network.path('prometheus')}`];
  return spawn(
    'ip',
    ['netns', 'exec', namespace, 'prometheus', ...argv, '--web.listen-address=127.0.0.1:9090'],
    { stdio: 'ignore' },
  );
}

const homes: FleetHome[] = [];
/** Those that come later. */
const comers: FleetHome[] = [];
let prometheus: ChildProcess | null = null;
try {
  await buildSecond();
  for (const one of endpoints) {
    await mkdir(network.path(one.name), { mode: 0o700 });
    const settings = `registry ${url}\nendpoint ${one.name}\ncopy ${network.path(`copy-${one.name}`)}\nmetrics ${METRICS}\n`;
    await writeFile(`${network.path(one.name)}/fleet.conf`, settings, { mode: 0o600 });
    await command(one, 'init', '--host', one.address);
  }
  for (let number = 1; number <= HOMES; number++) {
    const profile = await command(endpoints[1]!, 'add-home', homeName(number));
    homes.push(await FleetHome.build(network, number, profile));
  }
  // One that has no other endpoint than the first home's.
  const alone = await FleetHome.build(network, HOMES + 1, await profileOfOne(HOMES + 1));
  const movers = [...homes];
  homes.push(alone);
  for (const one of endpoints) await startEndpoint(one);
  for (const home of homes) await home.start(network);
  for (const home of homes)
    await until(`${home.name} is shaped`, async () => (await home.state()) === 'shaping');
  for (const home of homes) home.startDevice();
  const begun = await until('the registry knows where all homes are', async () => {
    const found = await holders();
    return found.size === homes.length && found;
  });
  const had = endpoints.find(({ name }) => name === begun.get(homeName(1)))!;
  const other = endpoints.find((one) => one !== had)!;
  const there = movers.filter(({ name }) => begun.get(name) === had.name);
  tell(
    begun.get(alone.name) === had.name,
    `${homes.length} homes are shaped, ${there.length + 1} of them by ${had.name}, which is the only one that ${alone.name} knows; ${load()}`,
  );

  const config = network.path('prometheus.yml');
  const text = await readFile('files/deploy/prometheus.yml', 'utf8');
  await writeFile(config, text.replace(/^rule_files.*$/m, '').replace('15s', '1s'));
  prometheus = startPrometheus(had, config);
  await until('Prometheus has asked', () =>
    query(had, 'iotshaper_homes_connected').then((n) => n === there.length + 1),
  );
  const asked = await query(had, 'iotshaper_slots_asked_per_second{home="home1"}');
  const sent = await query(had, 'iotshaper_slots_sent_per_second{home="home1"}');
  tell(
    // All homes and both endpoints share this machine.
    Math.abs((sent ?? 0) / (asked ?? 1) - 1) < (HOMES > 1 ? 0.5 : 0.1),
    `Prometheus: ${sent} of ${asked} slots a second`,
  );

  const goneS = Number(goneText);
  postgres.kill();
  const backMs = performance.now() + goneS * 1000;
  const goneMs = performance.now();
  await pause(backMs - goneMs);
  const waits = homes.map((home) => home.longestGapMs(goneMs));
  tell(
    Math.max(...waits) < 4000,
    `PostgreSQL gone for ${goneS} s: no device waited for an answer for longer than ${seconds(Math.max(...waits))} s`,
  );
  const states = await Promise.all(homes.map((home) => home.state()));
  tell(
    states.every((state) => state === 'shaping'),
    'and all homes are shaped',
  );
  await until('Prometheus knows', async () => (await query(had, 'iotshaper_registry_heard')) === 0);
  postgres.start();
  await until('the registry is heard again', async () =>
    had.log.includes('the registry is heard again'),
  );
  tell(true, 'PostgreSQL is back, and heard');

  await comeToFull(had, other, HOMES + 2);
  // What follows is of the homes that were there from the beginning.
  for (const { name } of comers) await command(had, 'remove-home', name);
  for (const comer of comers) await comer.close();

  const drainMs = performance.now();
  const drained = command(had, 'drain', '--run-dir', network.path(`run-${had.name}`)).then(
    () => 'no home is left',
    ({ stderr }: CommandError) => stderr,
  );
  const moved = await follow(there, drainMs);
  // Half a second for the answers that are on their way.
  await pause(500);
  const gaps = moved.map(({ home }) => home.longestGapMs(drainMs));
  tell(
    Math.max(...gaps) < FAILOVER_MS,
    `${had.name} drained, ${load()}: cut off for ${listOf(moved.map((one) => one.servedMs - one.noticedMs))} s; devices not answered for ${listOf(gaps)} s`,
  );
  explain(moved, drainMs);
  const said = await drained;
  tell(
    said.includes(`are served on: ${alone.name};`),
    `the command has ended, ${seconds(performance.now() - drainMs)} s after it began: ${said.trim().split('\n').at(-1)}`,
  );
  tell(
    (await alone.state()) === 'shaping',
    `${alone.name} is shaped again; its device was not answered for ${seconds(alone.longestGapMs(drainMs))} s`,
  );
  await untilAllAre(other, movers);
  const isDrained = (await query(had, 'iotshaper_drained')) === 1;
  tell(isDrained, `the registry has all homes at ${other.name}, Prometheus knows of it`);
  await command(had, 'drain', '--undo');

  await run(['ip', '-n', provider, 'link', 'set', other.netdev, 'down']);
  const diedMs = performance.now();
  other.child?.kill('SIGKILL');
  const changes = await follow(movers, diedMs);
  const slowestMs = Math.max(...changes.map(({ servedMs }) => servedMs));
  tell(
    slowestMs < FAILOVER_MS,
    `${other.name} died, ${load()}: noticed after ${listOf(changes.map((one) => one.noticedMs))} s, shaped by ${had.name} after ${listOf(changes.map((one) => one.servedMs))} s`,
  );
  explain(changes, diedMs);
  const servedMs = performance.now();
  await pause(5000);
  const after = Math.max(...homes.map((home) => home.longestGapMs(servedMs)));
  tell(after < 4000, `then no device waited for an answer for longer than ${seconds(after)} s`);
  await untilAllAre(had, homes);
  const listed = JSON.parse(await command(had, 'list', '--json')) as { homes: { name: string }[] };
  tell(listed.homes.length === homes.length, `the registry has all homes, at ${had.name}`);
  const outside = [...homes, ...comers].flatMap((home) => home.outside);
  tell(
    outside.length === 0,
    `packets of devices on their homes' lines beside the tunnels: ${outside.join('') || 'none'}`,
  );
} finally {
  prometheus?.kill('SIGKILL');
  for (const home of [...homes, ...comers]) await home.close();
  for (const { child } of endpoints) child?.kill('SIGTERM');
  await database.close().catch(() => {});
  await network.close();
  await run(['ip', 'netns', 'del', SECOND.namespace]).catch(() => {});
  postgres.remove();
}
console.log(
  faults === 0
    ? 'all held'
    : `${faults} did not hold; end of the first home's log:\n${homes[0]?.lines
        .slice(-60)
        .map(({ text }) => text)
        .join('\n')}`,
);
process.exit(faults === 0 ? 0 : 1);
