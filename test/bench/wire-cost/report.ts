// What was measured, each figure beside its comparison and its goal: as a table, as JSON, as plots.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plotLines, type Series } from '../../../src/research/plot/svg.ts';

/** One figure. */
export interface Figure {
  rateKBps: number | null;
  what: string;
  value: number;
  unit: string;
  /** What it is compared with, and that figure. */
  against: string;
  comparison: number | null;
  /** Value over comparison; least and most of it where it was measured in several parts of the run. */
  ratio: number | null;
  spread: readonly [number, number] | null;
  /** At most this, of `ratio` or of the value's amount. */
  goal: { of: 'ratio' | 'value'; most: number } | null;
}

type Given = Pick<Figure, 'what' | 'value' | 'unit'> & Partial<Figure>;

/** A figure; what is left out is nothing, and the ratio follows from the comparison. */
export function figure(given: Given): Figure {
  const { value, comparison = null } = given;
  return {
    ...{ rateKBps: null, against: '', comparison, spread: null, goal: null },
    ratio: comparison === null || comparison === 0 ? null : value / comparison,
    ...given,
  };
}

/** By how much a goal is missed, percent of it; 0 or less where it is met, null where there is none. */
export function missedPercent({ goal, ratio, value }: Figure): number | null {
  if (!goal) return null;
  const amount = goal.of === 'ratio' ? ratio : Math.abs(value);
  return amount === null || !Number.isFinite(amount) ? null : 100 * (amount / goal.most - 1);
}

function round(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  const amount = Math.abs(value);
  return value.toFixed(amount >= 100 ? 0 : amount >= 10 ? 1 : amount >= 0.995 ? 2 : 3);
}

const COLUMNS = [44, 18, 44, 22, 15] as const;

function line(...cells: string[]): string {
  return cells
    .map((cell, index) => cell.padEnd(COLUMNS[index] ?? 0))
    .join('')
    .trimEnd();
}

function goalText({ goal, unit }: Figure): string {
  if (!goal) return '';
  return `≤ ${goal.most}${goal.of === 'ratio' ? ' ×' : ` ${unit}`}`;
}

function verdictOf(one: Figure): string {
  const missed = missedPercent(one);
  if (missed === null) return '';
  return missed <= 0 ? 'met' : `missed by ${round(missed)} %`;
}

/** The table's lines: a block for each rate, then what belongs to none. */
export function renderTable(figures: readonly Figure[]): string[] {
  const lines: string[] = [];
  for (const rate of [...new Set(figures.map(({ rateKBps }) => rateKBps))]) {
    lines.push('', rate === null ? 'at no one rate' : `vit at ${rate} KB/s`);
    lines.push(line('  figure', 'got', 'against', 'ratio (least–most)', 'goal', 'verdict'));
    for (const one of figures.filter(({ rateKBps }) => rateKBps === rate)) {
      const { what, value, unit, against, comparison, ratio, spread } = one;
      const range = spread ? ` (${round(spread[0])}–${round(spread[1])})` : '';
      lines.push(
        line(
          `  ${what}`,
          `${round(value)} ${unit}`,
          comparison === null ? against : `${against} ${round(comparison)}`,
          ratio === null ? '' : `${round(ratio)}${range}`,
          goalText(one),
          verdictOf(one),
        ),
      );
    }
  }
  return lines;
}

/** Points of one figure over the rates. */
function series(
  figures: readonly Figure[],
  what: string,
  of: 'value' | 'comparison',
  name: string,
): Series {
  const points = figures
    .filter((one) => one.what === what && one.rateKBps !== null && one[of] !== null)
    .map((one) => [one.rateKBps!, one[of]!] as const);
  return { name, points, ...(of === 'comparison' && { dashed: true }) };
}

/** Writes `wire-cost.json` and the plots; returns the files. */
export function writeReport(
  folder: string,
  report: { figures: readonly Figure[]; [more: string]: unknown },
): string[] {
  mkdirSync(folder, { recursive: true });
  const { figures } = report;
  const told = figures.map((one) => ({ ...one, missedPercent: missedPercent(one) }));
  const pair = (what: string, one: string, other: string): Series[] => [
    series(figures, what, 'value', one),
    series(figures, what, 'comparison', other),
  ];
  const xLabel = 'rate each way, KB/s';
  const files = {
    'wire-cost.json': `${JSON.stringify({ ...report, figures: told }, null, 2)}\n`,
    'wire-cost-cpu.svg': plotLines({
      ...{ title: 'Processor time beside plain OpenVPN with the same packets', xLabel, xLog: true },
      panels: [
        {
          ...{ yLabel: 'seconds a minute', yLog: true },
          series: [
            ...pair('CPU, home', 'home', 'plain OpenVPN, home'),
            ...pair('CPU, endpoint', 'endpoint', 'plain OpenVPN, endpoint'),
          ],
        },
        {
          ...{ yLabel: 'switches a second', yLog: true },
          series: [
            ...pair('wake-ups, home', 'home', 'plain OpenVPN, home'),
            ...pair('wake-ups, endpoint', 'endpoint', 'plain OpenVPN, endpoint'),
          ],
        },
      ],
    }),
    'wire-cost-delay.svg': plotLines({
      ...{ title: 'Delays of device packets beside the simulator’s ideal', xLabel, xLog: true },
      panels: ['light', 'heavy'].flatMap((load) =>
        ['p50', 'p99'].map((quantile) => {
          const of = (way: string): string => `delay, ${load} load, ${way}, ${quantile}`;
          return {
            ...{ title: `${load} load, ${quantile}`, yLabel: 'ms', yLog: true },
            series: [
              series(figures, of('up'), 'value', 'up'),
              series(figures, of('down'), 'value', 'down'),
              series(figures, of('up'), 'comparison', 'ideal and standing slots, up'),
            ],
          };
        }),
      ),
    }),
  };
  return Object.entries(files).map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
}
