// A device that talks by a plan, played in the lab and in the simulator: delays of both, and what comes through when it asks too much.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Sample } from '../../../src/core/capture/trace.ts';
import { usualDelayMs } from '../../../src/core/plan/outer-clock.ts';
import { seededRandom } from '../../../src/core/random/random.ts';
import type {
  DevicesConfig,
  ReplaySide,
  ServersConfig,
} from '../../../src/research/lab/bed/process-config.ts';
import { lab } from '../../../src/research/lab/bed/topology.ts';
import { measureLatency } from '../../../src/research/lab/findings/summary.ts';
import type { ReplayPacket } from '../../../src/research/lab/traffic/replay.ts';
import {
  type Delay,
  joinDelays,
  monotonicMs,
  type TrafficLog,
} from '../../../src/research/lab/traffic/traffic-log.ts';
import { simulate } from '../../../src/research/simulation/simulate.ts';
import {
  defaultVariantOptions,
  type VariantName,
  variantOf,
} from '../../../src/research/simulation/variants.ts';
import type { HomeNetwork } from '../../net/home-network.ts';

const PROGRAM = resolve('dist/iotshaper.js');
const DIRECTIONS = ['up', 'down'] as const;
/** Both sides' programs have started by then, on a busy machine too. */
const LEAD_MS = 3000;
/** The last packets arrive. */
const DRAIN_MS = 1500;
/** Draws of the schedule that the simulator's figures are the means of. */
const DRAWS = 20;

/** What a device does in each direction: packets at random moments, of lengths between two. */
export interface Load {
  name: string;
  packetsPerS: number;
  leastBytes: number;
  mostBytes: number;
}

/** A lone packet of 100 bytes five times a second. */
export const lightLoad: Load = { name: 'light', packetsPerS: 5, leastBytes: 100, mostBytes: 100 };

/** Packets of 60 to 1,200 bytes that take this share of the rate. */
export function shareLoad(name: string, share: number, rateKBps: number): Load {
  const [leastBytes, mostBytes] = [60, 1200];
  const packetsPerS = (share * rateKBps * 1000) / ((leastBytes + mostBytes) / 2);
  return { name, packetsPerS, leastBytes, mostBytes };
}

/** When the device and the cloud send what; Poisson in each direction, always the same from one seed. */
export function planLoad(load: Load, seconds: number, seed: number): ReplayPacket[] {
  const packets: Omit<ReplayPacket, 'id'>[] = [];
  for (const [stream, direction] of DIRECTIONS.entries()) {
    const random = seededRandom(seed, stream);
    let atS = -Math.log(1 - random()) / load.packetsPerS;
    while (atS < seconds) {
      const spread = load.mostBytes - load.leastBytes;
      packets.push({ atS, ipBytes: load.leastBytes + Math.round(random() * spread), direction });
      atS -= Math.log(1 - random()) / load.packetsPerS;
    }
  }
  return packets
    .sort((one, other) => one.atS - other.atS)
    .map((packet, index) => ({ ...packet, id: index + 1 }));
}

/** A lab in which devices talk. */
export type Ground = Pick<HomeNetwork, 'topology' | 'path' | 'start'>;

/** A plan under way. */
export interface Playing {
  /** On the monotonic clock, when the first second begins. */
  startMs: number;
  /** Ends it once its last packets had time to arrive. */
  finish(): Promise<Played>;
}

export interface Played {
  delays: Delay[];
  /** KB/s that arrived in each part of the time from two seconds after the beginning on until `seconds` were over. */
  arrivedKBps: Record<'up' | 'down', number[]>;
}

const SETTLED_MS = 2000;

/** When a plan may begin that is to be played from now on. */
export function soonMs(): number {
  return monotonicMs() + LEAD_MS;
}

/** Has the lab's replaying device and its cloud send a plan of so many seconds from a moment on. */
export function playPlan(
  ground: Ground,
  plan: readonly ReplayPacket[],
  { startMs, seconds, partCount }: { startMs: number; seconds: number; partCount: number },
): Playing {
  const side = (direction: 'up' | 'down'): ReplaySide => ({
    address: lab.replayAddress,
    port: lab.replayPort,
    deviceIp: ground.topology.devices.find(({ id }) => id === 'replay')!.ip,
    packets: plan.filter((packet) => packet.direction === direction),
  });
  const dns = { address: lab.lanAddress, port: 53 };
  const devices: DevicesConfig = {
    ...{ startMs, devices: [], exchanges: [], dns },
    ...{ replay: side('up'), logPath: ground.path('devices.json') },
  };
  const cloud: ServersConfig = {
    ...{ startMs, listen: [], dns: null, forwarder: null },
    ...{ replay: side('down'), logPath: ground.path('cloud.json') },
  };
  const children = [
    ground.start('cloud', [process.execPath, PROGRAM, 'lab', 'servers']),
    ground.start('devices', [process.execPath, PROGRAM, 'lab', 'emulate']),
  ];
  for (const [index, config] of [cloud, devices].entries()) {
    children[index]!.stdin!.write(`${JSON.stringify(config)}\n`);
  }
  const read = async (path: string): Promise<TrafficLog> =>
    JSON.parse(await readFile(path, 'utf8')) as TrafficLog;
  return {
    startMs,
    finish: async () => {
      await pauseUntil(startMs + seconds * 1000 + DRAIN_MS);
      const ended = children.map((child) => new Promise((done) => child.once('exit', done)));
      for (const child of children) child.stdin!.end();
      await Promise.all(ended);
      const [one, other] = [await read(devices.logPath), await read(cloud.logPath)];
      const partMs = (seconds * 1000 - SETTLED_MS) / partCount;
      const arrived = ({ received }: TrafficLog): number[] =>
        Array.from({ length: partCount }, (_, part) => {
          const fromMs = startMs + SETTLED_MS + part * partMs;
          const counted = received.filter(
            ({ timeMs }) => timeMs >= fromMs && timeMs < fromMs + partMs,
          );
          return counted.reduce((sum, { bytes }) => sum + bytes, 0) / partMs;
        });
      return {
        delays: joinDelays(one, other, 0),
        arrivedKBps: { up: arrived(other), down: arrived(one) },
      };
    },
  };
}

/** Waits for a moment of the monotonic clock. */
export async function pauseUntil(timeMs: number): Promise<void> {
  await new Promise((done) => setTimeout(done, Math.max(0, timeMs - monotonicMs())));
}

/** Quantiles of delays. */
export interface Delays {
  p50Ms: number;
  p99Ms: number;
}

/** Delays of one direction, whole and by parts of the plan. */
export interface DelayRow {
  load: string;
  direction: 'up' | 'down';
  packets: number;
  lost: number;
  whole: Delays;
  parts: Delays[];
}

/** What a plan's packets waited for. */
export function measureDelays(
  load: string,
  delays: readonly Delay[],
  partCount: number,
): DelayRow[] {
  const quantiles = (some: readonly Delay[]): Delays => {
    const { p50Ms, p99Ms } = measureLatency(some);
    return { p50Ms: p50Ms ?? Number.NaN, p99Ms: p99Ms ?? Number.NaN };
  };
  return DIRECTIONS.map((direction): DelayRow => {
    const own = delays.filter((one) => one.direction === direction);
    const { sent: packets, lost } = measureLatency(own);
    const at = (part: number): number => Math.round((part * own.length) / partCount);
    const parts = Array.from({ length: partCount }, (_, part) =>
      quantiles(own.slice(at(part), at(part + 1))),
    );
    return { load, direction, packets, lost, whole: quantiles(own), parts };
  });
}

/** What the simulator says of a plan: of the ideal, of the product, and what the standing slots are of the latter. */
export interface SimulatedRow {
  load: string;
  direction: 'up' | 'down';
  ideal: Delays;
  product: Delays;
  standingMs: number;
}

export async function simulateDelays(
  load: string,
  plan: readonly ReplayPacket[],
  shape: { rateKBps: number; packetBytes: number },
): Promise<SimulatedRow[]> {
  const ideal = await simulated('packed-ideal', plan, shape);
  const product = await simulated('packed-vit', plan, shape);
  return DIRECTIONS.map((direction) => ({
    ...{ load, direction, ideal: ideal[direction], product: product[direction] },
    standingMs: usualDelayMs(shape),
  }));
}

type Quantiles = Record<'up' | 'down', Delays>;

async function simulated(
  name: VariantName,
  plan: readonly ReplayPacket[],
  { rateKBps, packetBytes }: { rateKBps: number; packetBytes: number },
): Promise<Quantiles> {
  const samples = plan.map(({ atS, ipBytes, direction }): Sample & { device: string } => ({
    ...{ timeS: atS, bytes: ipBytes, direction, device: 'replay' },
  }));
  const rates = { uploadKBps: rateKBps, downloadKBps: rateKBps, packetBytes };
  const variant = variantOf(name, { ...defaultVariantOptions, ...rates });
  const sums: Quantiles = { up: { p50Ms: 0, p99Ms: 0 }, down: { p50Ms: 0, p99Ms: 0 } };
  for (let seed = 1; seed <= DRAWS; seed++) {
    const [result] = await simulate(samples, [variant], { seed });
    for (const direction of DIRECTIONS) {
      const { p50Ms, p99Ms } = result![direction].latency;
      sums[direction].p50Ms += p50Ms / DRAWS;
      sums[direction].p99Ms += p99Ms / DRAWS;
    }
  }
  return sums;
}
