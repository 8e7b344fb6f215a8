// Directions and bursts of a window, after k-fingerprinting (Hayes and Danezis 2016) and Tik-Tok (Rahman et al. 2020), without its packets.
import { mean, quantileOfSorted, variance } from '../../../core/analysis/statistics/sample.ts';
import type { Counts } from './counts.ts';
import type { RateSeries } from './features.ts';

/** Bins as fine as this tell directions and bursts apart. */
export const BURST_BIN_S = 0.1;
/** A burst ends where nothing follows for so long. */
const PAUSE_S = 1;
const SHARES = [0.25, 0.5, 0.75, 1];

/** What a window is described by, in order. */
export const burstFeatureNames = [
  ...['bytes up', 'bytes down', 'share up', 'bins up', 'bins down', 'turns'],
  ...['bursts', 'begun by the device', 'bytes of bursts', 'their deviation', 'the largest'],
  ...['length of bursts', 'the longest', 'pause between', 'its deviation', 'the longest pause'],
  ...SHARES.flatMap((share) => [`bytes of a bin up, ${share}`, `bytes of a bin down, ${share}`]),
];

interface Burst {
  from: number;
  to: number;
  bytes: number;
  isUp: boolean;
}

/** Describes the window of `windowS` from `startS` on; amounts of bytes as logarithms. */
export function describeBursts(series: RateSeries, startS: number, windowS: number): number[] {
  const { binS } = series;
  const { bins, up, down } = series.cut(startS, Math.round(windowS / binS));
  const bursts: Burst[] = [];
  let turns = 0;
  for (let k = 0; k < bins.length; k++) {
    const isUp = up[k]! >= down[k]!;
    const bytes = up[k]! + down[k]!;
    if (k > 0 && isUp !== up[k - 1]! >= down[k - 1]!) turns++;
    const last = bursts.at(-1);
    if (last && (bins[k]! - last.to) * binS <= PAUSE_S) {
      last.to = bins[k]!;
      last.bytes += bytes;
    } else bursts.push({ from: bins[k]!, to: bins[k]!, bytes, isUp });
  }
  const sent = up.filter((bytes) => bytes > 0).sort();
  const received = down.filter((bytes) => bytes > 0).sort();
  const [upBytes, downBytes] = [sum(sent), sum(received)];
  const sizes = bursts.map(({ bytes }) => Math.log2(1 + bytes));
  const lengths = bursts.map(({ from, to }) => (to + 1 - from) * binS);
  const pauses = bursts.slice(1).map(({ from }, i) => (from - bursts[i]!.to) * binS);
  return [
    Math.log2(1 + upBytes),
    Math.log2(1 + downBytes),
    upBytes / Math.max(1, upBytes + downBytes),
    sent.length,
    received.length,
    turns,
    bursts.length,
    bursts.filter(({ isUp }) => isUp).length / Math.max(1, bursts.length),
    ...spread(sizes, 0),
    spread(lengths, 0)[0],
    spread(lengths, 0)[2],
    ...spread(pauses, windowS),
    ...SHARES.flatMap((share) =>
      [sent, received].map((sorted) => Math.log2(1 + (quantileOfSorted(sorted, share) || 0))),
    ),
  ];
}

/** Mean, deviation and most; without values, what stands for none. */
function spread(
  values: readonly number[],
  none: number,
): [mean: number, deviation: number, most: number] {
  if (values.length === 0) return [none, 0, none];
  return [mean(values), values.length > 1 ? Math.sqrt(variance(values)) : 0, Math.max(...values)];
}

function sum(values: Counts): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
