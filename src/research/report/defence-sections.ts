// What defences cost and delay, and what is left to find of them, as parts of a report.
import type { AuditResult } from '../../core/analysis/audit-result.ts';
import { mean, variance } from '../../core/analysis/statistics/sample.ts';
import { sentencesOf } from '../../core/notices/words.ts';
import { figure } from '../../core/plot/text-table.ts';
import type { ToleranceRow } from '../simulation/figure9.ts';
import type { SimulationResult } from '../simulation/simulate.ts';
import { plotSweep, type SweepPoint } from '../simulation/sweep.ts';
import { figureOf, paragraph, renderHtmlTable, type Section } from './page.ts';

/** The paper's Figure 7. @param draws the same variants, each time with another draw of their schedules */
export function costSection(
  draws: readonly (readonly SimulationResult[])[],
  sweep: readonly SweepPoint[],
  madeBy: string,
): Section {
  const [first] = draws;
  const rows = first!.flatMap(({ variant }, v) =>
    (['up', 'down'] as const).map((way) => {
      const own = draws.map((results) => results[v]![way]);
      const ratios = own.map(({ wireBytes, realBytes }) => wireBytes / realBytes - 1);
      return [
        variant.name,
        way,
        Number.isFinite(ratios[0]!) ? `${figure(mean(ratios))}x` : '–',
        spread(own.map(({ latency }) => latency.meanMs)),
        spread(own.map(({ latency }) => latency.p99Ms)),
        spread(own.map(({ latency }) => latency.maxMs)),
        String(Math.max(...own.map(({ dropped }) => dropped))),
      ];
    }),
  );
  const { packetBytes } = first!.at(-1)!.variant;
  const html =
    paragraph(
      `Delays in ms: mean over ${draws.length} draws of the schedule ± their standard deviation. packed-vit is what is built here, packed-ideal the same without what building it costs.`,
    ) +
    renderHtmlTable(
      [
        { title: 'defence' },
        { title: 'way' },
        ...['overhead', 'mean delay', '99 %', 'longest', 'dropped'].map((title) => ({
          title,
          isNumber: true,
        })),
      ],
      rows,
    ) +
    figureOf(plotSweep(sweep, packetBytes));
  return { title: 'What shaping costs and delays (paper’s Figure 7)', html, madeBy };
}

/** The paper's Figure 9. */
export function toleranceSection(rows: readonly ToleranceRow[], madeBy: string): Section {
  const delays = ({ up, down }: SimulationResult) =>
    `${figure(up.latency.meanMs)} / ${figure(down.latency.meanMs)}`;
  const html =
    paragraph(
      'The lowest rates at which the paper’s devices still worked, and the mean delays, up / down in ms, of the traces given here at those rates. The paper tells delays in words only.',
    ) +
    renderHtmlTable(
      [
        { title: 'device' },
        ...['paper’s KB/s', 'paper’s shaping', 'packed', 'ideal'].map((title) => ({
          title,
          isNumber: true,
        })),
      ],
      rows.map(({ id, uploadKBps, downloadKBps, padded, packed, ideal }) => [
        id,
        `${uploadKBps} / ${downloadKBps}`,
        ...[padded, packed, ideal].map(delays),
      ]),
    );
  return { title: 'Rates devices tolerate (paper’s Figure 9)', html, madeBy };
}

export interface AuditedRun {
  name: string;
  result: AuditResult;
}

/** What an observer trained on the defended traffic itself makes of lab runs. */
export function auditSection(runs: readonly AuditedRun[], madeBy: string): Section {
  const aucs = ({ windows }: AuditResult) =>
    windows
      .flatMap(({ windowS, forest }) =>
        forest
          ? [
              `${windowS} s: ${forest.value.toFixed(2)} (${forest.low.toFixed(2)} – ${forest.high.toFixed(2)})`,
            ]
          : [],
      )
      .join('; ');
  const html =
    paragraph(
      'AUC of telling windows in which devices were active from those in which they were not, and its 95 % interval; 0.50 is chance.',
    ) +
    renderHtmlTable(
      [
        { title: 'run' },
        { title: 's', isNumber: true },
        { title: 'verdict' },
        { title: 'AUC (95 %)' },
        { title: 'in words' },
      ],
      runs.map(({ name, result }) => [
        name,
        result.seconds.toFixed(0),
        result.level,
        aucs(result) || '–',
        sentencesOf(result.verdict),
      ]),
    );
  return { title: 'What is left to find (audits of lab runs)', html, madeBy };
}

function spread(values: readonly number[]): string {
  const sd = Math.sqrt(variance(values));
  return values.length > 1 && sd > 0
    ? `${figure(mean(values))} ± ${figure(sd)}`
    : figure(mean(values));
}
