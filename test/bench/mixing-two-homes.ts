// Bench: two homes on one endpoint for real, beside two recordings of one home each put on one wire: mixing-two-homes.js RUN RUN
// Run as root after `make build`; the homes live what the two runs of the lab lived, in the same time.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { labelWindows } from '../../src/core/analysis/audit-activity.ts';
import { testWindows } from '../../src/core/analysis/audit-windows.ts';
import { mean, quantileOfSorted } from '../../src/core/analysis/statistics/sample.ts';
import { decodePacket } from '../../src/core/capture/decode.ts';
import { renderTable } from '../../src/core/plot/text-table.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import type { DeviceId } from '../../src/research/devices/catalogue.ts';
import { startCapture } from '../../src/research/lab/bed/capture.ts';
import { Cleanup } from '../../src/research/lab/bed/cleanup.ts';
import { claim } from '../../src/research/lab/bed/leftovers.ts';
import { buildNetwork, removeNamespace } from '../../src/research/lab/bed/namespaces.ts';
import { ownArgv, startProcess } from '../../src/research/lab/bed/processes.ts';
import {
  cloudAddresses,
  lab,
  type Place,
  planTopology,
  type Topology,
} from '../../src/research/lab/bed/topology.ts';
import { waitUntil } from '../../src/research/lab/bed/wait.ts';
import { planHousehold } from '../../src/research/lab/emulators/household.ts';
import { observeHome } from '../../src/research/lab/findings/observation.ts';
import { type LabOptions, labDefaults } from '../../src/research/lab/options.ts';
import { startDevices, startServers } from '../../src/research/lab/traffic/traffic.ts';
import { monotonicMs } from '../../src/research/lab/traffic/traffic-log.ts';
import { renderHomeConfig } from '../../src/research/lab/variants/shaped.ts';
import { openCapture } from '../../src/shell/capture/reader.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import type { FarPacket } from '../mixing/far-side.ts';
import { type Departures, departuresOf, linkToTunnels } from '../mixing/linking.ts';
import { type MixedPacket, mixHomes } from '../mixing/mix.ts';
import {
  delaysAfter,
  RESOLVER,
  type RecordedHome,
  readFarSide,
  readServedHome,
} from '../mixing/recording.ts';

const KINDS: DeviceId[] = ['sense', 'nest-cam', 'wemo-switch'];
const WINDOWS_S = [1, 5];
const LEAD_MS = 1_500;
const START_MS = 60_000;
/** What passes the endpoint within this is taken to be of the slot before it. */
const WITHIN_S = 0.001;

/** Where a home's line begins, and what is captured of it. */
interface Home {
  name: string;
  topology: Topology;
  address: string;
  line: string;
  seed: number;
}

/** Both homes on one wire, whose each connection is, and what went on in the first. */
interface Seen {
  packets: readonly MixedPacket[];
  tunnelsS: Float64Array[];
  activity: readonly { timeS: number }[];
}

const runs = await Promise.all(process.argv.slice(2).map((folder) => readServedHome(folder)));
const [one, other] = runs;
if (!one || !other) throw new Error('give two folders of lab run --out');
const { seconds } = one;
// What the lab starts again of itself is the program.
process.argv[1] = resolve('dist/iotshaper.js');
const { signal } = new AbortController();
const cleanup = new Cleanup((fault) => console.error((fault as Error).message));
try {
  compare(merge(one, other), await live([one.seed, other.seed]));
} finally {
  await cleanup.run();
}

function merge(first: RecordedHome, second: RecordedHome): Seen {
  return {
    packets: mixHomes([first.far, second.far], seededRandom(1, 5)),
    tunnelsS: [first, second].map(({ tunnelS }) => Float64Array.from(tunnelS)),
    activity: first.activity,
  };
}

async function live(seeds: [number, number]): Promise<Seen> {
  const folder = await mkdtemp(join(tmpdir(), 'iotlab-two-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  await run(['chmod', '711', folder]); // OpenVPN at the endpoint is root no longer
  const first = planTopology({ id: 'two1', ipv6: false });
  await buildNetwork(first, cleanup);
  const homes: Home[] = [
    { name: 'one', topology: first, address: lab.homeAddress, line: 'home', seed: seeds[0] },
    { ...(await addHome(first)), seed: seeds[1] },
  ];
  const { provider, endpoint } = first.names;
  const capture = (netns: string, netdev: string, name: string, filter?: string) =>
    startCapture({
      ...{ netns, netdev, path: join(folder, `${name}.pcap`) },
      ...{ logPath: join(folder, `tcpdump-${name}.log`), signal, cleanup },
      ...(filter !== undefined && { filter }),
    });
  const captures = [
    await capture(provider, 'vps', 'endpoint', 'not arp and not net 100.64.0.0/10'),
    ...(await Promise.all(
      homes.flatMap(({ name, topology, line }) => [
        capture(provider, line, `provider-${name}`),
        capture(topology.names.router, lab.bridge, `device-${name}`),
      ]),
    )),
  ];
  await serve(folder, endpoint, homes);
  const startMs = monotonicMs() + LEAD_MS;
  const startS = (startMs + performance.timeOrigin + performance.now() - monotonicMs()) / 1000;
  for (const home of homes) await letTalk(folder, home, startMs);
  await delay(LEAD_MS + seconds * 1000 + 2_000);
  for (const one of captures) await one.stop();

  const open = (name: string) => openCapture(nodeSystem, join(folder, `${name}.pcap`));
  const isWithin = ({ timeS }: { timeS: number }) => timeS >= 0 && timeS < seconds;
  const far = (await readFarSide(open('endpoint'), startS)).filter(isWithin);
  const tunnelsS: Float64Array[] = [];
  for (const { name, address } of homes)
    tunnelsS.push(await readTunnel(open(`provider-${name}`), address, startS));
  const ports: Set<string>[] = [];
  for (const { name } of homes) ports.push(await readPorts(open(`device-${name}`)));
  const home = await observeHome(open('device-one'));
  const whose = new Map(
    far.map((packet) => [
      packet.connection,
      { ...packet.connection, home: ports.findIndex((own) => own.has(keyOf(packet))) },
    ]),
  );
  return {
    packets: far.map((packet) => ({ ...packet, connection: whose.get(packet.connection)! })),
    tunnelsS,
    activity: home.map(({ timeS }) => ({ timeS: timeS - startS })).filter(isWithin),
  };
}

/** A second home on a line of its own; its Internet is a namespace that nobody asks. */
async function addHome(first: Topology): Promise<Omit<Home, 'seed'>> {
  const own = planTopology({ id: 'two2', ipv6: false });
  const places = ['devices', 'router', 'cloud'] as const satisfies readonly Place[];
  for (const place of places) {
    const name = own.names[place];
    await run(['ip', 'netns', 'add', name]);
    cleanup.add(() => removeNamespace(name));
    await claim(name);
    await run(['sysctl', '-q', '-w', ...own.settings[place]], { netns: name });
  }
  const line = 'home2';
  const elsewhere = (text: string) => text.replace(/^100\.64\.8\./, '100.64.9.');
  const { devices, router, provider } = own.names;
  for (const argv of own.commands) {
    const [netns] = argv[0] === 'ip' && argv[1] === '-n' ? [argv[2]] : [argv[3]];
    if (netns !== devices && netns !== router) continue;
    const isLine = argv.at(-1) === provider;
    const words = argv.map(elsewhere).map((word, k) => {
      if (isLine && k === argv.length - 1) return first.names.provider;
      return isLine && word === 'home' ? line : word;
    });
    await run(words);
  }
  await run(['nft', '-f', '-'], { netns: router, input: own.routerRules });
  const here = ['ip', '-n', first.names.provider];
  await run([...here, 'address', 'add', '100.64.9.1/24', 'dev', line]);
  await run([...here, 'link', 'set', line, 'up']);
  return { name: 'two', topology: own, address: elsewhere(lab.homeAddress), line };
}

/** The endpoint and both homes' services, until both shape. */
async function serve(folder: string, endpoint: string, homes: readonly Home[]): Promise<void> {
  const state = ['--state-dir', join(folder, 'endpoint')];
  const init = ownArgv('endpoint', 'init', '--host', lab.endpointAddress, ...state);
  await run(init, { netns: endpoint });
  for (const { name, topology } of homes) {
    const added = await run(ownArgv('endpoint', 'add-home', name, ...state), { netns: endpoint });
    const profile = join(folder, `${name}.ovpn`);
    await writeFile(profile, added.stdout, { mode: 0o600 });
    const options = { ...labDefaults, variant: 'vit' } as const;
    await writeFile(
      join(folder, `${name}.conf`),
      renderHomeConfig(options, profile, topology.devices),
    );
  }
  const start = async (netns: string, name: string, ...words: string[]) => {
    const logPath = join(folder, `${name}.log`);
    const child = await startProcess({ argv: ownArgv(...words), netns, core: 'shaping', logPath });
    cleanup.add(() => child.stop());
    return child;
  };
  const runFolder = (name: string) => ['--run-dir', join(folder, `run-${name}`)];
  await start(endpoint, 'endpoint', 'endpoint', 'run', ...state, ...runFolder('endpoint'));
  for (const { name, topology } of homes) {
    await mkdir(join(folder, `run-${name}`));
    const { router } = topology.names;
    const config = ['--config', join(folder, `${name}.conf`)];
    const kept = ['--state-dir', join(folder, `state-${name}`)];
    const child = await start(router, name, 'run', ...config, ...kept, ...runFolder(name));
    await waitUntil({
      ...{ what: `home ${name} to shape`, timeoutMs: START_MS, everyMs: 200, signal },
      process: child,
      check: async () => {
        const status = ownArgv('status', '--json', ...runFolder(name));
        const said = await run(status, { netns: router }).catch(() => null);
        return said !== null && JSON.parse(said.stdout).state === 'shaping';
      },
    });
  }
}

async function letTalk(folder: string, home: Home, startMs: number): Promise<void> {
  const { name, topology, seed } = home;
  const own = join(folder, `talk-${name}`);
  await mkdir(own);
  const options: LabOptions = {
    ...{ ...labDefaults, variant: 'vit', seconds, seed, out: own, devices: KINDS, id: name },
    ...{ replay: null, alternateS: null, dropPercent: 0, ipv6: false },
  };
  const progress = { step: () => {}, tick: () => {}, warn: console.error };
  const context = { topology, options, workFolder: own, logFolder: own, cleanup, progress, signal };
  const plan = planHousehold({ seed, durationS: seconds, devices: KINDS });
  const traffic = { context, plan, replay: null, logFolder: own, startMs };
  await startServers(traffic);
  await startDevices(traffic);
}

/** When a home's datagrams of the tunnel came by on its line. */
async function readTunnel(
  capture: ReturnType<typeof openCapture>,
  address: string,
  startS: number,
): Promise<Float64Array> {
  const times: number[] = [];
  for await (const packet of capture) {
    const decoded = decodePacket(packet);
    if (decoded?.source === address && decoded.destination === lab.endpointAddress)
      times.push(packet.timeS - startS);
  }
  return Float64Array.from(times);
}

/** Connections as they are within a home: NAT keeps the ports of most. */
async function readPorts(capture: ReturnType<typeof openCapture>): Promise<Set<string>> {
  const names = new Map([...cloudAddresses()].map(([name, address]) => [address, name]));
  const keys = new Set<string>();
  for await (const packet of capture) {
    const decoded = decodePacket(packet);
    const name = names.get(decoded?.destination ?? '');
    if (decoded && name !== undefined)
      keys.add(`${decoded.sourcePort} ${name}:${decoded.destinationPort}`);
  }
  return keys;
}

function keyOf({ connection: { port, server } }: FarPacket): string {
  return `${port} ${server}`;
}

function compare(merged: Seen, together: Seen): void {
  const rows = Object.entries({ merged, together }).map(([name, seen]) => {
    const { packets, tunnelsS } = seen;
    const [up, down] = (['up', 'down'] as const).map((way) =>
      packets.filter(({ direction }) => direction === way),
    );
    const departures = departuresOf(
      packets.filter(({ connection }) => connection.device !== RESOLVER),
    );
    const called = linkToTunnels(departures, tunnelsS, WITHIN_S);
    const known = departures.flatMap(({ connection: { home } }, k) =>
      home < 0 ? [] : [Number(home === called[k])],
    );
    return [
      ...[name, `${up!.length}`, `${down!.length}`, bytesOf(up!), bytesOf(down!)],
      `${known.length} of ${departures.length}`,
      `${(100 * mean(known)).toFixed(1)} %`,
      lateOf(departures, tunnelsS),
      ...WINDOWS_S.map((windowS) => tell(seen, windowS)),
    ];
  });
  const titles = [
    ...['homes', 'packets out', 'in', 'bytes out', 'in', 'connections known', 'linked right'],
    ...['ms through the endpoint, half, 9 in 10', ...WINDOWS_S.map((s) => `home 1 active, ${s} s`)],
  ];
  console.log(
    renderTable(
      titles.map((title) => ({ title })),
      rows,
    ),
  );
}

function bytesOf(packets: readonly MixedPacket[]): string {
  return packets.reduce((sum, { bytes }) => sum + bytes, 0).toLocaleString('en');
}

/** From the last packet of the own home's tunnel. */
function lateOf(departures: readonly Departures[], tunnelsS: readonly Float64Array[]): string {
  const late = departures
    .flatMap(({ connection: { home }, timesS }) =>
      home < 0 ? [] : delaysAfter(tunnelsS[home]!, timesS),
    )
    .sort((a, b) => a - b);
  return [0.5, 0.9].map((share) => quantileOfSorted(late, share).toFixed(2)).join(', ');
}

function tell({ packets, activity }: Seen, windowS: number): string {
  const place = { startS: 0, windowS, windows: Math.floor(seconds / windowS) };
  const labels = labelWindows(activity, place);
  const options = { ...place, labels, permutations: 999, level: 0.01, seed: 1 };
  const { value, low, high } = testWindows(packets, options).figures.forest ?? {};
  return value === undefined ? '–' : `${value.toFixed(2)} (${low!.toFixed(2)}–${high!.toFixed(2)})`;
}
