// A home whose WAN is PPPoE of a real kernel, by IPv4 and IPv6: whether its second clock stands there, and what the provider
// sees while queues, line and cable are changed. Run in a guest of its own: node table.js [KB/s] [SECONDS A ROW] [ROWS]
import { setTimeout as delay } from 'node:timers/promises';
import type { Status } from '../../../src/core/home/api.ts';
import { CLOCK_NETDEV, TABLE } from '../../../src/core/plan/names.ts';
import { lab } from '../../../src/research/lab/bed/topology.ts';
import { sdOf } from '../../moments.ts';
import { CLOUD, CLOUD6, DEVICE, DEVICE6, HomeNetwork } from '../../net/home-network.ts';
import { intervalsMs, packetsPerS, sizes } from '../../net/wire.ts';
import { type Case, cases, type Home } from './cases.ts';
import { PppoeLine } from './pppoe-line.ts';
import { ENDPOINT6, type Frame, type PppoeWire, readPppoeWire } from './pppoe-wire.ts';

const rateKBps = Number(process.argv[2] ?? 20);
const seconds = Number(process.argv[3] ?? 15);
const pattern = new RegExp(process.argv[4] ?? '');
const PACKET_BYTES = 512;
const MEAN_MS = PACKET_BYTES / rateKBps;
/** Of the mean, as the configuration's own default has it. */
const SD_SHARE = 0.3;
/** All has to have been well for so long. */
const SETTLED_MS = 5000;
/** An emulated machine takes its time. */
const GIVE_UP_MS = 120_000;
const START_MS = 300_000;
/** The average may be off by so much over a row, which has a few hundred packets. */
const OFF_SHARE = 0.1;

interface Look {
  timeS: number;
  status: Status | null;
}

/** Looks at the home's status until stopped. */
async function look(network: HomeNetwork, looks: Look[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const status = await network.status().catch(() => null);
    looks.push({ timeS: Date.now() / 1000, status });
    await delay(300, undefined, { signal }).catch(() => {}); // the service tells it no other way here
  }
}

/** More than the rate carries, each way and by both families. */
function talk(network: HomeNetwork): void {
  network.start('devices', ['ping', '-n', '-q', '-i', '0.1', '-s', '300', '-I', DEVICE, CLOUD]);
  network.start('devices', ['ping', '-6', '-n', '-q', '-i', '0.2', '-I', DEVICE6, CLOUD6]);
  const again = (words: string): string[] => ['sh', '-c', `while :; do ${words}; sleep 1; done`];
  const bound = `bind=${DEVICE},connect-timeout=5`;
  network.start('devices', again(`socat -u -T 10 TCP4:${CLOUD}:9001,${bound} OPEN:/dev/null`));
  network.start(
    'devices',
    again(`socat -u -T 10 FILE:dist/iotshaper.js TCP4:${CLOUD}:9000,${bound}`),
  );
}

async function droppedAtTuns(network: HomeNetwork): Promise<number> {
  return (await network.droppedAtTun('router')) + (await network.droppedAtTun('endpoint'));
}

/** Packets that the chains at this end have led to the clock; null where they do not stand. */
async function led(network: HomeNetwork, place: 'router' | 'endpoint'): Promise<number | null> {
  const listed = await network
    .netns(place, ['nft', 'list', 'table', 'netdev', TABLE])
    .catch(() => '');
  if (!listed.includes(CLOCK_NETDEV)) return null;
  return Number(/packets (\d+)/.exec(listed)?.[1] ?? Number.NaN);
}

function sdMs(frames: readonly Frame[]): number {
  return sdOf(intervalsMs(frames));
}

function silenceS(frames: readonly Frame[], fromS: number, toS: number): number {
  const within = frames.map(({ timeS }) => timeS).filter((timeS) => timeS > fromS && timeS < toS);
  const all = [fromS, ...within, toS];
  return Math.max(...all.slice(1).map((timeS, index) => timeS - all[index]!));
}

/** Waits until nothing was wrong for {@link SETTLED_MS}; resolves with the moment from which on all was well, s: Infinity where it never was. */
async function settled(looks: readonly Look[]): Promise<number> {
  const sinceMs = Date.now();
  for (;;) {
    const lastBad = looks.findLast(({ status }) => status?.state !== 'shaping');
    const wellMs = Math.max(sinceMs, 1000 * (lastBad?.timeS ?? 0));
    if (Date.now() - wellMs > SETTLED_MS) return wellMs / 1000;
    if (Date.now() - sinceMs > GIVE_UP_MS) return Number.POSITIVE_INFINITY;
    await delay(200); // what is looked at elsewhere
  }
}

/** The same, where nobody looks yet. */
async function settledOf(network: HomeNetwork): Promise<void> {
  const looks: Look[] = [];
  const looking = new AbortController();
  const looker = look(network, looks, looking.signal);
  await settled(looks);
  looking.abort();
  await looker;
}

/** What was seen of one case. */
interface Row {
  wire: PppoeWire;
  looks: readonly Look[];
  dropped: number;
  /** From when to when it was looked at, and from when on nothing was done any more and all was well, s. */
  fromS: number;
  mendedS: number;
  wellS: number;
  toS: number;
  /** Packets that each end's chains led to its clock within two seconds at the end; null where they do not stand. */
  led: readonly (number | null)[];
}

const ENDS = ['home', 'endpoint'] as const;
const WAYS = ['up', 'down'] as const;

async function watch(home: Home, one: Case): Promise<Row> {
  const { network } = home;
  const readLed = () => Promise.all([led(network, 'router'), led(network, 'endpoint')]);
  const before = await droppedAtTuns(network);
  const stop = await network.capture('row.pcap');
  const looks: Look[] = [];
  const looking = new AbortController();
  const looker = look(network, looks, looking.signal);
  const fromS = Date.now() / 1000;
  await one.plant(home, seconds);
  const mendedS = Date.now() / 1000;
  const wellS = one.isSteady ? mendedS : await settled(looks);
  const ledBefore = await readLed();
  await delay(2000);
  const ledAfter = await readLed();
  const toS = Date.now() / 1000;
  looking.abort();
  await looker;
  const wire = await readPppoeWire(await stop());
  const dropped = (await droppedAtTuns(network)) - before;
  const ledSince = ledAfter.map((packets, at) =>
    packets === null || ledBefore[at] === null ? null : packets - ledBefore[at]!,
  );
  return { wire, looks, dropped, fromS, mendedS, wellS, toS, led: ledSince };
}

/** What was not as it should be, whatever was done. */
function findFaults({ wire, looks, wellS, fromS, led }: Row, isSteady: boolean): string[] {
  const last = looks.at(-1)?.status;
  // While nothing of a device leaves, hellos of other sizes try how large a packet gets through.
  const isWhole = ({ timeS }: Frame) => isSteady || timeS < fromS || timeS > wellS;
  return [
    ...(Number.isFinite(wellS) ? [] : ['did not come again']),
    ...(last?.state === 'shaping' ? [] : [`at the end: ${last?.reason}`]),
    ...WAYS.flatMap((way) => {
      const found = sizes(wire[way].filter(isWhole));
      return found.length === 1 ? [] : [`frames ${way} of ${found.join(', ')} bytes`];
    }),
    ...(wire.devices.length > 0 ? [`${wire.devices.length} of devices: ${wire.devices[0]}`] : []),
    ...(wire.bare.length > 0 ? [`${wire.bare.length} that are not PPPoE: ${wire.bare[0]}`] : []),
    ...led.flatMap((packets, at) => {
      if (packets === null) return [`no second clock at the ${ENDS[at]}`];
      return packets > 0 ? [] : [`nothing comes to the second clock of the ${ENDS[at]}`];
    }),
    ...[...warningsOf(looks)].filter((text) => text.includes('second clock')),
  ];
}

/** What has to hold besides where the line stands all the while. */
function findUnsteady({ wire, looks, dropped }: Row): string[] {
  const bad = looks.find(({ status }) => status?.state !== 'shaping');
  return [
    ...(bad ? [`meanwhile: ${bad.status?.reason ?? 'no answer'}`] : []),
    ...WAYS.flatMap((way) => {
      const got = packetsPerS(wire[way]);
      return Math.abs((got * MEAN_MS) / 1000 - 1) > OFF_SHARE
        ? [`${got.toFixed(1)} packets/s ${way}`]
        : [];
    }),
    ...(dropped > 0 ? [`${dropped} dropped at the tuns`] : []),
  ];
}

function warningsOf(looks: readonly Look[]): Set<string> {
  return new Set(looks.flatMap(({ status }) => status?.config.warnings ?? []));
}

/** Prints a row; resolves with whether all was as it should be. */
async function tryCase(home: Home, family: string, one: Case): Promise<boolean> {
  const { isSteady } = one;
  await one.prepare?.(home);
  if (isSteady) await settledOf(home.network);
  const row = await watch(home, one);
  const { wire, looks, fromS, mendedS, wellS, toS } = row;
  const faults = [...findFaults(row, isSteady), ...(isSteady ? findUnsteady(row) : [])];
  const both = (of: (frames: readonly Frame[]) => string) => WAYS.map((way) => of(wire[way]));
  const shown = [
    `${family}: ${one.name}`,
    both((frames) => sizes(frames).join(', ')),
    isSteady ? both((frames) => packetsPerS(frames).toFixed(1)) : '–',
    isSteady ? both((frames) => sdMs(frames).toFixed(1)) : '–',
    both((frames) => silenceS(frames, fromS, toS).toFixed(isSteady ? 2 : 1)),
    isSteady ? '–' : (wellS - mendedS).toFixed(1),
    row.dropped,
    wire.own.length,
    faults.length === 0 ? 'yes' : `**BROKEN**: ${faults.join('; ')}`,
  ];
  console.log(
    `| ${shown.map((cell) => (Array.isArray(cell) ? cell.join(' / ') : cell)).join(' | ')} |`,
  );
  const own = new Set(wire.own.map((text) => `the router itself: ${text}`));
  const said = new Set(looks.map(({ status }) => `said: ${status?.reason ?? 'no answer'}`));
  const warned = [...warningsOf(looks)].map((text) => `warned: ${text}`);
  const told = faults.length > 0 ? [...said, ...warned] : [];
  for (const text of [...told, ...own]) console.log(`    ${text}`);
  return faults.length === 0;
}

/** One life of a home that reaches its endpoint by this family; resolves with how many rows are broken. */
async function tryFamily(family: string, host: string): Promise<number> {
  const chosen = cases.filter(({ name }) => pattern.test(`${family}: ${name}`));
  if (chosen.length === 0) return 0;
  const main = [`option rate '${rateKBps}'`];
  const network = await HomeNetwork.build({ id: 'ppp', ipv6: true, host, main });
  try {
    const line = await PppoeLine.lay(network);
    await line.call();
    network.startEndpoint();
    network.startHome();
    await network.startCloud(CLOUD);
    await network.startCloud(CLOUD6);
    const startMs = performance.now();
    await network.await('shaping', START_MS);
    const startS = ((performance.now() - startMs) / 1000).toFixed(0);
    talk(network);
    let broken = 0;
    for (const one of chosen) if (!(await tryCase({ network, line }, family, one))) broken++;
    console.log(`    by ${family} it shaped ${startS} s after its start`);
    return broken;
  } catch (error) {
    console.log(network.logs.get('home'), network.logs.get('endpoint'));
    throw error;
  } finally {
    await network.close();
  }
}

console.log(
  `Asked: ${(1000 / MEAN_MS).toFixed(1)} packets/s, intervals of ${MEAN_MS.toFixed(1)} ms, sd ${(SD_SHARE * MEAN_MS).toFixed(1)} ms\n\n` +
    '| done meanwhile | bytes of a frame up / down | packets/s | sd, ms | longest silence, s | well after, s | dropped at the tuns | the router’s own packets | as it should be |\n' +
    '|---|---|---|---|---|---|---|---|---|',
);
const broken =
  (await tryFamily('IPv4', lab.endpointAddress)) + (await tryFamily('IPv6', ENDPOINT6));
console.log(`\n${broken === 0 ? 'all as it should be' : `${broken} rows BROKEN`}`);
process.exit(broken === 0 ? 0 : 1);
