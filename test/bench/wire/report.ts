// The table of all rows, and what is plainly broken in one.
import { holm } from '../../../src/core/analysis/statistics/permutation.ts';
import { renderRows } from '../../../src/core/plot/text-table.ts';
import type { Direction } from '../../../src/research/lab/findings/observation.ts';
import type { LabSummary } from '../../../src/research/lab/findings/summary.ts';
import type { Analysis } from './analyse.ts';

/** One lab of a row. */
export interface Found extends Analysis {
  row: string;
  /** The machine's while it ran, this row's own labs included. */
  load: number;
}

/** Farther from the rate asked than this is no matter of a busy machine. */
const BROKEN_PERCENT = 25;
const directions: readonly Direction[] = ['up', 'down'];

/** What no chance explains. */
export function findBroken({ row, summary }: Found): string[] {
  const name = `${row}, ${summary.variant}`;
  const broken = directions.flatMap((way) => {
    const { offPercent, sizes } = summary[way];
    const kinds = Object.keys(sizes).length;
    return [
      ...(summary.variant !== 'paper' && kinds !== 1 ? [`${name} ${way}: ${kinds} sizes`] : []),
      ...(Math.abs(offPercent ?? 0) > BROKEN_PERCENT
        ? [`${name} ${way}: the rate is off by ${offPercent!.toFixed(0)} %`]
        : []),
    ];
  });
  const outside = summary.outsideTunnel?.packets ?? 0;
  return outside > 0 ? [...broken, `${name}: ${outside} packets beside the tunnel`] : broken;
}

/** A line a lab: AUCs and p by window, the next interval each way, and what the line looked like. */
export function renderFound(found: readonly Found[]): string {
  const lengths = found[0]?.windows.map(({ windowS }) => `${windowS} s: AUC, p, any`) ?? [];
  const titles = [
    ...['row', 'variant', ...lengths, 'next up: gap (95 %), p', 'next down'],
    ...['sizes', 'rate off, %', 'sd / mean, %', 'tun drops', 'beside', 'lost', 'CPU, %', 'load'],
  ];
  const lines = found.map(({ row, load, windows, next, summary }) => [
    ...[row, summary.variant],
    ...windows.map(({ activity }) => {
      if (!activity) return '–';
      const auc = activity.figures.forest?.value.toFixed(2) ?? '–';
      return `${auc} ${pText(activity.forestP)} ${pText(activity.anyP)}`;
    }),
    ...directions.map((way) => {
      const one = next[way];
      if (!one) return '–';
      return `${one.gap.toFixed(3)} (${one.nullHigh.toFixed(3)}) ${pText(one.pValue)}`;
    }),
    bothWays(summary, ({ sizes }) => `${Object.keys(sizes).length}`),
    bothWays(summary, ({ offPercent }) => offPercent?.toFixed(2) ?? '–'),
    bothWays(summary, ({ intervals: { all } }) => ((100 * all.sdMs) / all.meanMs).toFixed(1)),
    summary.txDropped ? `${summary.txDropped.home}/${summary.txDropped.endpoint}` : '–',
    `${summary.outsideTunnel?.packets ?? '–'}`,
    `${summary.latency.up.lost + summary.latency.down.lost} of ${summary.latency.up.sent + summary.latency.down.sent}`,
    summary.cpuPercent
      ? `${summary.cpuPercent.home.toFixed(0)}/${summary.cpuPercent.endpoint.toFixed(0)}`
      : '–',
    load.toFixed(1),
  ]);
  return renderRows([titles, ...lines], 2);
}

/** Of so many tests some p are small by chance: how many are, of each variant, and what is left of the smallest. */
export function renderSmallest(found: readonly Found[]): string {
  const variants = [...new Set(found.map(({ summary }) => summary.variant))];
  return variants
    .flatMap((variant) => {
      const own = found.filter(({ summary }) => summary.variant === variant);
      const pValues = own.flatMap(({ windows, next }) => [
        ...windows.flatMap(({ activity }) => (activity ? [activity.forestP, activity.anyP] : [])),
        ...directions.flatMap((way) => next[way]?.pValue ?? []),
      ]);
      if (pValues.length === 0) return [];
      const least = (level: number) => pValues.filter((p) => p <= level).length;
      return `${variant}: ${pValues.length} p, ${least(0.05)} of them at most 0.05, ${least(0.01)} at most 0.01; the smallest, corrected for all (Holm): ${pText(Math.min(...holm(pValues)))}\n`;
    })
    .join('');
}

function bothWays(summary: LabSummary, cell: (direction: LabSummary['up']) => string): string {
  return directions.map((way) => cell(summary[way])).join('/');
}

function pText(p: number): string {
  return p < 0.0995 ? p.toFixed(3) : p.toFixed(2);
}
