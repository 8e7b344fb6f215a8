// The paper's Figure 7: what shaping costs and delays, over the mean interval between slots.

import { slotMs } from '../../core/stream/stream.ts';
import type { Trace } from '../../shell/simulation/trace.ts';
import { plotLines } from '../plot/svg.ts';
import { type SimulationOptions, simulate } from './simulate.ts';
import { type VariantName, type VariantOptions, variantOf } from './variants.ts';

/** One mean interval, both directions together. */
export interface SweepPoint {
  variant: VariantName;
  intervalMs: number;
  /** On the wire beyond devices' own bytes, per second. */
  overheadKBps: number;
  meanMs: number;
  maxMs: number;
  dropped: number;
}

const sweepIntervalsMs: readonly number[] = [
  2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000,
];

const sweepVariants = ['padded-vit', 'packed-vit', 'packed-ideal'] as const;

/** Simulates the paper's shaping and this product's at every interval, over one reading of the trace. */
export async function sweepIntervals(
  trace: Trace,
  options: Pick<VariantOptions, 'packetBytes' | 'sdPercent'>,
  run: SimulationOptions = {},
  intervalsMs: readonly number[] = sweepIntervalsMs,
): Promise<SweepPoint[]> {
  const variants = sweepVariants.flatMap((name) =>
    intervalsMs.map((intervalMs) => {
      const rateKBps = options.packetBytes / intervalMs;
      const rates = { uploadKBps: rateKBps, downloadKBps: rateKBps };
      return variantOf(name, { ...options, ...rates, maxDelayMs: Infinity });
    }),
  );
  const results = await simulate(trace, variants, run);
  return results.map(({ variant, total, durationS }) => ({
    variant: variant.name,
    intervalMs: slotMs(variant.uploadKBps, variant.packetBytes),
    overheadKBps: durationS === 0 ? 0 : (total.wireBytes - total.realBytes) / durationS / 1000,
    meanMs: total.latency.meanMs,
    maxMs: total.latency.maxMs,
    dropped: total.dropped,
  }));
}

export function renderSweepCsv(points: readonly SweepPoint[]): string {
  const rows = points.map(({ variant, intervalMs, overheadKBps, meanMs, maxMs, dropped }) =>
    [variant, round(intervalMs), round(overheadKBps), round(meanMs), round(maxMs), dropped].join(),
  );
  return `variant,interval_ms,overhead_kBps,mean_ms,max_ms,dropped\n${rows.join('\n')}\n`;
}

/** Figure 7's three plots, one above the other, as SVG. */
export function plotSweep(points: readonly SweepPoint[], packetBytes: number): string {
  const names = [...new Set(points.map(({ variant }) => variant))];
  const panel = (title: string, yLabel: string, y: (point: SweepPoint) => number) => ({
    title,
    yLabel,
    yLog: true,
    series: names.map((name) => ({
      name,
      points: points
        .filter(({ variant }) => variant === name)
        .map((point) => [point.intervalMs, y(point)] as const),
    })),
  });
  return plotLines({
    title: `Shaping over the mean interval, packets of ${packetBytes} bytes`,
    description:
      'Overhead bandwidth, mean and maximum latency over the mean interval between slots, after Figure 7 of Apthorpe et al. 2017',
    xLabel: 'mean interval, ms',
    xLog: true,
    panelHeight: 180,
    panels: [
      panel('Overhead', 'KB/s', ({ overheadKBps }) => overheadKBps),
      panel('Mean latency', 'ms', ({ meanMs }) => meanMs),
      panel('Maximum latency', 'ms', ({ maxMs }) => maxMs),
    ],
  });
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}
