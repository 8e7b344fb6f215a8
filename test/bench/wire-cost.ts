// What shaping costs and how exact it is, each figure beside its comparison, labs side by side in one run: a home and its endpoint beside
// plain OpenVPN that carries the same packets. As root after `make build`: node build/test/bench/wire-cost.js [SECONDS] [RATES] [FOLDER]
import { cpus, loadavg } from 'node:os';
import { FRAME_HEADER_BYTES, frameBytes } from '../../src/core/framing/frame.ts';
import { streamDefaults } from '../../src/core/stream/stream.ts';
import { monotonicMs } from '../../src/research/lab/traffic/traffic-log.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { HomeNetwork } from '../net/home-network.ts';
import { nodeFlags } from './node-flags.ts';
import {
  compareDelays,
  type DelayRow,
  type Load,
  lightLoad,
  type Played,
  pauseUntil,
  planLoad,
  playPlan,
  shareLoad,
} from './wire-cost/devices.ts';
import { captureWire, type Exactness, measureExactness } from './wire-cost/exactness.ts';
import {
  costFigures,
  delayFigures,
  detailsOf,
  exactnessFigures,
  goodputFigures,
  memoryFigures,
  type Shown,
  splitLines,
  startFigures,
} from './wire-cost/figures.ts';
import { PlainTunnel } from './wire-cost/plain.ts';
import { memoryOf, readFamily } from './wire-cost/process-costs.ts';
import { type Figure, renderTable, writeReport } from './wire-cost/report.ts';
import { timeStart } from './wire-cost/start.ts';

const seconds = Number(process.argv[2] || 30);
const rates = (process.argv[3] || '10,40,100,400').split(',').map(Number);
const folder = process.argv[4] || 'out/bench';
const SEED = 1;
const STARTS = 3;
/** Streams and clock settle in so long. */
const SETTLE_MS = 5000;
/** Parts of a run by which a ratio's spread is told. */
const PARTS = 3;
/** Above this rate devices' delays are a slot or two whatever the load, and are not compared. */
const DELAYS_UNTIL_KBPS = 100;
const HEAVY_SHARE = 0.6;
const SATURATED_SHARE = 1.5;
const SATURATED_S = 10;
/** Rates beyond those asked that are tried for a moment; a home refuses 2,000 where timers are as good as here. */
const TOP_RATES = [1000];
const TOP_S = 10;

const { packetBytes } = streamDefaults;
const load = (): number => loadavg()[0]!;
const pause = (ms: number): Promise<void> => pauseUntil(monotonicMs() + ms);

/** Lines of the home's log that say that it holds devices: what waits then has its own share of the delays. */
const holds: string[] = [];
function hearHolds(network: HomeNetwork): void {
  network.services.get('home')!.stderr!.on('data', (text: string) => {
    holds.push(...text.split('\n').filter((line) => /\bblocked: /.test(line)));
  });
}

async function setRate(network: HomeNetwork, rateKBps: number): Promise<void> {
  await network.configure([`option rate '${rateKBps}'`]);
  await network.reread();
  await pause(SETTLE_MS);
  await network.await('shaping');
}

async function play(network: HomeNetwork, kind: Load, forS: number, rateKBps: number) {
  const plan = planLoad(kind, forS, SEED);
  const playing = await playPlan(network, plan, forS);
  return {
    ...{ plan, playing },
    compare: ({ delays }: Played) =>
      compareDelays(kind.name, plan, delays, { rateKBps, packetBytes }),
  };
}

async function measure(network: HomeNetwork, plain: PlainTunnel, rateKBps: number): Promise<Shown> {
  await setRate(network, rateKBps);
  plain.generate(rateKBps, packetBytes, SEED);
  const pids = {
    home: network.services.get('home')!.pid!,
    endpoint: network.services.get('endpoint')!.pid!,
    plainHome: plain.pids.home,
    plainEndpoint: plain.pids.endpoint,
  };
  const readings: Shown['readings'] = { home: [], endpoint: [], plainHome: [], plainEndpoint: [] };
  holds.length = 0;
  const light = await play(network, lightLoad, seconds, rateKBps);
  const stop = await captureWire(network);
  await pauseUntil(light.playing.startMs);
  const before = await plain.packets();
  for (let part = 0; part <= PARTS; part++) {
    await pauseUntil(light.playing.startMs + (part * seconds * 1000) / PARTS);
    for (const [name, pid] of Object.entries(pids)) {
      readings[name as keyof typeof pids].push(readFamily(pid));
    }
  }
  const after = await plain.packets();
  const { wire, dropped } = await stop();
  const loadThen = load();
  plain.quiet();
  const memory = { home: memoryOf(pids.home), endpoint: memoryOf(pids.endpoint) };
  const delays: DelayRow[] = [];
  const isCompared = rateKBps <= DELAYS_UNTIL_KBPS;
  const played = await light.playing.finish();
  if (isCompared) {
    delays.push(...(await light.compare(played)));
    const heavy = await play(network, shareLoad('heavy', HEAVY_SHARE, rateKBps), seconds, rateKBps);
    delays.push(...(await heavy.compare(await heavy.playing.finish())));
  }
  const saturated = shareLoad('saturated', SATURATED_SHARE, rateKBps);
  const full = await play(network, saturated, SATURATED_S, rateKBps);
  const { arrivedKBps } = await full.playing.finish();
  return {
    ...{ rateKBps, load: loadThen, readings, memory, delays, captureDropped: dropped },
    plainPps: {
      up: (after.up - before.up) / seconds,
      down: (after.down - before.down) / seconds,
    },
    exactness: measureExactness(wire, rateKBps, packetBytes),
    goodput: arrivedKBps,
    holds: [...holds],
  };
}

/** Whether a rate beyond those asked is held, for a moment. */
async function tryRate(network: HomeNetwork, rateKBps: number): Promise<Exactness[]> {
  await setRate(network, rateKBps);
  const stop = await captureWire(network);
  await pause(TOP_S * 1000);
  return measureExactness((await stop()).wire, rateKBps, packetBytes);
}

async function timeStarts(network: HomeNetwork) {
  const times: { answersMs: number; shapesMs: number }[] = [];
  for (let start = 0; start < STARTS; start++) {
    if (start > 0) await network.stop('home');
    times.push(await timeStart(network));
  }
  return times;
}

const beganMs = monotonicMs();
const network = await HomeNetwork.build({ id: 'wcost' });
network.nodeFlags = nodeFlags;
let plain: PlainTunnel | null = null;
const figures: Figure[] = [];
const details: ReturnType<typeof detailsOf>[] = [];
const loads: Record<string, number> = { atStart: load() };
try {
  network.startEndpoint();
  await network.logged('endpoint', /Initialization Sequence Completed/);
  figures.push(...startFigures(await timeStarts(network)));
  hearHolds(network);
  plain = await PlainTunnel.start('wplain');
  for (const rateKBps of rates) {
    const shown = await measure(network, plain, rateKBps);
    loads[`${rateKBps}`] = shown.load;
    const own = [
      ...costFigures(shown),
      ...memoryFigures(shown),
      ...exactnessFigures(shown.exactness, rateKBps),
      ...delayFigures(shown.delays, rateKBps),
      ...goodputFigures(shown, (frameBytes(packetBytes) - FRAME_HEADER_BYTES) / packetBytes),
    ];
    figures.push(...own);
    details.push(detailsOf(shown));
    console.log(renderTable(own).join('\n'));
    console.log(splitLines(shown).join('\n'));
  }
  for (const rateKBps of TOP_RATES) {
    figures.push(...exactnessFigures(await tryRate(network, rateKBps), rateKBps));
    loads[`${rateKBps}`] = load();
  }
} finally {
  await plain?.close();
  await network.stop('home').catch(() => {});
  await network.close();
}
const rest = figures.filter(({ rateKBps }) => rateKBps === null || !rates.includes(rateKBps));
console.log(renderTable(rest).join('\n'));
const openvpn = (await run(['openvpn', '--version']).catch((error) => error)) as {
  stdout?: string;
};
const machine = {
  processors: cpus().map(({ model }) => model),
  node: process.version,
  openvpn: openvpn.stdout?.split('\n')[0] ?? '',
};
const files = writeReport(folder, {
  ...{ seed: SEED, seconds, packetBytes, machine, loads, figures, details },
  tookS: (monotonicMs() - beganMs) / 1000,
});
console.log(
  `\n${seconds} s of each rate, seed ${SEED}; ${machine.processors.length} × ${machine.processors[0]}, Node.js ${machine.node}, ${machine.openvpn}`,
);
console.log(
  `load average ${Object.entries(loads)
    .map(([when, one]) => `${when}: ${one.toFixed(1)}`)
    .join(', ')}`,
);
console.log(files.join('\n'));
process.exit(0);
