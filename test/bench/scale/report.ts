// The table and the plot of what the scale bench measured, and how cost grows: a straight line through the rows whose slots were got.
import { renderRows } from '../../../src/core/plot/text-table.ts';
import { type Panel, plotLines } from '../../../src/research/plot/svg.ts';
import type { Measured } from './scale.ts';

/** Rows of which homes got less tell nothing of what slots cost: not all of it had its turn. */
const GOT = 0.9;

/** The whole of a row's processor time, s a minute. */
function whole({ cpu }: Measured): number {
  return Object.values(cpu).reduce((sum, one) => sum + one, 0);
}

/** Share of the slots of both ways that were got: what was not sent cost nothing. */
function gotOf({ down, up }: Measured): number {
  return (down.median + up.came) / 2;
}

interface Line {
  /** Seconds a minute: of a home more, and of none. */
  slope: number;
  base: number;
}

/** Least squares, each row weighted by how little it may be off: in proportion. */
function fit(points: readonly (readonly [x: number, y: number])[]): Line | null {
  if (points.length < 2) return null;
  const weights = points.map(([, y]) => 1 / Math.max(y, 0.1) ** 2);
  const total = (of: (x: number, y: number) => number): number =>
    points.reduce((sum, [x, y], at) => sum + weights[at]! * of(x, y), 0);
  const all = total(() => 1);
  const [x, y] = [total((one) => one) / all, total((_, one) => one) / all];
  const spread = total((one) => (one - x) ** 2);
  if (spread === 0) return null;
  const slope = total((one, other) => (one - x) * (other - y)) / spread;
  return { slope, base: y - slope * x };
}

function lineOf(
  rows: readonly Measured[],
  rateKBps: number,
  isShaped: boolean,
  of: (row: Measured) => number = whole,
): Line | null {
  const meant = rows.filter(
    (row) => row.rateKBps === rateKBps && row.isShaped === isShaped && gotOf(row) >= GOT,
  );
  return fit(meant.map((row) => [row.homes * gotOf(row), of(row)]));
}

const ratesOf = (rows: readonly Measured[]): number[] => [
  ...new Set(rows.map(({ rateKBps }) => rateKBps)),
];

/** All rows, and what a home more costs. */
export function renderScale(rows: readonly Measured[]): string {
  const table = rows.map((row) => {
    const { cpu, homesCpu, memory, down, up, intervals, served, busyShare, load } = row;
    const digits = (value: number, count = 1): string => value.toFixed(count);
    return [
      row.isShaped ? 'shaped' : 'plain',
      `${row.rateKBps}`,
      `${row.homes}`,
      digits(whole(row)),
      ...(row.isShaped
        ? [cpu.service, cpu.shaping, cpu.kernel]
        : [Number.NaN, Number.NaN, Number.NaN]),
      cpu.openvpn,
      row.isShaped ? cpu.others : cpu.generator,
      `${digits(memory.service.residentMB, 0)}/${digits(memory.service.proportionalMB, 0)}`,
      `${digits(memory.openvpn.residentMB, 0)}/${digits(memory.openvpn.proportionalMB, 0)}`,
      digits(down.least, 3),
      digits(down.median, 3),
      `${digits(up.sent, 2)}/${digits(up.came, 2)}`,
      `${digits(intervals.askedSdMs, 2)}/${digits(intervals.sdMs, 2)}`,
      `${intervals.stalls}`,
      `${served.homes}`,
      ...(row.isShaped ? [`${digits(served.medianS)}/${digits(served.longestS)}`] : ['']),
      ...(row.isShaped ? [digits(served.allS)] : ['']),
      digits(homesCpu),
      `${digits(busyShare * 100, 0)}`,
      digits(load),
    ].map((cell) => (typeof cell === 'number' ? (Number.isNaN(cell) ? '' : digits(cell)) : cell));
  });
  const titles = [
    ...[
      '',
      'KB/s',
      'homes',
      'CPU',
      'main',
      'shaping',
      'kernel',
      'openvpn',
      'rest',
      'MB',
      'MB ovpn',
    ],
    ...[
      'least',
      'median',
      'up',
      'sd ms',
      'stalls',
      'served',
      'after s',
      'all s',
      'homes',
      'busy %',
      'load',
    ],
  ];
  const slopes = ratesOf(rows).map((rateKBps) => {
    const words = (line: Line | null): string =>
      line ? `${line.slope.toFixed(3)} a home + ${line.base.toFixed(2)}` : 'too few rows';
    const shaped = lineOf(rows, rateKBps, true);
    const plain = lineOf(rows, rateKBps, false);
    const alone = lineOf(rows, rateKBps, false, ({ cpu }) => cpu.openvpn);
    const times = (other: Line | null): string =>
      shaped && other ? (shaped.slope / other.slope).toFixed(2) : '?';
    return `${rateKBps} KB/s: shaped ${words(shaped)}; plain with its generator ${words(plain)} (${times(plain)} x); its OpenVPN alone ${words(alone)} (${times(alone)} x)\n`;
  });
  return `${renderRows([titles, ...table], 1)}\n${slopes.join('')}`;
}

/** Processor time by what takes it, and what homes got, over homes. */
export function plotScale(rows: readonly Measured[]): string {
  const cores = ratesOf(rows).map((rateKBps): Panel => {
    const shaped = rows.filter((row) => row.isShaped && row.rateKBps === rateKBps);
    const plain = rows.filter((row) => !row.isShaped && row.rateKBps === rateKBps);
    const line = (name: string, of: (row: Measured) => number, from = shaped, dashed = false) => ({
      ...{ name, dashed },
      points: from.map((row) => [row.homes, of(row)] as const),
    });
    return {
      title: `${rateKBps} KB/s each way`,
      yLabel: 'CPU, s a minute',
      series: [
        line('endpoint, all of it', whole),
        line('its OpenVPN', ({ cpu }) => cpu.openvpn),
        line('shaping thread', ({ cpu }) => cpu.shaping),
        line('kernel', ({ cpu }) => cpu.kernel),
        line('main thread', ({ cpu }) => cpu.service),
        line('plain tunnel, with generator', whole, plain, true),
      ],
      yFrom: 0,
    };
  });
  const got: Panel = {
    title: 'Slots that came, of those asked for',
    yLabel: 'share',
    series: ratesOf(rows).flatMap((rateKBps) => {
      const shaped = rows.filter((row) => row.isShaped && row.rateKBps === rateKBps);
      return [
        {
          name: `median home, ${rateKBps} KB/s`,
          points: shaped.map(({ homes, down }) => [homes, down.median] as const),
        },
        {
          name: `least home, ${rateKBps} KB/s`,
          dashed: true,
          points: shaped.map(({ homes, down }) => [homes, down.least] as const),
        },
      ];
    }),
    yFrom: 0,
    yTo: 1.05,
  };
  return plotLines({
    title: 'What an endpoint costs by homes',
    xLabel: 'homes',
    xFrom: 0,
    panels: [...cores, got],
    panelHeight: 220,
  });
}
