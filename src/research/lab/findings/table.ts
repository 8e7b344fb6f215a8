// Prints the figures of one or more lab runs side by side, in words a person understands.
import { renderRows } from '../../../core/plot/text-table.ts';
import type { AttackFigures } from './attack.ts';
import { attackRows, type TableRow } from './attack-table.ts';
import type {
  DirectionSummary,
  IntervalStatistics,
  LabSummary,
  LatencySummary,
} from './summary.ts';

/** The figures of several runs, a column a run; `attacks` are those on the same runs. */
export function tableRows(
  runs: readonly LabSummary[],
  attacks: readonly AttackFigures[] = [],
): TableRow[] {
  const row = (name: string, cell: (run: LabSummary) => string): TableRow => ({
    name,
    cells: runs.map(cell),
  });
  return [
    row('packet sizes seen, up', ({ up }) => sizes(up)),
    row('packet sizes seen, down', ({ down }) => sizes(down)),
    row('rate asked each way, KB/s', ({ up }) => (up.asked ? decimals(up.asked.kBps, 1) : '–')),
    row('rate got, up', (run) => got(run, 'up')),
    row('rate got, down', (run) => got(run, 'down')),
    row('interval idle, up, ms', ({ up }) => interval(up.intervals.idle)),
    row('interval active, up, ms', ({ up }) => interval(up.intervals.active)),
    row('interval idle, down, ms', ({ down }) => interval(down.intervals.idle)),
    row('interval active, down, ms', ({ down }) => interval(down.intervals.active)),
    ...(runs.some(({ up }) => up.alternating)
      ? [
          row('idle/active told apart, up', ({ up }) => toldApart(up)),
          row('idle/active told apart, down', ({ down }) => toldApart(down)),
        ]
      : []),
    row('DNS names visible', ({ dnsNamesInClear }) => String(Object.keys(dnsNamesInClear).length)),
    row('device packets outside tunnel', ({ outsideTunnel, up, down }) =>
      outsideTunnel
        ? String(outsideTunnel.packets)
        : `all (${total(up.sizes) + total(down.sizes)})`,
    ),
    ...(attacks.length > 0 ? attackRows(attacks) : []),
    row('delay felt, up, ms', ({ latency }) => delays(latency.up)),
    row('delay felt, down, ms', ({ latency }) => delays(latency.down)),
    row(
      'messages lost',
      ({ latency }) =>
        `${latency.up.lost + latency.down.lost} of ${latency.up.sent + latency.down.sent}`,
    ),
    row('CPU home, endpoint', ({ cpuPercent }) =>
      cpuPercent ? `${decimals(cpuPercent.home, 1)} %, ${decimals(cpuPercent.endpoint, 1)} %` : '–',
    ),
  ];
}

/** What the table's short names mean, a sentence each. */
export const tableNotes: readonly string[] = [
  'Packet sizes: lengths of IP packets on the provider’s line, of the tunnel’s data channel where there is a tunnel.',
  'Intervals between packets: mean ± standard deviation, apart for moments with and without device traffic in the home.',
  'Delay felt: from sending to receiving a whole message, device to server (up) and server to device (down): mean, what 99 of 100 stay below, longest.',
  'CPU: share of one core that OpenVPN and the shaping took.',
];

/** The rows as text, columns aligned, headed by the variants' names. */
export function renderTable(
  runs: readonly LabSummary[],
  attacks: readonly AttackFigures[] = [],
): string {
  const rows = tableRows(runs, attacks).map(({ name, cells }) => [name, ...cells]);
  return underline(renderRows([['', ...runs.map(({ variant }) => variant)], ...rows]));
}

/** Parts a table's titles from its rows. */
export function underline(table: string): string {
  const [titles, ...rest] = table.split('\n');
  const width = Math.max(...[titles!, ...rest].map((line) => line.length));
  return [titles, '-'.repeat(width), ...rest].join('\n');
}

/** One run's figures, and what went wrong if something did. */
export function renderSummary(run: LabSummary): string {
  const lines = [renderTable([run])];
  const list = (heading: string, entries: readonly string[]) => {
    if (entries.length > 0)
      lines.push(`${heading}\n${entries.map((entry) => `  ${entry}`).join('\n')}\n`);
  };
  list('DNS names visible to the provider:', Object.keys(run.dnsNamesInClear).sort());
  list(
    'Packets outside the tunnel:',
    Object.entries(run.outsideTunnel?.what ?? {}).map(([what, n]) => `${n} × ${what}`),
  );
  if (run.captureDrops > 0) lines.push(`The captures missed ${run.captureDrops} packets.\n`);
  list('What devices and servers complained about:', run.faults);
  return lines.join('\n');
}

function sizes({ sizes: counts }: DirectionSummary): string {
  const lengths = Object.keys(counts).map(Number);
  if (lengths.length === 0) return 'none';
  if (lengths.length === 1) return `1 (${lengths[0]} B)`;
  return `${lengths.length} (${Math.min(...lengths)}–${Math.max(...lengths)} B)`;
}

function got(run: LabSummary, which: 'up' | 'down'): string {
  const { asked, offPercent, pps, wireKBps } = run[which];
  if (!asked || offPercent === null) return `${decimals(wireKBps, 1)} KB/s`;
  const off = `${offPercent < 0 ? '−' : '+'}${decimals(Math.abs(offPercent), 2)} %`;
  return asked.pps === null
    ? `${decimals(asked.kBps * (1 + offPercent / 100), 1)} KB/s (${off})`
    : `${decimals(pps, 1)}/s (${off})`;
}

function interval({ n, meanMs, sdMs }: IntervalStatistics): string {
  return n < 2 ? '–' : `${decimals(meanMs, 1)} ± ${decimals(sdMs, 2)}`;
}

function toldApart({ alternating }: DirectionSummary): string {
  if (!alternating) return '–';
  const { pairs, toldApart: found, significance } = alternating;
  return `${found} of ${pairs} (KS ${significance * 100} %)`;
}

function delays({ meanMs, p99Ms, maxMs }: LatencySummary): string {
  if (meanMs === null || p99Ms === null || maxMs === null) return '–';
  return [meanMs, p99Ms, maxMs].map((ms) => decimals(ms, ms < 10 ? 1 : 0)).join(' / ');
}

function total(counts: Record<string, number>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}

function decimals(value: number, digits: number): string {
  return value.toFixed(digits);
}
