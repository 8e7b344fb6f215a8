// Bench: what the Internet's side of an endpoint shows of one home among n: mixing.js [SECONDS] [SEEDS] [RUN…]
// Each RUN is the folder of a lab run with the devices of `KINDS`, the first the watched home, five in all: the same of recorded homes.
import { FEWEST_WINDOWS, labelWindows } from '../../src/core/analysis/audit-activity.ts';
import { testWindows } from '../../src/core/analysis/audit-windows.ts';
import { mean, quantileOfSorted } from '../../src/core/analysis/statistics/sample.ts';
import { renderTable } from '../../src/core/plot/text-table.ts';
import { drawIndex, type Random, seededRandom } from '../../src/core/random/random.ts';
import { RateSeries } from '../../src/research/analysis/identify/features.ts';
import { identifyDevices, judgeByRates } from '../../src/research/analysis/identify/identify.ts';
import { defaultLabels } from '../../src/research/analysis/labels.ts';
import type { DeviceId } from '../../src/research/devices/catalogue.ts';
import { planHousehold } from '../../src/research/lab/emulators/household.ts';
import type { Activity, DevicePlan } from '../../src/research/lab/emulators/plan.ts';
import { defaultVariantOptions, variantOf } from '../../src/research/simulation/variants.ts';
import type { ServedHome } from '../mixing/far-side.ts';
import { departuresOf, findPartners, linkToTunnels } from '../mixing/linking.ts';
import { homesOfServers, type MixedPacket, mixHomes, turnHome } from '../mixing/mix.ts';
import {
  delaysThroughEndpoint,
  RESOLVER,
  type RecordedHome,
  readServedHome,
} from '../mixing/recording.ts';
import { liveHome } from '../mixing/served-home.ts';

const [secondsText = '7200', seedsText = '3', ...folders] = process.argv.slice(2);
const KINDS: readonly DeviceId[] = ['sense', 'nest-cam', 'wemo-switch'];
/** What other homes have where none has a device of the same maker. */
const OTHER_KINDS: readonly DeviceId[] = ['amcrest', 'tp-link-plug', 'orvibo-socket', 'echo'];
const COUNTS = [5, 20];
const MOST_HOMES = Math.max(...COUNTS);
const WINDOWS_S = [1, 5, 60];
const MOST_WINDOWS = 1800;
const PERMUTATIONS = 999;
/** A use is one packet a tenth of a second to what labels windows. */
const TICK_S = 0.1;
/** What a packet takes through the endpoint, a tenth of them each, where no run was given to measure it in: as runs in the lab had it. */
const USUAL_DELAYS_MS = [0.26, 0.3, 0.33, 0.35, 0.36, 0.4, 0.5, 0.65, 0.9, 2];
/** Within this share of the delays measured a packet is taken to be of the slot before it. */
const WITHIN_SHARE = 0.8;

/** Homes that one endpoint may serve: the watched one, and others like it or unlike it. */
interface Scene {
  name: string;
  seconds: number;
  seed: number;
  target: ServedHome;
  /** When somebody uses the watched home's devices. */
  uses: readonly Activity[];
  same: ServedHome[];
  /** Empty where there are none. */
  different: ServedHome[];
}

/** What is to be told of the watched home: that any device speaks, or that somebody uses one. */
const questions = {
  'says anything': ({ target }: Scene) => target.activity,
  'is used': ({ uses }: Scene) =>
    uses
      .flatMap(({ startS, endS }) =>
        Array.from({ length: Math.ceil((endS - startS) / TICK_S) }, (_, k) => ({
          timeS: startS + k * TICK_S,
        })),
      )
      .sort((a, b) => a.timeS - b.timeS),
};

type Question = keyof typeof questions;

const runs = await Promise.all(folders.map((folder) => readServedHome(folder)));
const [recorded] = runs;
const delaysMs = recorded
  ? runs.flatMap((run) => delaysThroughEndpoint(run)).sort((a, b) => a - b)
  : USUAL_DELAYS_MS;
const withinMs = quantileOfSorted(delaysMs, WITHIN_SHARE);
const scenes: Scene[] = [];
for (let seed = 1; seed <= Number(seedsText); seed++) {
  const seconds = Number(secondsText);
  scenes.push({
    ...{ name: `simulated ${seed}`, seconds, seed, ...watched(seed, seconds) },
    same: others(seed, seconds, KINDS),
    different: others(seed, seconds, OTHER_KINDS),
  });
}
if (recorded) {
  for (const run of runs) tellRecorded(run);
  console.log();
  const { seconds, seed } = recorded;
  const common = { seconds, seed, different: [] };
  const simulated = runs.map((run) => watched(run.seed, seconds));
  const around = (homes: readonly ServedHome[]) =>
    Array.from({ length: MOST_HOMES - 1 }, (_, k) => {
      const round = Math.floor(k / (homes.length - 1));
      return turnHome(homes[1 + (k % (homes.length - 1))]!, (seconds * round) / 5, seconds);
    });
  const { target, uses } = simulated[0]!;
  scenes.push(
    { ...common, name: 'recorded', target: recorded, uses, same: around(runs) },
    {
      ...{ ...common, name: 'the same, simulated', target, uses },
      same: around(simulated.map((one) => one.target)),
    },
  );
}
tellActivity('says anything');
tellActivity('is used');
tellLinks();
tellPartners();
tellKinds();

function watched(seed: number, seconds: number): Pick<Scene, 'target' | 'uses'> {
  const plan = planHousehold({ seed, durationS: seconds, devices: KINDS });
  return { target: live(plan, seed, seconds), uses: plan.activities };
}

function others(seed: number, durationS: number, devices: readonly DeviceId[]): ServedHome[] {
  return Array.from({ length: MOST_HOMES - 1 }, (_, k) => {
    const own = 1000 * seed + k + 1;
    return live(planHousehold({ seed: own, durationS, devices }), own, durationS);
  });
}

function live({ exchanges }: DevicePlan, seed: number, durationS: number): ServedHome {
  return liveHome(exchanges, {
    ...{ seed, durationS, variant: variantOf('packed-vit', defaultVariantOptions) },
    endpointMs: (random: Random) => delaysMs[drawIndex(random, delaysMs.length)]!,
  });
}

/** All that leaves and enters the endpoint on its Internet side. */
function mix({ target, same, different, seed }: Scene, homes: number, others: Others) {
  const beside = (others === 'same' ? same : different).slice(0, homes - 1);
  return mixHomes(
    [target, ...beside].map(({ far }) => far),
    seededRandom(seed, 5),
  );
}

type Others = 'same' | 'different';

function labelsOf(scene: Scene, question: Question, windowS: number) {
  const windows = Math.min(MOST_WINDOWS, Math.floor(scene.seconds / windowS));
  const place = { startS: 0, windowS, windows };
  return { place, labels: labelWindows(questions[question](scene), place) };
}

/** How well what is seen tells it of windows. */
function tell(
  scene: Scene,
  packets: readonly MixedPacket[] | null,
  question: Question,
  windowS: number,
): string {
  const { place, labels } = labelsOf(scene, question, windowS);
  if (!packets || Math.min(labels.active, labels.idle) < FEWEST_WINDOWS) return '–';
  const seen = packets.filter(({ timeS }) => timeS < place.windows * windowS);
  const options = { ...place, labels, permutations: PERMUTATIONS, level: 0.01, seed: scene.seed };
  const { figures, tests } = testWindows(seen, options);
  const p = tests.results.find(({ name }) => name === 'forest')?.pValue ?? Number.NaN;
  const { value, low, high } = figures.forest ?? { value: Number.NaN, low: 0, high: 1 };
  const interval = `${value.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
  return `${interval} p ${p.toFixed(p < 0.1 ? 3 : 2)}`;
}

/** The packets of connections that somebody who watches the tunnels as well gives to the watched home. */
function linkedToTarget(scene: Scene, packets: readonly MixedPacket[], homes: number) {
  const { departures, called } = linkAll(scene, packets, homes, 'same');
  const own = new Set(
    departures.filter((_, k) => called[k] === 0).map(({ connection }) => connection),
  );
  return packets.filter(({ connection }) => own.has(connection));
}

/** Connections of devices: what the endpoint's resolver asks is of no home. */
function devicesOf(packets: readonly MixedPacket[]) {
  return departuresOf(packets.filter(({ connection }) => connection.device !== RESOLVER));
}

function linkAll(
  { target, same, different }: Scene,
  packets: readonly MixedPacket[],
  homes: number,
  others: Others,
  most = Number.POSITIVE_INFINITY,
) {
  const departures = devicesOf(packets).map(({ connection, timesS }) => ({
    connection,
    timesS: timesS.slice(0, most),
  }));
  const tunnels = [target, ...(others === 'same' ? same : different)]
    .slice(0, homes)
    .map(({ tunnelS }) => Float64Array.from(tunnelS));
  return { departures, called: linkToTunnels(departures, tunnels, withinMs / 1000) };
}

function tellActivity(question: Question): void {
  const rows = WINDOWS_S.flatMap((windowS) =>
    scenes.map((scene) => {
      const { labels } = labelsOf(scene, question, windowS);
      const mixes = [
        mix(scene, 1, 'same'),
        ...COUNTS.map((homes) => mix(scene, homes, 'same')),
        ...COUNTS.map((homes) =>
          scene.different.length > 0 ? mix(scene, homes, 'different') : null,
        ),
        linkedToTarget(scene, mix(scene, MOST_HOMES, 'same'), MOST_HOMES),
      ];
      return [
        ...[`${windowS} s`, scene.name, `${labels.active}/${labels.idle}`],
        ...mixes.map((packets) => tell(scene, packets, question, windowS)),
      ];
    }),
  );
  console.log(
    `Whether the watched home ${question}, told by times, sizes and directions of all packets on the Internet’s side: AUC (95 %), p of chance; guessing 0.50\n`,
  );
  const titles = [
    ...['window', 'home', 'active/idle', 'alone'],
    ...COUNTS.map((homes) => `${homes} homes, same devices`),
    ...COUNTS.map((homes) => `${homes} homes, others`),
    `${MOST_HOMES} homes, tunnels watched`,
  ];
  console.log(
    renderTable(
      titles.map((title) => ({ title })),
      rows,
    ),
  );
}

/** Shares of connections whose home the tunnels' times tell. */
function tellLinks(): void {
  const rows = COUNTS.map((homes) => {
    const shareOf = (most?: number) => {
      const found = scenes.flatMap((scene) => {
        const { departures, called } = linkAll(
          scene,
          mix(scene, homes, 'same'),
          homes,
          'same',
          most,
        );
        return departures.map(({ connection }, k) => Number(connection.home === called[k]));
      });
      return percent(mean(found));
    };
    return [
      String(homes),
      percent(1 / homes),
      shareOf(1),
      shareOf(3),
      shareOf(10),
      shareOf(30),
      shareOf(),
    ];
  });
  console.log(
    `Connections given to the right home by whoever watches the tunnels as well (a packet in at most ${withinMs.toFixed(2)} ms before each out), by their first packets\n`,
  );
  const titles = ['homes', 'guessing', '1 packet', '3', '10', '30', 'all'];
  console.log(
    renderTable(
      titles.map((title) => ({ title, right: true })),
      rows,
    ),
  );
}

function tellPartners(): void {
  const rows = COUNTS.map((homes) => {
    const found = scenes.flatMap((scene) => {
      const departures = devicesOf(mix(scene, homes, 'same'));
      return findPartners(departures).map((partner, k) =>
        Number(departures[partner]?.connection.home === departures[k]!.connection.home),
      );
    });
    return [String(homes), percent(1 / homes), percent(mean(found)), String(found.length)];
  });
  console.log(
    'Connections whose likeliest companion (another kind of device that leaves together with it) is of the same home, from the Internet’s side alone\n',
  );
  const titles = ['homes', 'guessing', 'right', 'connections'];
  console.log(
    renderTable(
      titles.map((title) => ({ title, right: true })),
      rows,
    ),
  );
}

/** Which kinds of devices there are, and what each connection, or each server's share, is by its rates. */
function tellKinds(): void {
  const scene = scenes[0]!;
  const rows = ([1, ...COUNTS] as const).flatMap((homes) =>
    (homes === 1 ? (['same'] as const) : (['same', 'different'] as const)).map((others) => {
      const packets = mix(scene, homes, others);
      const connections = [...new Set(packets.map(({ connection }) => connection))];
      const servers = homesOfServers(connections);
      const own = [
        ...new Set(connections.filter(({ home }) => home === 0).map(({ server }) => server)),
      ];
      return [
        homes === 1 ? 'alone' : `${homes}, ${others === 'same' ? 'same devices' : 'others'}`,
        `${connections.length}`,
        `${servers.size}`,
        `${own.filter((server) => servers.get(server) === 1).length} of ${own.length}`,
        ...(['server', 'connection'] as const).flatMap((by) => judge(scene, packets, by)),
      ];
    }),
  );
  console.log(
    `Kinds of devices, simulated home 1: servers’ names name them; windows of 60 s of a server’s or a connection’s rates called after the right kind (unbroken folds), guessing in brackets\n`,
  );
  const titles = [
    ...['homes', 'connections', 'servers', 'only the home’s own'],
    ...['kinds named', 'by servers’ rates', 'kinds named', 'by connections’ rates'],
  ];
  console.log(
    renderTable(
      titles.map((title) => ({ title })),
      rows,
    ),
  );
}

function judge(
  { seconds, seed, name }: Scene,
  packets: readonly MixedPacket[],
  by: 'server' | 'connection',
): string[] {
  const streams = new Map<string, { server: string; series: RateSeries; packets: number }>();
  for (const packet of packets) {
    const { server, port, protocol } = packet.connection;
    const key = by === 'server' ? server : `${protocol} ${port} ${server}`;
    const stream = streams.get(key) ?? { server, series: new RateSeries(1), packets: 0 };
    streams.set(key, stream);
    stream.series.add(packet);
    stream.packets++;
  }
  const devices = identifyDevices(
    [
      {
        ...{ file: name, fromS: 0, toS: seconds },
        streams: [...streams].map(([key, { server, series, packets }]) => ({
          ...{ key, mac: null, addresses: [], names: [server.split(':')[0]!] },
          ...{ packets, upBytes: 0, downBytes: 0, series },
        })),
      },
    ],
    defaultLabels(),
    null,
  );
  const named = new Set(devices.flatMap(({ dnsLabel }) => dnsLabel ?? []));
  const options = { classifier: 'neighbours', neighbours: 3, folds: 10, seed } as const;
  const told = judgeByRates(devices, 60, 1, options)?.contiguous;
  const rates = told ? `${percent(told.accuracy)} (${percent(told.baseline)})` : '–';
  return [String(named.size), rates];
}

function tellRecorded(run: RecordedHome): void {
  const { far, tunnelS, seconds, seed } = run;
  const delays = delaysThroughEndpoint(run);
  const [half, most] = [0.5, 0.99].map((share) => quantileOfSorted(delays, share).toFixed(2));
  const up = far.filter(({ direction }) => direction === 'up').length;
  console.log(
    `Recorded, seed ${seed}: ${seconds} s, ${up} packets out and ${far.length - up} in; ${tunnelS.length} packets up in the tunnel; a device's packet leaves ${half} ms after one of them in the middle, 99 of 100 within ${most} ms`,
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
