// A replay in the lab beside the simulation of the same packets: what the simulator leaves out shows as a difference.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { companyMs } from '../../../core/framing/company.ts';
import { defaultMode, isMode, type Mode, sdOf } from '../../../core/pacing/modes.ts';
import { renderRows } from '../../../core/plot/text-table.ts';
import { RecordedClock } from '../../../core/simulation/link.ts';
import { PackedLink } from '../../../core/simulation/packed-link.ts';
import { CaptureError, openCapture } from '../../../shell/capture/reader.ts';
import { nodeSystem } from '../../../shell/system/node/node-system.ts';
import { type SimulationResult, simulate } from '../../simulation/simulate.ts';
import { defaultVariantOptions, type VariantName, variantOf } from '../../simulation/variants.ts';
import { LabError } from '../error.ts';
import { parseDelays } from '../traffic/delays-csv.ts';
import { type QueueRecord, readQueue } from '../traffic/queue-delays.ts';
import { planReplay, type ReplayPacket } from '../traffic/replay.ts';
import type { Direction } from './observation.ts';
import { readSummary } from './run-folder.ts';
import type { LabSummary } from './summary.ts';

/** One direction of both. */
export interface ComparedDirection {
  direction: Direction;
  packets: number;
  /** From a packet's entering the packer until its last byte leaves the queue: what is simulated. */
  lab: ComparedFigures;
  /** Averaged over draws of the schedule. */
  simulated: ComparedFigures;
  /** Averaged alike, by a packer that costs nothing: each frame formed at its slot, of all that is there by then. */
  ideal: ComparedFigures;
  /** In the very slots that the lab had. */
  onItsSlots: Delays;
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

interface SimulatedReplay extends SimulationResult {
  wireBytesPerS: Record<Direction, number>;
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
  if (!replay || !isMode(variant)) {
    throw new LabError(
      `${folder}: is a run of "${variant}"${replay ? '' : ' without a replay'}; compare takes lab run --variant ${defaultMode} --replay`,
    );
  }
  const { packets } = await planReplay(openCapture(nodeSystem, replay.capture), {
    device: replay.device,
    durationS: seconds,
    offsetS: replay.offsetS,
    name: replay.capture,
  });
  const filled: VariantName[] = [`packed-${variant}`, 'packed-ideal'];
  const felt = await readFelt(join(folder, 'delays.csv'));
  const queues = { up: await readRecord(folder, 'up'), down: await readRecord(folder, 'down') };
  const [runs, ideals] = await Promise.all(
    filled.map((name) =>
      Promise.all(
        Array.from({ length: SEEDS }, (_, k) =>
          simulateReplay(packets, summary, { name, mode: variant }, k + 1),
        ),
      ),
    ),
  );
  return (['up', 'down'] as const).flatMap((direction) => {
    const own = packets.filter((packet) => packet.direction === direction);
    if (own.length === 0) return [];
    const realBytes = own.reduce((sum, { ipBytes }) => sum + ipBytes, 0);
    const overheadOf = (wireBytes: number) => wireBytes / realBytes - 1;
    const averaged = (all: SimulatedReplay[]): ComparedFigures => {
      const mean = (of: (run: SimulatedReplay) => number) =>
        all.reduce((sum, run) => sum + of(run), 0) / all.length;
      return {
        meanMs: mean((run) => run[direction].latency.meanMs),
        p50Ms: mean((run) => run[direction].latency.p50Ms),
        p99Ms: mean((run) => run[direction].latency.p99Ms),
        maxMs: mean((run) => run[direction].latency.maxMs),
        overheadRatio: overheadOf(mean((run) => run.wireBytesPerS[direction]) * seconds),
      };
    };
    return [
      {
        direction,
        packets: own.length,
        lab: {
          ...describe(queues[direction].waitsMs),
          overheadRatio: overheadOf(summary[direction].wireKBps * 1000 * seconds),
        },
        simulated: averaged(runs!),
        ideal: averaged(ideals!),
        onItsSlots: describe(simulateOnSlots(queues[direction], summary.packetBytes)),
        felt: describe(felt[direction]),
        chanceMs: deviation(runs!.map((run) => run[direction].latency.meanMs)),
      },
    ];
  });
}

/** The same arrivals in the very slots that the lab had: what differs then is the packing, and no chance. */
function simulateOnSlots({ arrivals, slotsMs }: QueueRecord, packetBytes: number): number[] {
  const waitsMs: number[] = [];
  const link = new PackedLink({
    packetBytes,
    clock: new RecordedClock(slotsMs),
    companyMs: companyMs((slotsMs.at(-1)! - slotsMs[0]!) / (slotsMs.length - 1)),
    maxDelayMs: defaultVariantOptions.maxDelayMs,
    onDelivered: (_, delayMs) => waitsMs.push(delayMs),
  });
  for (const { timeMs, bytes } of arrivals) {
    link.advance(timeMs);
    link.arrive(timeMs, bytes, 'replay');
  }
  link.advance(slotsMs.at(-1) ?? 0);
  return waitsMs;
}

async function readRecord(folder: string, direction: Direction): Promise<QueueRecord> {
  try {
    return await readQueue(folder, direction);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    throw new LabError(`${error.message}; run the replay again`);
  }
}

async function simulateReplay(
  packets: readonly ReplayPacket[],
  { rateKBps, packetBytes, intervalSdPercent }: LabSummary,
  { name, mode }: { name: VariantName; mode: Mode },
  seed: number,
): Promise<SimulatedReplay> {
  const trace = packets.map(({ atS, ipBytes, direction }) => ({
    timeS: atS,
    bytes: ipBytes,
    direction,
    device: 'replay',
  }));
  const options = {
    ...defaultVariantOptions,
    uploadKBps: rateKBps,
    downloadKBps: rateKBps,
    packetBytes,
    sdPercent: intervalSdPercent,
  };
  const variant = { ...variantOf(name, options), mode, sdPercent: sdOf(mode, intervalSdPercent) };
  // What still waits at the end leaves after it: on the wire it counts for no second of the replay.
  const lastS = packets.at(-1)!.atS - packets[0]!.atS;
  const wireBytesPerS = { up: 0, down: 0 };
  const [result] = await simulate(trace, [variant], {
    seed,
    endsAtQueue: true,
    onWire: (_, timeS, bytes, direction) => {
      if (timeS <= lastS) wireBytesPerS[direction] += bytes / lastS;
    },
  });
  return { ...result!, wireBytesPerS };
}

/** Delays of those that arrived, by direction. */
async function readFelt(path: string): Promise<Record<Direction, number[]>> {
  const delays = parseDelays(await readFile(path, 'utf8'), path);
  const of = (direction: Direction) =>
    delays.flatMap((one) => (one.direction === direction ? (one.delayMs ?? []) : []));
  return { up: of('up'), down: of('down') };
}

function describe(delaysMs: readonly number[]): Delays {
  const sorted = Float64Array.from(delaysMs).sort();
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
  const rows = directions.flatMap(
    ({ direction, packets, lab, simulated, ideal, onItsSlots, felt }) => {
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
      const offBy = ({ meanMs, p50Ms, p99Ms, maxMs }: Delays, overhead: string) => [
        ...[direction, 'off by', ''],
        ...[off(meanMs, lab.meanMs), off(p50Ms, lab.p50Ms)],
        ...[off(p99Ms, lab.p99Ms), off(maxMs, lab.maxMs), overhead],
      ];
      return [
        line('lab', lab, lab.overheadRatio),
        line('simulated', simulated, simulated.overheadRatio),
        offBy(simulated, off(simulated.overheadRatio, lab.overheadRatio)),
        line('on the lab’s slots', onItsSlots, null),
        offBy(onItsSlots, ''),
        line('ideal', ideal, ideal.overheadRatio),
        line('felt', felt, null),
      ];
    },
  );
  const titles = ['way', '', 'packets', 'mean ms', 'p50', 'p99', 'max', 'overhead'];
  const chance = directions.map(
    ({ direction, chanceMs }) =>
      `${direction}: from draw to draw of the schedule the simulated mean varies by ${chanceMs.toFixed(2)} ms.\n`,
  );
  return `${renderRows([titles, ...rows], 2)}${chance.join('')}${note}\n`;
}

const note =
  'Waiting: from a packet’s entering the packer until its last byte leaves the queue. Simulated: averaged over draws of the schedule; on the lab’s slots: at the very moments at which the lab’s packets left, where chance has no part. Ideal: simulated, each frame formed at its slot of all that is there by then; what the lab waits longer is what building it costs. Felt: from program to program.';

function deviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
