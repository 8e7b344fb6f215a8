// What shaping costs and how exact it is, each figure beside its comparison, labs side by side in one run: a home and its endpoint with
// two clocks and with one, plain OpenVPN that carries the same packets, the paper's prototype with the same devices, the simulator's ideal.
// As root after `make build`: node build/test/bench/wire-cost.js [SECONDS] [RATES] [FOLDER]
import { cpus, loadavg, release, totalmem } from 'node:os';
import { FRAME_HEADER_BYTES, frameBytes } from '../../src/core/framing/frame.ts';
import { streamDefaults } from '../../src/core/stream/stream.ts';
import { monotonicMs } from '../../src/research/lab/traffic/traffic-log.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { HomeNetwork } from '../net/home-network.ts';
import { nodeFlags } from './node-flags.ts';
import { PlainTunnel } from './wire-cost/comparisons.ts';
import { detailsOf, splitLines } from './wire-cost/details.ts';
import {
  costFigures,
  delayFigures,
  exactnessFigures,
  goodputFigures,
  memoryFigures,
  sizeFigures,
  startFigures,
} from './wire-cost/figures.ts';
import { type Bed, measure, PARTS, type Shown, tryRate } from './wire-cost/measure.ts';
import { DRAWS, searchSizes } from './wire-cost/packet-sizes.ts';
import { type Figure, renderTable, writeReport } from './wire-cost/report.ts';
import { timeStart } from './wire-cost/start.ts';

const seconds = Number(process.argv[2] || 25);
const rates = (process.argv[3] || '10,40,100,400').split(',').map(Number);
const folder = process.argv[4] || 'out/bench';
const SEED = 1;
const STARTS = 3;
/** Rates beyond those asked that are tried for a moment; a home refuses 2,000 where timers are as good as here. */
const TOP_RATES = [1000];
const TOP_S = 10;

const { packetBytes } = streamDefaults;
const load = (): number => loadavg()[0]!;

/** Lines of the home's log that say that it holds devices: what waits then has its own share of the delays. */
function hearHolds(network: HomeNetwork): string[] {
  const holds: string[] = [];
  network.services.get('home')!.stderr!.on('data', (text: string) => {
    holds.push(...text.split('\n').filter((line) => /\bblocked: /.test(line)));
  });
  return holds;
}

async function timeStarts(network: HomeNetwork) {
  const times: { answersMs: number; shapesMs: number }[] = [];
  for (let start = 0; start < STARTS; start++) {
    if (start > 0) await network.stop('home');
    times.push(await timeStart(network));
  }
  return times;
}

function figuresOf(shown: Shown): Figure[] {
  const { rateKBps, twoClocks, oneClock } = shown;
  return [
    ...costFigures(shown),
    ...memoryFigures(shown),
    ...exactnessFigures(twoClocks.home.exactness, rateKBps, {
      paper: twoClocks.paper.exactness,
      oneClock: oneClock.home.exactness,
    }),
    ...delayFigures(shown),
    ...goodputFigures(shown, (frameBytes(packetBytes) - FRAME_HEADER_BYTES) / packetBytes),
  ];
}

const beganMs = monotonicMs();
const figures: Figure[] = [];
const details: ReturnType<typeof detailsOf>[] = [];
const loads: Record<string, number> = { atStart: load() };
const network = await HomeNetwork.build({ id: 'wcost' });
network.nodeFlags = nodeFlags;
let plain: PlainTunnel | null = null;
try {
  network.startEndpoint();
  await network.logged('endpoint', /Initialization Sequence Completed/);
  const starts = await timeStarts(network);
  const paperStartS: number[] = [];
  plain = await PlainTunnel.start('wplain', packetBytes);
  const bed: Bed = {
    ...{ network, plain, seconds, packetBytes, seed: SEED },
    holds: hearHolds(network),
  };
  for (const rateKBps of rates) {
    const shown = await measure(bed, rateKBps);
    loads[`${rateKBps}`] = shown.twoClocks.load;
    loads[`${rateKBps}, one clock`] = shown.oneClock.load;
    paperStartS.push(shown.paperStartS);
    const own = figuresOf(shown);
    figures.push(...own);
    details.push(detailsOf(shown));
    console.log(renderTable(own).join('\n'));
    console.log(splitLines(shown).join('\n'));
  }
  for (const rateKBps of TOP_RATES) {
    figures.push(...exactnessFigures(await tryRate(bed, rateKBps, TOP_S), rateKBps));
    loads[`${rateKBps}`] = load();
  }
  figures.push(...startFigures(starts, [plain.lab.startS], paperStartS));
} finally {
  await plain?.close();
  await network.stop('home').catch(() => {});
  await network.close();
}
figures.push(...sizeFigures(await searchSizes(SEED)));
const rest = figures.filter(({ rateKBps }) => rateKBps === null || !rates.includes(rateKBps));
console.log(renderTable(rest).join('\n'));
const openvpn = (await run(['openvpn', '--version']).catch((error) => error)) as {
  stdout?: string;
};
const machine = {
  processors: cpus().map(({ model }) => model),
  memoryMB: Math.round(totalmem() / 1e6),
  kernel: release(),
  node: process.version,
  openvpn: openvpn.stdout?.split('\n')[0] ?? '',
};
const tookS = (monotonicMs() - beganMs) / 1000;
const files = writeReport(folder, {
  ...{ seed: SEED, sizeSeeds: Array.from({ length: DRAWS }, (_, draw) => SEED + draw) },
  ...{ seconds, parts: PARTS, packetBytes, machine, loads, figures, details, tookS },
});
const { processors, memoryMB, kernel, node } = machine;
console.log(
  `\n${seconds} s of each rate and clock, seed ${SEED} (packet sizes ${SEED} to ${SEED + DRAWS - 1}), ${tookS.toFixed(0)} s in all; ` +
    `${processors.length} × ${processors[0]}, ${memoryMB} MB, Linux ${kernel}, Node.js ${node}, ${machine.openvpn}`,
);
console.log(
  `load average ${Object.entries(loads)
    .map(([when, one]) => `${when}: ${one.toFixed(1)}`)
    .join(', ')}`,
);
console.log(files.join('\n'));
process.exit(0);
