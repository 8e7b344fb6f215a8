// A replay in the lab beside the simulation of the same packets: what the simulator leaves out shows as a difference.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptureError, openCapture } from '../capture/reader.ts';
import { renderRows } from '../plot/text-table.ts';
import { simulate } from '../simulation/simulate.ts';
import { defaultVariantOptions, type VariantName, variantOf } from '../simulation/variants.ts';
import { parseDelays } from './delays-csv.ts';
import { LabError } from './error.ts';
import type { Direction } from './observation.ts';
import { readQueueDelays } from './queue-delays.ts';
import { planReplay, type ReplayPacket } from './replay.ts';
import { readSummary } from './run-folder.ts';
import type { LabSummary } from './summary.ts';

/** One direction of both. */
export interface ComparedDirection {
  direction: Direction;
  packets: number;
  /** From a packet's entering the packer until its last byte leaves the queue: what is simulated. */
  lab: ComparedFigures;
  simulated: ComparedFigures;
  /** From program to program: what else a packet passes in the lab is in it, too. */
  felt: Delays;
  /** Standard deviation of the simulated mean from one draw of the schedule to another: what one run may be off by chance. */
  chanceMs: number;
}

export interface Delays {
  meanMs: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface ComparedFigures extends Delays {
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
  const felt = await readFelt(join(folder, 'delays.csv'));
  const waited = { up: await readWaits(folder, 'up'), down: await readWaits(folder, 'down') };
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
          ...describe(waited[direction]),
          overheadRatio: overheadOf(summary[direction].wireKBps * 1000 * seconds),
        },
        simulated: {
          meanMs: mean((run) => run[direction].latency.meanMs),
          p50Ms: mean((run) => run[direction].latency.p50Ms),
          p99Ms: mean((run) => run[direction].latency.p99Ms),
          maxMs: mean((run) => run[direction].latency.maxMs),
          overheadRatio: overheadOf(mean((run) => run.wireBytesPerS[direction]) * seconds),
        },
        felt: describe(felt[direction]),
        chanceMs: deviation(runs.map((run) => run[direction].latency.meanMs)),
      },
    ];
  });
}

async function readWaits(folder: string, direction: Direction): Promise<number[]> {
  try {
    return await readQueueDelays(folder, direction);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    throw new LabError(`${error.message}; run the replay again`);
  }
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
async function readFelt(path: string): Promise<Record<Direction, number[]>> {
  const delays = parseDelays(await readFile(path, 'utf8'), path);
  const of = (direction: Direction) =>
    delays
      .flatMap((one) => (one.direction === direction ? (one.delayMs ?? []) : []))
      .sort((a, b) => a - b);
  return { up: of('up'), down: of('down') };
}

function describe(sorted: readonly number[]): Delays {
  const quantile = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return {
    meanMs: sorted.reduce((a, b) => a + b, 0) / Math.max(1, sorted.length),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: sorted.at(-1) ?? 0,
  };
}

/** Both side by side, and how far off the simulation is. */
export function renderComparison(directions: readonly ComparedDirection[]): string {
  const off = (simulated: number, lab: number) => `${((simulated / lab - 1) * 100).toFixed(1)} %`;
  const rows = directions.flatMap(({ direction, packets, lab, simulated, felt }) => {
    const line = (
      what: string,
      { meanMs, p50Ms, p99Ms, maxMs }: Delays,
      overheadRatio: number | null,
    ) => [
      direction,
      what,
      String(packets),
      ...[meanMs, p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(2)),
      overheadRatio === null ? '' : `${overheadRatio.toFixed(3)}x`,
    ];
    return [
      line('lab', lab, lab.overheadRatio),
      line('simulated', simulated, simulated.overheadRatio),
      [
        direction,
        'off by',
        '',
        off(simulated.meanMs, lab.meanMs),
        off(simulated.p50Ms, lab.p50Ms),
        off(simulated.p99Ms, lab.p99Ms),
        off(simulated.maxMs, lab.maxMs),
        off(simulated.overheadRatio, lab.overheadRatio),
      ],
      line('felt', felt, null),
    ];
  });
  const titles = ['way', '', 'packets', 'mean ms', 'p50', 'p99', 'max', 'overhead'];
  const chance = directions.map(
    ({ direction, chanceMs }) =>
      `${direction}: from draw to draw of the schedule the simulated mean varies by ${chanceMs.toFixed(2)} ms.\n`,
  );
  return `${renderRows([titles, ...rows], 2)}${chance.join('')}${note}\n`;
}

const note =
  'Waiting: from a packet’s entering the packer until its last byte leaves the queue. Felt: from program to program.';

function deviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
