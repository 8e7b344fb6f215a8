// What was measured, each figure beside its comparison and its goal: as a table, as JSON, as plots.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plotCost, plotDelays, plotExactness } from './plots.ts';

/** An amount, whole and in each part of the run, each moment or each draw. */
export interface Parted {
  whole: number;
  parts: readonly number[];
}

/** What ran beside, or by turns: the paper's prototype, and the home without a clock behind OpenVPN. */
export type OtherName = 'paper' | 'oneClock';

type Spread = readonly [least: number, most: number];

/** The same figure of one of them. */
interface Other {
  value: number;
  /** The figure over this one. */
  ratio: number | null;
  spread: Spread | null;
}

/** One figure. */
export interface Figure {
  rateKBps: number | null;
  what: string;
  value: number;
  unit: string;
  /** What it is compared with, and that figure. */
  against: string;
  comparison: number | null;
  /** Value over comparison. */
  ratio: number | null;
  /** Least and most of the ratio in the parts, or of the value where there is no ratio. */
  spread: Spread | null;
  /** At most this: of `ratio`, of the value's amount, or of what the ratio is off 1, percent. */
  goal: { of: 'ratio' | 'value' | 'off'; most: number } | null;
  others: Partial<Record<OtherName, Other>>;
}

type Given = Pick<Figure, 'what' | 'unit' | 'against'> & Partial<Pick<Figure, 'rateKBps'>>;

interface More {
  goal?: Figure['goal'];
  others?: Partial<Record<OtherName, Parted>>;
  /** For the JSON alone. */
  [more: string]: unknown;
}

function spreadOf(values: readonly number[]): Spread | null {
  const told = values.filter(Number.isFinite);
  return told.length === 0 ? null : [Math.min(...told), Math.max(...told)];
}

/** A ratio and its spread: part by part, and each with each where they are not as many. */
function ratioOf(own: Parted, other: Parted): { ratio: number | null; spread: Spread | null } {
  if (other.whole === 0) return { ratio: null, spread: null };
  const pairs =
    own.parts.length === other.parts.length
      ? own.parts.map((part, index) => part / other.parts[index]!)
      : own.parts.flatMap((part) => other.parts.map((one) => part / one));
  return { ratio: own.whole / other.whole, spread: spreadOf(pairs) };
}

/** A figure beside its comparison and what else was measured. */
export function compare(
  given: Given,
  own: Parted,
  comparison: Parted | null,
  { goal = null, others = {}, ...rest }: More = {},
): Figure {
  const ratio = comparison && ratioOf(own, comparison);
  const beside = Object.entries(others).map(([name, other]) => [
    name,
    { value: other.whole, ...ratioOf(own, other) },
  ]);
  return {
    ...{ rateKBps: null, ...given, ...rest, goal, value: own.whole },
    comparison: comparison?.whole ?? null,
    ...(ratio ?? { ratio: null, spread: spreadOf(own.parts) }),
    others: Object.fromEntries(beside) as Figure['others'],
  };
}

/** By how much a goal is missed, percent of it; 0 or less where it is met, null where there is none. */
export function missedPercent({ goal, ratio, value }: Figure): number | null {
  if (!goal) return null;
  const amounts = {
    ...{ ratio, value: Math.abs(value) },
    off: ratio === null ? null : 100 * Math.abs(ratio - 1),
  };
  const amount = amounts[goal.of];
  return amount === null || !Number.isFinite(amount) ? null : 100 * (amount / goal.most - 1);
}

function round(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  const amount = Math.abs(value);
  return value.toFixed(amount >= 100 ? 0 : amount >= 10 ? 1 : amount >= 0.995 ? 2 : 3);
}

/** Closer than a hundredth counts where a goal says so. */
function ratioText({ ratio, spread }: Omit<Other, 'value'>, isFine = false): string {
  const told = (value: number): string => (isFine ? value.toFixed(4) : round(value));
  const range = spread ? `(${told(spread[0])}–${told(spread[1])})` : '';
  return ratio === null ? range : `${told(ratio)} ${range}`.trim();
}

const COLUMNS = [40, 20, 48, 26, 16] as const;
const BESIDE_COLUMNS = [40, 20, 14, 26, 14] as const;

function line(columns: readonly number[], ...cells: string[]): string {
  return cells
    .map((cell, index) => cell.padEnd(columns[index] ?? 0))
    .join('')
    .trimEnd();
}

function goalText({ goal, unit }: Figure): string {
  if (!goal) return '';
  const units = { ratio: ' ×', value: ` ${unit}`, off: ' % off' };
  return `≤ ${goal.most}${units[goal.of]}`;
}

function verdictOf(one: Figure): string {
  const missed = missedPercent(one);
  if (missed === null) return '';
  return missed <= 0 ? 'met' : `missed by ${round(missed)} %`;
}

function isFine({ goal }: Figure): boolean {
  return goal?.of === 'off';
}

function besideLines(figures: readonly Figure[]): string[] {
  const told = figures.filter(({ others }) => Object.keys(others).length > 0);
  if (told.length === 0) return [];
  const heads = ["the paper's", 'ratio (least–most)', 'one clock', 'ratio (least–most)'];
  return [
    '',
    line(BESIDE_COLUMNS, '  beside what else ran', 'got', ...heads),
    ...told.map((one) => {
      const cells = ([one.others.paper, one.others.oneClock] as const).flatMap((other) =>
        other ? [round(other.value), ratioText(other)] : ['', ''],
      );
      return line(BESIDE_COLUMNS, `  ${one.what}`, `${round(one.value)} ${one.unit}`, ...cells);
    }),
  ];
}

/** The table's lines: for each rate what has a comparison, and what else ran; then what belongs to no rate. */
export function renderTable(figures: readonly Figure[]): string[] {
  const lines: string[] = [];
  for (const rate of [...new Set(figures.map(({ rateKBps }) => rateKBps))]) {
    const own = figures.filter(({ rateKBps }) => rateKBps === rate);
    lines.push('', rate === null ? 'at no one rate' : `vit at ${rate} KB/s`);
    lines.push(
      line(COLUMNS, '  figure', 'got', 'against', 'ratio (least–most)', 'goal', 'verdict'),
    );
    for (const one of own) {
      const { what, value, unit, against, comparison } = one;
      lines.push(
        line(
          COLUMNS,
          `  ${what}`,
          `${round(value)} ${unit}`,
          comparison === null ? against : `${against} ${round(comparison)}`,
          ratioText(one, isFine(one)),
          goalText(one),
          verdictOf(one),
        ),
      );
    }
    lines.push(...besideLines(own));
  }
  return lines;
}

/** Writes `wire-cost.json` and the plots; returns the files. */
export function writeReport(
  folder: string,
  report: { figures: readonly Figure[]; [more: string]: unknown },
): string[] {
  mkdirSync(folder, { recursive: true });
  const { figures } = report;
  const told = figures.map((one) => ({ ...one, missedPercent: missedPercent(one) }));
  const files = {
    'wire-cost.json': `${JSON.stringify({ ...report, figures: told }, null, 2)}\n`,
    'wire-cost-cpu.svg': plotCost(figures),
    'wire-cost-delay.svg': plotDelays(figures),
    'wire-cost-exactness.svg': plotExactness(figures),
  };
  return Object.entries(files).map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
}
