// A replay in the lab beside the simulation of the same packets: what the simulator leaves out shows as a difference.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCapture } from '../capture/reader.ts';
import { renderRows } from '../plot/text-table.ts';
import { simulate } from '../simulation/simulate.ts';
import { defaultVariantOptions, type VariantName, variantOf } from '../simulation/variants.ts';
import { LabError } from './error.ts';
import { planReplay, type ReplayPacket } from './replay.ts';
import { readSummary } from './run-folder.ts';
import type { LabSummary } from './summary.ts';

/** One direction of both. */
export interface ComparedDirection {
  direction: 'up' | 'down';
  packets: number;
  lab: ComparedFigures;
  simulated: ComparedFigures;
  /**
   * What the lab's own path takes besides waiting for a slot: its shortest delay less the simulation's. The simulation
   * ends where a packet's last byte leaves; the lab, in the receiving program.
   */
  pathMs: number;
  /** Standard deviation of the simulated mean from one draw of the schedule to another: what one run may be off by chance. */
  chanceMs: number;
}

export interface ComparedFigures {
  meanMs: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Bytes on the wire beyond the device's own, per byte of its own. */
  overheadRatio: number;
}

/** Draws of the schedule that the simulation is averaged over; the lab has one of its own. */
const SEEDS = 20;

/**
 * Simulates what the replay in `folder` sent, at the moments it was sent, and holds both side by side.
 * @throws {LabError} where the run is no replay through iot-shaper
 * @throws CaptureError where the capture is not there any more
 */
export async function compareRun(folder: string): Promise<ComparedDirection[]> {
  const summary = await readSummary(folder);
  const { replay, variant, seconds } = summary;
  if (!replay || (variant !== 'vit' && variant !== 'constant')) {
    throw new LabError(
      `${folder}: is a run of "${variant}"${replay ? '' : ' without a replay'}; compare takes lab run --variant vit --replay`,
    );
  }
  const { packets } = await planReplay(openCapture(replay.capture), {
    device: replay.device,
    durationS: seconds,
    offsetS: replay.offsetS,
    name: replay.capture,
  });
  const name: VariantName = variant === 'vit' ? 'packed-vit' : 'packed-constant';
  const delays = parseDelays(await readFile(join(folder, 'delays.csv'), 'utf8'));
  const runs = await Promise.all(
    Array.from({ length: SEEDS }, (_, k) => simulateReplay(packets, summary, name, k + 1)),
  );
  return (['up', 'down'] as const).flatMap((direction) => {
    const own = packets.filter((packet) => packet.direction === direction);
    if (own.length === 0) return [];
    const realBytes = own.reduce((sum, { ipBytes }) => sum + ipBytes, 0);
    const overheadOf = (wireBytes: number) => wireBytes / realBytes - 1;
    const mean = (of: (run: (typeof runs)[number]) => number) =>
      runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
    return [
      {
        direction,
        packets: own.length,
        lab: {
          ...describe(delays[direction]),
          overheadRatio: overheadOf(summary[direction].wireKBps * 1000 * seconds),
        },
        simulated: {
          meanMs: mean((run) => run[direction].latency.meanMs),
          p50Ms: mean((run) => run[direction].latency.p50Ms),
          p99Ms: mean((run) => run[direction].latency.p99Ms),
          maxMs: mean((run) => run[direction].latency.maxMs),
          overheadRatio: overheadOf(mean((run) => run.wireBytesPerS[direction]) * seconds),
        },
        pathMs: delays[direction][0]! - mean((run) => run[direction].latency.minMs),
        chanceMs: deviation(runs.map((run) => run[direction].latency.meanMs)),
      },
    ];
  });
}

async function simulateReplay(
  packets: readonly ReplayPacket[],
  { rateKBps, packetBytes, intervalSdPercent }: LabSummary,
  name: VariantName,
  seed: number,
) {
  const trace = packets.map(({ atS, ipBytes, direction }) => ({
    timeS: atS,
    bytes: ipBytes,
    direction,
    device: 'replay',
  }));
  const variant = variantOf(name, {
    ...defaultVariantOptions,
    uploadKBps: rateKBps,
    downloadKBps: rateKBps,
    packetBytes,
    sdPercent: intervalSdPercent,
  });
  // What still waits at the end leaves after it: on the wire it counts for no second of the replay.
  const lastS = packets.at(-1)!.atS - packets[0]!.atS;
  const wireBytesPerS = { up: 0, down: 0 };
  const [result] = await simulate(trace, [variant], {
    seed,
    onWire: (_, timeS, bytes, direction) => {
      if (timeS <= lastS) wireBytesPerS[direction] += bytes / lastS;
    },
  });
  return { ...result!, wireBytesPerS };
}

/** Delays of those that arrived, by direction, ascending. */
function parseDelays(text: string): Record<'up' | 'down', number[]> {
  const delays: Record<'up' | 'down', number[]> = { up: [], down: [] };
  for (const line of text.trimEnd().split('\n').slice(1)) {
    const [, , direction, , , delayMs] = line.split(',');
    if (delayMs) delays[direction === 'up' ? 'up' : 'down'].push(Number(delayMs));
  }
  for (const of of [delays.up, delays.down]) of.sort((a, b) => a - b);
  return delays;
}

function describe(sorted: readonly number[]): Omit<ComparedFigures, 'overheadRatio'> {
  const quantile = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return {
    meanMs: sorted.reduce((a, b) => a + b, 0) / Math.max(1, sorted.length),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: sorted.at(-1) ?? 0,
  };
}

/** Both side by side, and how far off the simulation and the lab's path are together. */
export function renderComparison(directions: readonly ComparedDirection[]): string {
  const off = (simulated: number, lab: number) => `${((simulated / lab - 1) * 100).toFixed(1)} %`;
  const rows = directions.flatMap(({ direction, packets, lab, simulated, pathMs }) => {
    const line = (
      what: string,
      { meanMs, p50Ms, p99Ms, maxMs, overheadRatio }: ComparedFigures,
    ) => [
      direction,
      what,
      String(packets),
      ...[meanMs, p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(2)),
      `${overheadRatio.toFixed(3)}x`,
    ];
    return [
      line('lab', lab),
      line('simulated', simulated),
      [
        direction,
        'off by',
        '',
        off(simulated.meanMs + pathMs, lab.meanMs),
        off(simulated.p50Ms + pathMs, lab.p50Ms),
        off(simulated.p99Ms + pathMs, lab.p99Ms),
        off(simulated.maxMs + pathMs, lab.maxMs),
        off(simulated.overheadRatio, lab.overheadRatio),
      ],
    ];
  });
  const titles = ['way', '', 'packets', 'mean ms', 'p50', 'p99', 'max', 'overhead'];
  const paths = directions.map(
    ({ direction, pathMs, chanceMs }) =>
      `${direction}: the lab's own path takes ${pathMs.toFixed(2)} ms besides (its shortest delay), which is counted to the simulation; from draw to draw the mean varies by ${chanceMs.toFixed(2)} ms.\n`,
  );
  return `${renderRows([titles, ...rows], 2)}${paths.join('')}`;
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
