// Evaluation: what a busy machine's line shows up and down with the clocks behind OpenVPN and without, by turns in one running lab.
// Run as root after `make build`: node build/test/bench/outer-clock.js [SECONDS A TURN] [TURNS] [RATES]
import { loadavg } from 'node:os';
import { kolmogorovSmirnov } from '../../src/core/analysis/statistics/kolmogorov-smirnov.ts';
import { processTimes } from '../../src/research/lab/bed/processor-time.ts';
import { sdOf } from '../moments.ts';
import { HomeNetwork } from '../net/home-network.ts';
import { packetsPerS, readWire } from '../net/wire.ts';
import { BUSY_MS, keepCoresBusy } from './busy-cores.ts';

const seconds = Number(process.argv[2] ?? 12);
const turns = Number(process.argv[3] ?? 4);
const rates = (process.argv[4] ?? '40,100,400').split(',').map(Number);
const PACKET_BYTES = 512;
/** Streams and clock settle in so long. */
const SETTLE_MS = 4000;
/** Longer than any interval that is drawn: the whole machine stood still, whatever the clocks. */
const STALL_MEANS = 3;
const VARIANTS = [
  { name: 'one clock', standing: '0' },
  { name: 'two clocks', standing: '' },
] as const;

/** One direction in one turn. */
interface Turn {
  idleMs: number[];
  busyMs: number[];
  packetsPerS: number;
  stalls: number;
  cpuSecondsAMinute: number;
  dropped: number;
}

/** Who paces a direction, and where. */
const DIRECTIONS = [
  { name: 'up', role: 'home', place: 'router' },
  { name: 'down', role: 'endpoint', place: 'endpoint' },
] as const;

/** CPU time that a process and its children have taken, s. */
async function cpuSeconds(root: number): Promise<number> {
  const times = await processTimes(root);
  return [...times.values()].reduce((sum, seconds) => sum + seconds, 0);
}

/** What each end has taken and lost so far, in the order of {@link DIRECTIONS}. */
function readCosts(network: HomeNetwork): Promise<{ cpu: number; dropped: number }[]> {
  return Promise.all(
    DIRECTIONS.map(async ({ role, place }) => ({
      cpu: await cpuSeconds(network.services.get(role)!.pid!),
      dropped: await network.droppedAtTun(place),
    })),
  );
}

async function takeTurn(network: HomeNetwork, meanMs: number): Promise<Turn[]> {
  const before = await readCosts(network);
  const stop = await network.capture('turn.pcap');
  await new Promise((done) => setTimeout(done, seconds * 1000));
  const wire = await readWire(await stop());
  const after = await readCosts(network);
  return DIRECTIONS.map(({ name }, index) => {
    const packets = wire[name];
    const all = packets.slice(1).map(({ timeS }, at) => ({
      ms: (timeS - packets[at]!.timeS) * 1000,
      isBusy: (timeS * 1000) % (2 * BUSY_MS) < BUSY_MS,
    }));
    const drawn = all.filter(({ ms }) => ms < STALL_MEANS * meanMs);
    const pick = (busy: boolean) =>
      drawn.filter(({ isBusy }) => isBusy === busy).map(({ ms }) => ms);
    return {
      idleMs: pick(false),
      busyMs: pick(true),
      packetsPerS: packetsPerS(packets),
      stalls: all.length - drawn.length,
      cpuSecondsAMinute: (after[index]!.cpu - before[index]!.cpu) * (60 / seconds),
      dropped: after[index]!.dropped - before[index]!.dropped,
    };
  });
}

function ksText(a: readonly number[], b: readonly number[]): string {
  const { statistic, pValue } = kolmogorovSmirnov(a, b);
  return `${statistic.toFixed(3)} (p ${pValue.toFixed(3)})`;
}

function describe(name: string, taken: readonly Turn[], meanMs: number, askedMs: number): string {
  const idle = taken.flatMap(({ idleMs }) => idleMs);
  const busy = taken.flatMap(({ busyMs }) => busyMs);
  const half = (rest: number) =>
    taken.filter((_, index) => index % 2 === rest).flatMap(({ idleMs }) => idleMs);
  const all = [...idle, ...busy];
  const us = (values: readonly number[]) => (1000 * sdOf(values)).toFixed(0).padStart(5);
  const mean = (of: (turn: Turn) => number) =>
    taken.reduce((sum, turn) => sum + of(turn), 0) / taken.length;
  const tiny = all.filter((ms) => ms < meanMs / 10).length / all.length;
  return [
    `  ${name.padEnd(16)} sd ${us(all)} µs (asked ${(1000 * askedMs).toFixed(0)}); idle ${us(idle)}, busy ${us(busy)}`,
    `by turn ${taken.map(({ idleMs, busyMs }) => us([...idleMs, ...busyMs]).trim()).join(' ')}`,
    `KS idle/busy ${ksText(idle, busy)}, null ${ksText(half(0), half(1))}`,
    `${(100 * tiny).toFixed(2)} % under a tenth of the mean, ${taken.reduce((sum, { stalls }) => sum + stalls, 0)} stalls`,
    `${taken.map(({ packetsPerS }) => packetsPerS.toFixed(1)).join(' ')} packets/s`,
    `CPU ${mean(({ cpuSecondsAMinute }) => cpuSecondsAMinute).toFixed(1)} s a minute`,
    `${taken.reduce((sum, { dropped }) => sum + dropped, 0)} dropped at the tun`,
  ].join('; ');
}

for (const mode of ['vit', 'constant'] as const) {
  for (const rateKBps of mode === 'vit' ? rates : rates.slice(0, 1)) {
    const main = [`option rate '${rateKBps}'`, `option mode '${mode}'`];
    const network = await HomeNetwork.build({ id: 'clk', main });
    let rest: (() => Promise<unknown>) | null = null;
    try {
      network.startEndpoint();
      network.startHome();
      await network.await('shaping');
      rest = keepCoresBusy();
      const meanMs = PACKET_BYTES / rateKBps;
      const taken = VARIANTS.map((): Turn[][] => []);
      for (let turn = 0; turn < turns; turn++) {
        for (const [index, { standing }] of VARIANTS.entries()) {
          await network.configure([...main, `option standing_slots '${standing}'`]);
          await network.reread();
          await new Promise((done) => setTimeout(done, SETTLE_MS));
          await network.await('shaping');
          taken[index]!.push(await takeTurn(network, meanMs));
        }
      }
      const load = loadavg()[0]!.toFixed(0);
      console.log(
        `${mode} at ${rateKBps} KB/s, ${turns} × ${seconds} s each by turns, load ${load}`,
      );
      const askedMs = mode === 'vit' ? 0.3 * meanMs : 0;
      for (const [at, direction] of DIRECTIONS.entries()) {
        for (const [index, { name }] of VARIANTS.entries()) {
          const turnsOf = taken[index]!.map((both) => both[at]!);
          console.log(describe(`${direction.name}, ${name}`, turnsOf, meanMs, askedMs));
        }
      }
    } finally {
      await rest?.();
      await network.close();
    }
  }
}
