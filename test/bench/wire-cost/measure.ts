// What one rate shows: a home with two clocks and with one by turns, beside it the prototype with the same devices and a plain tunnel.
import { loadavg } from 'node:os';
import { monotonicMs } from '../../../src/research/lab/traffic/traffic-log.ts';
import type { HomeNetwork } from '../../net/home-network.ts';
import type { Memory } from '../process-memory.ts';
import { buildPaper, type PlainTunnel } from './comparisons.ts';
import {
  type DelayRow,
  type Ground,
  type Load,
  lightLoad,
  measureDelays,
  type Played,
  pauseUntil,
  planLoad,
  playPlan,
  type SimulatedRow,
  shareLoad,
  simulateDelays,
  soonMs,
} from './devices.ts';
import { captureWire, type Exactness, measureExactness } from './exactness.ts';
import { memoryOf, type Reading, readFamily } from './process-costs.ts';
import type { TunnelLab } from './tunnel-lab.ts';

/** Parts of a run by which spreads are told. */
export const PARTS = 3;
/** Streams and clock settle in so long. */
const SETTLE_MS = 5000;
/** Above this rate devices' delays are a slot or two whatever the load, and are not compared. */
const DELAYS_UNTIL_KBPS = 100;
const HEAVY_SHARE = 0.6;
const SATURATED_SHARE = 1.5;
const SATURATED_S = 10;

export const ENDS = ['home', 'endpoint'] as const;
type AtEnds<T> = Record<(typeof ENDS)[number], T>;
/** Whose processes are read; `sender` is what sends into the plain tunnel. */
type Subject = 'own' | 'plain' | 'sender' | 'paper';

/** What the provider and the devices saw of one lab. */
export interface Seen {
  exactness: Exactness[];
  captureDropped: number;
  /** None where they are not compared. */
  delays: DelayRow[];
}

/** A while of the light load. */
export interface Light {
  load: number;
  /** Readings at the ends of the parts, of each process family. */
  readings: Record<Subject, AtEnds<Reading[]>>;
  /** Packets a second that plain OpenVPN carried. */
  plainPps: { up: number; down: number };
  home: Seen;
  paper: Seen;
  /** What the home said whenever it held devices. */
  holds: string[];
}

/** What one rate showed. */
export interface Shown {
  rateKBps: number;
  twoClocks: Light;
  oneClock: Light;
  heavy: { home: DelayRow[]; paper: DelayRow[] };
  simulated: SimulatedRow[];
  /** At several moments, by program; senders of the plain tunnel left out. */
  memory: Record<'own' | 'plain' | 'paper', AtEnds<Map<string, Memory>[]>>;
  goodput: { home: Played['arrivedKBps']; paper: Played['arrivedKBps'] };
  /** How long the prototype took to start, s. */
  paperStartS: number;
}

export interface Bed {
  network: HomeNetwork;
  plain: PlainTunnel;
  seconds: number;
  packetBytes: number;
  seed: number;
  /** Lines of the home's log that say that it holds devices, from now on. */
  holds: string[];
}

/** Sets the home's rate. @param standing encrypted slots in the clock behind OpenVPN: none for no such clock, '' for as many as fit */
async function setRate({ network }: Bed, rateKBps: number, standing: '0' | ''): Promise<void> {
  await network.configure([
    `option rate '${rateKBps}'`,
    ...(standing === '' ? [] : [`option standing_slots '${standing}'`]),
  ]);
  await network.reread();
  await pauseUntil(monotonicMs() + SETTLE_MS);
  await network.await('shaping');
}

/** Plays one plan in the home's lab and in the prototype's, at once. */
function playBoth(bed: Bed, paper: TunnelLab, load: Load, seconds: number) {
  const plan = planLoad(load, seconds, bed.seed);
  const when = { startMs: soonMs(), seconds, partCount: PARTS };
  const both = ([bed.network, paper] as Ground[]).map((ground) => playPlan(ground, plan, when));
  return {
    plan,
    startMs: when.startMs,
    finish: async () => {
      const [home, prototype] = await Promise.all(both.map(({ finish }) => finish()));
      return { home: home!, paper: prototype! };
    },
  };
}

/** The same asked of each of somebody's ends. */
function atEnds<T>(of: (end: (typeof ENDS)[number]) => T): AtEnds<T> {
  return { home: of('home'), endpoint: of('endpoint') };
}

function bySubject<T>(of: (subject: Subject) => T): Record<Subject, T> {
  return { own: of('own'), plain: of('plain'), sender: of('sender'), paper: of('paper') };
}

type Pids = Record<Subject, AtEnds<number[]>>;

async function readLight(bed: Bed, paper: TunnelLab, pids: Pids, rateKBps: number): Promise<Light> {
  const { network, plain, seconds, packetBytes, holds } = bed;
  const readAll = () => bySubject((subject) => atEnds((end) => readFamily(pids[subject][end])));
  holds.length = 0;
  const playing = playBoth(bed, paper, lightLoad, seconds);
  const stops = [await captureWire(network), await captureWire(paper)];
  await pauseUntil(playing.startMs);
  const before = await plain.packets();
  const all: ReturnType<typeof readAll>[] = [];
  for (let part = 0; part <= PARTS; part++) {
    await pauseUntil(playing.startMs + (part * seconds * 1000) / PARTS);
    all.push(readAll());
  }
  const after = await plain.packets();
  const wires = await Promise.all(stops.map((stop) => stop()));
  const load = loadavg()[0]!;
  const played = await playing.finish();
  const seen = ({ wire, dropped }: (typeof wires)[number], { delays }: Played): Seen => ({
    exactness: measureExactness(wire, { rateKBps, packetBytes }, PARTS),
    captureDropped: dropped,
    delays: rateKBps <= DELAYS_UNTIL_KBPS ? measureDelays('light', delays, PARTS) : [],
  });
  return {
    load,
    readings: bySubject((subject) => atEnds((end) => all.map((one) => one[subject][end]))),
    plainPps: {
      up: (after.up - before.up) / seconds,
      down: (after.down - before.down) / seconds,
    },
    home: seen(wires[0]!, played.home),
    paper: seen(wires[1]!, played.paper),
    holds: [...holds],
  };
}

/** All of one rate. */
export async function measure(bed: Bed, rateKBps: number): Promise<Shown> {
  const { network, plain, seconds, packetBytes, seed } = bed;
  const paper = await buildPaper('wpaper', rateKBps, packetBytes);
  try {
    const pids: Pids = {
      own: atEnds((end) => [network.services.get(end)!.pid!]),
      plain: plain.lab.pids,
      sender: plain.generate(rateKBps, packetBytes, seed),
      paper: paper.pids,
    };
    const none = (): AtEnds<Map<string, Memory>[]> => ({ home: [], endpoint: [] });
    const memory: Shown['memory'] = { own: none(), plain: none(), paper: none() };
    const remember = (): void => {
      for (const whose of ['own', 'plain', 'paper'] as const) {
        for (const end of ENDS) memory[whose][end].push(memoryOf(pids[whose][end]));
      }
    };
    await setRate(bed, rateKBps, '0');
    const oneClock = await readLight(bed, paper, pids, rateKBps);
    await setRate(bed, rateKBps, '');
    const twoClocks = await readLight(bed, paper, pids, rateKBps);
    remember();
    plain.quiet();
    const heavy: Shown['heavy'] = { home: [], paper: [] };
    const simulated: SimulatedRow[] = [];
    const shape = { rateKBps, packetBytes };
    if (rateKBps <= DELAYS_UNTIL_KBPS) {
      const load = shareLoad('heavy', HEAVY_SHARE, rateKBps);
      const playing = playBoth(bed, paper, load, seconds);
      const played = await playing.finish();
      heavy.home.push(...measureDelays('heavy', played.home.delays, PARTS));
      heavy.paper.push(...measureDelays('heavy', played.paper.delays, PARTS));
      simulated.push(
        ...(await simulateDelays('light', planLoad(lightLoad, seconds, seed), shape)),
        ...(await simulateDelays('heavy', playing.plan, shape)),
      );
      remember();
    }
    const saturated = shareLoad('saturated', SATURATED_SHARE, rateKBps);
    const full = await playBoth(bed, paper, saturated, SATURATED_S).finish();
    remember();
    return {
      ...{ rateKBps, twoClocks, oneClock, heavy, simulated, memory, paperStartS: paper.startS },
      goodput: { home: full.home.arrivedKBps, paper: full.paper.arrivedKBps },
    };
  } finally {
    await paper.close();
  }
}

/** Whether a rate beyond those asked is held, for a moment. */
export async function tryRate(bed: Bed, rateKBps: number, forS: number): Promise<Exactness[]> {
  await setRate(bed, rateKBps, '');
  const stop = await captureWire(bed.network);
  await pauseUntil(monotonicMs() + forS * 1000);
  const { wire } = await stop();
  return measureExactness(wire, { rateKBps, packetBytes: bed.packetBytes }, PARTS);
}
