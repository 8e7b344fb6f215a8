// Plots of the figures over the rates.
import { streamDefaults } from '../../../src/core/stream/stream.ts';
import {
  type LinePlot,
  type Panel,
  plotLines,
  type Series,
} from '../../../src/research/plot/svg.ts';
import type { Figure, OtherName } from './report.ts';

/** Points of one figure over the rates. */
function series(
  figures: readonly Figure[],
  what: string,
  name: string,
  of: (one: Figure) => number | null | undefined,
  more: Partial<Series> = {},
): Series {
  const points = figures
    .filter((one) => one.what === what && one.rateKBps !== null)
    .map((one) => [one.rateKBps!, of(one) ?? Number.NaN] as const);
  return { name, points, ...more };
}

/** Every plot is over the rates. */
function overRates(title: string, panels: LinePlot['panels']): string {
  return plotLines({ title, xLabel: 'rate each way, KB/s', xLog: true, panels });
}

export function plotCost(figures: readonly Figure[]): string {
  const panel = (what: string, title: string, yLabel: string) => ({
    ...{ title, yLabel, yLog: true },
    series: [
      series(figures, what, 'two clocks', ({ value }) => value),
      series(figures, what, 'one clock', ({ others }) => others.oneClock?.value),
      series(figures, what, "the paper's prototype", ({ others }) => others.paper?.value),
      series(figures, what, 'plain OpenVPN', ({ comparison }) => comparison, { dashed: true }),
    ],
  });
  return overRates('Processor time and switches beside the same packets unshaped', [
    panel('CPU, home', 'home', 'CPU s a minute'),
    panel('CPU, endpoint', 'endpoint', 'CPU s a minute'),
    panel('wake-ups, home', 'home', 'switches a second'),
    panel('wake-ups, endpoint', 'endpoint', 'switches a second'),
  ]);
}

export function plotDelays(figures: readonly Figure[]): string {
  const panels = ['light', 'heavy'].flatMap((load) =>
    ['p50', 'p99'].map((quantile) => {
      const of = (way: string): string => `delay, ${load} load, ${way}, ${quantile}`;
      return {
        ...{ title: `${load} load, ${quantile}`, yLabel: 'ms', yLog: true },
        series: [
          series(figures, of('up'), 'up', ({ value }) => value),
          series(figures, of('down'), 'down', ({ value }) => value),
          series(
            figures,
            of('up'),
            "the paper's prototype, up",
            ({ others }) => others.paper?.value,
          ),
          series(figures, of('up'), 'ideal and standing slots, up', (one) => one.comparison, {
            dashed: true,
          }),
        ],
      };
    }),
  );
  return overRates('Delays of device packets', panels);
}

export function plotExactness(figures: readonly Figure[]): string {
  const panel = (what: string, of: (got: number, asked: number) => number, more: Panel): Panel => {
    const own = ({ value, comparison }: Figure) => of(value, comparison!);
    const other =
      (name: OtherName) =>
      ({ others, comparison }: Figure) =>
        others[name] && of(others[name].value, comparison!);
    return {
      ...more,
      series: [
        series(figures, `${what}, up`, 'two clocks, up', own),
        series(figures, `${what}, down`, 'down', own),
        series(figures, `${what}, up`, 'one clock, up', other('oneClock')),
        series(figures, `${what}, up`, "the paper's prototype, up", other('paper')),
      ],
    };
  };
  const askedPercent = streamDefaults.intervalSdPercent;
  return overRates('Intervals and rate on the wire', [
    panel('interval sd', (got, asked) => (askedPercent * got) / asked, {
      ...{ title: 'spread of the intervals', yLabel: '% of their mean', yLog: true, series: [] },
      references: [{ y: askedPercent, label: 'asked of one and two clocks' }],
    }),
    panel('rate', (got, asked) => 100 * (got / asked - 1), {
      ...{ title: 'rate', yLabel: '% off', series: [] },
      references: [{ y: 0, label: 'asked' }],
    }),
  ]);
}
