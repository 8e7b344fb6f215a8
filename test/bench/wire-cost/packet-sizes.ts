// Which packet size the product's own search finds the cheapest for real captures, beside the size that is set where nobody says otherwise.
import { basename, extname } from 'node:path';
import { loadTrace } from '../../../src/core/simulation/direction-trace.ts';
import { type RateAdvice, recommend } from '../../../src/core/simulation/recommend.ts';
import { packetBounds, streamDefaults } from '../../../src/core/stream/stream.ts';
import { openTrace } from '../../../src/shell/simulation/trace.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';

/** Each tells in the README beside it whose traffic it is. */
const CAPTURES = [
  'simulation/echo-query.csv',
  'simulation/camera-stream.csv',
  'capture/tp-link-plug-setup.pcap',
  'identify/tuya-plug.csv',
  'identify/blink-hub.csv',
  'identify/xiaobai-camera-1.csv',
  'identify/xiaobai-camera-2.csv',
  'identify/xiaodu-plug.csv',
];
/** As `iotshaper recommend` tries, and accepts where nobody says otherwise. */
const SIZES = [packetBounds.least, 512, 768, 1024, packetBounds.most];
const TOLERANCE = { meanMs: 250, maxMs: 2000 };
export const DRAWS = 3;

/** What one size takes in the draws, in their order. */
interface Taken {
  packetBytes: number;
  /** On the tunnel, both directions. */
  rateKBps: number[];
  gbPerMonth: number[];
  /** Mean delay of all packets, both directions. */
  meanMs: number[];
}

export interface BestSize {
  capture: string;
  packets: number;
  /** The cheapest of each draw. */
  best: number[];
  /** The one that is cheapest over all draws, and the default. */
  chosen: Taken;
  usual: Taken;
}

function takenOf(advices: readonly RateAdvice[], weights: { up: number; down: number }): Taken {
  const { up: upPackets, down: downPackets } = weights;
  const of = (value: (advice: RateAdvice) => number | undefined): number[] =>
    advices.map((advice) => value(advice) ?? Number.POSITIVE_INFINITY);
  return {
    packetBytes: advices[0]!.shape.packetBytes,
    rateKBps: of(({ up, down }) => (up && down ? up.rateKBps + down.rateKBps : undefined)),
    gbPerMonth: of(({ gbPerMonth }) => gbPerMonth ?? undefined),
    meanMs: of(({ up, down }) =>
      up && down
        ? (up.latency.meanMs * upPackets + down.latency.meanMs * downPackets) /
          (upPackets + downPackets)
        : undefined,
    ),
  };
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0);

/** Searches every capture in {@link DRAWS} draws of the schedule, from `seed` on. */
export async function searchSizes(seed: number): Promise<BestSize[]> {
  const found: BestSize[] = [];
  for (const capture of CAPTURES) {
    const trace = await loadTrace(openTrace(nodeSystem, [`test/fixtures/${capture}`]));
    const draws = Array.from({ length: DRAWS }, (_, draw) =>
      recommend(
        { ...trace, devices: [] },
        {
          tolerance: TOLERANCE,
          shapes: SIZES.map((packetBytes) => ({ packetBytes, mode: 'vit' })),
          sdPercent: streamDefaults.intervalSdPercent,
          seed: seed + draw,
        },
      ),
    );
    const weights = { up: trace.up.length, down: trace.down.length };
    const sizes = SIZES.map((_, size) =>
      takenOf(
        draws.map(({ joint }) => joint[size]!),
        weights,
      ),
    );
    found.push({
      capture: basename(capture, extname(capture)),
      packets: weights.up + weights.down,
      best: draws.map(({ best }) => best.shape.packetBytes),
      chosen: sizes.reduce((one, other) =>
        sumOf(other.gbPerMonth) < sumOf(one.gbPerMonth) ? other : one,
      ),
      usual: sizes.find(({ packetBytes }) => packetBytes === streamDefaults.packetBytes)!,
    });
  }
  return found;
}
