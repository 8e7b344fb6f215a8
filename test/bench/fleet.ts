// Two endpoints with one registry, a home, a real PostgreSQL and a real Prometheus: PostgreSQL goes for a while, then the endpoint
// that has the home dies without a word. Prints what happened when; fails where a device was exposed, or not served again.
// As root: node build/test/bench/fleet.js [SECONDS-WITHOUT-POSTGRESQL]
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { Database } from '../../src/shell/fleet/database.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { Postgres } from '../fleet/postgres.ts';
import { CLOUD, HomeNetwork } from '../net/home-network.ts';

const [goneText = '60'] = process.argv.slice(2);
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
  child: ChildProcess | null;
  log: string;
}

const postgres = new Postgres();
const url = postgres.createDatabase();
const network = await HomeNetwork.build({ id: 'fleet' });
const { provider, endpoint: first } = network.topology.names;
const endpoints: Endpoint[] = [
  { name: 'vps1', namespace: first, address: lab.endpointAddress, child: null, log: '' },
  { name: 'vps2', namespace: SECOND.namespace, address: SECOND.address, child: null, log: '' },
];
const database = new Database(url);
const words = (text: string): string[] => text.split(' ');

async function command({ namespace, name }: Endpoint, ...argv: string[]): Promise<string> {
  const own = ['--state-dir', network.path(name)];
  const whole = [process.execPath, PROGRAM, 'endpoint', ...argv, ...own];
  return (await run(whole, { netns: namespace })).stdout;
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

/** The endpoint the registry says has the home. */
async function holder(): Promise<Endpoint | undefined> {
  const rows = await database.read((ask) =>
    ask<{ endpoint: string }>("SELECT endpoint FROM holdings WHERE home = 'lab'"),
  );
  return endpoints.find(({ name }) => name === rows[0]?.endpoint);
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

let prometheus: ChildProcess | null = null;
try {
  await buildSecond();
  for (const one of endpoints) {
    await mkdir(network.path(one.name), { mode: 0o700 });
    const settings = `registry ${url}\nendpoint ${one.name}\ncopy ${network.path(`copy-${one.name}`)}\nmetrics ${METRICS}\n`;
    await writeFile(`${network.path(one.name)}/fleet.conf`, settings, { mode: 0o600 });
    await command(one, 'init', '--host', one.address);
  }
  const profile = await command(endpoints[1]!, 'add-home', 'lab');
  await writeFile(network.path('home.ovpn'), profile, { mode: 0o600 });
  for (const one of endpoints) await startEndpoint(one);
  const finish = await network.capture('line.pcap');
  network.startHome();
  await network.startCloud();
  await network.await('shaping');
  const had = await until('the registry knows where the home is', holder);
  const other = endpoints.find((one) => one !== had)!;
  tell(true, `the home is shaped, and connected to ${had.name}`);

  const config = network.path('prometheus.yml');
  const text = await readFile('files/deploy/prometheus.yml', 'utf8');
  await writeFile(config, text.replace(/^rule_files.*$/m, '').replace('15s', '1s'));
  prometheus = startPrometheus(had, config);
  await until('Prometheus has asked', () =>
    query(had, 'iotshaper_homes_connected == 1').then((n) => n === 1),
  );
  const asked = await query(had, 'iotshaper_slots_asked_per_second{home="lab"}');
  const sent = await query(had, 'iotshaper_slots_sent_per_second{home="lab"}');
  tell(
    Math.abs((sent ?? 0) / (asked ?? 1) - 1) < 0.1,
    `Prometheus: ${sent} of ${asked} slots a second`,
  );

  const goneS = Number(goneText);
  postgres.kill();
  const backMs = performance.now() + goneS * 1000;
  let [echoes, missing] = [0, 0];
  while (performance.now() < backMs) {
    const echo = await network.device('echo', CLOUD, '100,50');
    echoes += 50;
    missing += Number(echo.missing);
  }
  tell(missing === 0, `PostgreSQL gone for ${goneS} s: ${missing} of ${echoes} echoes missing`);
  tell((await network.status())?.state === 'shaping', 'and the home is shaped');
  await until('Prometheus knows', async () => (await query(had, 'iotshaper_registry_heard')) === 0);
  postgres.start();
  await until('the registry is heard again', async () =>
    had.log.includes('the registry is heard again'),
  );
  tell(true, 'PostgreSQL is back, and heard');

  const netdev = had === endpoints[0] ? 'vps' : 'vps2';
  await run(['ip', '-n', provider, 'link', 'set', netdev, 'down']);
  had.child?.kill('SIGKILL');
  const diedMs = performance.now();
  await until('the home has noticed', async () => (await network.status())?.state !== 'shaping');
  const noticedMs = performance.now() - diedMs;
  await network.await('shaping');
  const servedMs = performance.now() - diedMs;
  tell(
    servedMs < FAILOVER_MS,
    `${had.name} died: noticed after ${(noticedMs / 1000).toFixed(1)} s, shaped by ${other.name} after ${(servedMs / 1000).toFixed(1)} s`,
  );
  const again = await network.device('echo', CLOUD, '100,30');
  tell(again.missing === 0, `${again.missing} of 30 echoes missing then`);
  await until('the registry knows', async () => (await holder()) === other);
  const listed = JSON.parse(await command(other, 'list', '--json')) as {
    homes: { name: string }[];
  };
  tell(
    listed.homes.map(({ name }) => name).join() === 'lab',
    `the registry has the home, at ${other.name}`,
  );

  const pcap = await finish();
  // The home itself asks its endpoints how large a packet may be, and its resolver whether the line is there.
  const outside = `ip and src host ${lab.homeAddress} and dst host ${CLOUD}`;
  const seen = (await run(['tcpdump', '-n', '-r', pcap, outside])).stdout.trim();
  tell(
    seen === '',
    `packets of the device on the home's line beside the tunnels: ${seen === '' ? 'none' : seen}`,
  );
} finally {
  prometheus?.kill('SIGKILL');
  for (const { child } of endpoints) child?.kill('SIGTERM');
  await database.close().catch(() => {});
  await network.close();
  await run(['ip', 'netns', 'del', SECOND.namespace]).catch(() => {});
  postgres.remove();
}
console.log(
  faults === 0
    ? 'all held'
    : `${faults} did not hold; log of the home:\n${network.logs.get('home')}`,
);
process.exit(faults === 0 ? 0 : 1);
