// The activity attack's findings for people, for programs, and as a plot like the paper's Figure 1.

import { renderTable } from '../../core/plot/text-table.ts';
import { plotLines } from '../plot/svg.ts';
import type { ActivityReport, StreamActivity } from './activity-streams.ts';

/** How cells are written where there is a figure, and where there is none. */
interface CellWords {
  none: string;
  /** Of a stream that nothing noted is about. */
  notNamed: string;
  /** Between the ends of an interval. */
  to: string;
}

/** Figures per stream, and of all together where something was noted: label, bursts, found, happened, precision, recall, F1, AUC. */
export function activityRows(
  { streams, score }: Pick<ActivityReport, 'streams' | 'score'>,
  { none, notNamed, to }: CellWords,
): string[][] {
  const share = (value: number | undefined) => (value === undefined ? none : value.toFixed(2));
  const rows = streams.map(({ label, activity, score: own, auc }) => [
    label,
    String(activity.bursts),
    String(activity.events.length),
    own ? String(own.events) : score ? notNamed : none,
    share(own?.precision),
    share(own?.recall),
    share(own?.f1),
    auc ? `${auc.value.toFixed(2)} (${auc.low.toFixed(2)}${to}${auc.high.toFixed(2)})` : none,
  ]);
  if (score) {
    const { events, found, precision, recall, f1 } = score;
    const shares = [precision, recall, f1].map(share);
    rows.push(['all', '', String(found), String(events), ...shares, '']);
  }
  return rows;
}

/** Renders figures per stream, then the moments found. */
export function renderActivity(report: ActivityReport): string {
  const { startS, endS, unseen, toleranceS } = report;
  const table = renderTable(
    [
      { title: 'Stream' },
      { title: 'bursts', right: true },
      { title: 'found', right: true },
      { title: 'happened', right: true },
      { title: 'precision', right: true },
      { title: 'recall', right: true },
      { title: 'F1', right: true },
      { title: `AUC per ${2 * toleranceS} s (95 %)` },
    ],
    activityRows(report, { none: '-', notNamed: 'not named', to: '-' }),
  );
  const parts = [
    `${((endS - startS) / 60).toFixed(1)} minutes, tolerance ${toleranceS} s\n`,
    table,
  ];
  if (unseen.length) parts.push(unseenText(report));
  const moments = findings(report);
  if (moments.length) {
    const shown = moments.slice(0, 40);
    parts.push(
      renderTable(
        [
          { title: 'Seconds', right: true },
          { title: 'lasted', right: true },
          { title: 'up', right: true },
          { title: 'down', right: true },
          { title: 'stream' },
        ],
        shown.map(({ label, burst }) => [
          (burst.startS - startS).toFixed(2),
          (burst.endS - burst.startS).toFixed(2),
          `${(burst.upBytes / 1000).toFixed(1)} KB`,
          `${(burst.downBytes / 1000).toFixed(1)} KB`,
          label,
        ]),
      ),
    );
    if (moments.length > shown.length)
      parts.push(`... and ${moments.length - shown.length} more (--json, --out)\n`);
  }
  return parts.join('\n');
}

/** Events of names that no stream goes by: perhaps another name for one of them. */
function unseenText({ unseen, streams }: ActivityReport): string {
  const known = streams.map(({ label, keys }) =>
    keys.includes(label) ? label : `${label} (${keys.join(', ')})`,
  );
  return (
    `Events name ${unseen.join(', ')}, which no stream here goes by; they count as missed. ` +
    `Streams go by ${known.join('; ')}: name one of those in the events, or say who is who with --labels.\n`
  );
}

/** Findings as CSV: time, stream, seconds, bytes up, bytes down. */
export function renderFindingsCsv(report: ActivityReport): string {
  const lines = findings(report).map(
    ({ label, burst }) =>
      `${burst.startS.toFixed(3)},${label.includes(',') ? `"${label}"` : label},${(burst.endS - burst.startS).toFixed(2)},${burst.upBytes},${burst.downBytes}`,
  );
  return `${['time,stream,seconds,up_bytes,down_bytes', ...lines].join('\n')}\n`;
}

/** Everything but the binned traffic. */
export function toJson({ streams, ...rest }: ActivityReport): object {
  return {
    ...rest,
    streams: streams.map(({ label, keys, activity, score, auc }) => ({
      label,
      keys,
      bursts: activity.bursts,
      // JSON has no infinity: no burst of this stream counts as an event.
      thresholdBytes: Number.isFinite(activity.thresholdBytes) ? activity.thresholdBytes : null,
      score,
      auc,
      events: activity.events,
    })),
  };
}

/** The rates of the streams with the most findings, what was found, and what happened. */
export function plotActivity(report: ActivityReport): string {
  const { startS, endS } = report;
  return plotLines({
    title: 'Traffic and the activity found in it',
    description:
      'Rates of each stream over time; dots are moments the attack found, lines what happened',
    xLabel: 'seconds',
    xFrom: 0,
    xTo: Math.max(1, endS - startS),
    panels: report.streams.slice(0, 8).map((stream) => {
      const { points, top } = ratePoints(stream);
      return {
        title: stream.label,
        yLabel: 'KB/s',
        yFrom: 0,
        series: [
          { name: 'up', points: points.up, style: 'step' as const },
          { name: 'down', points: points.down, style: 'step' as const },
          {
            name: 'found',
            style: 'points' as const,
            points: stream.activity.events.map((burst) => [burst.startS - startS, top] as const),
          },
        ],
        events: stream.happenedS.map((timeS) => ({ x: timeS - startS })),
      };
    }),
  });
}

const PLOT_STEPS = 600;

function ratePoints({ traffic }: StreamActivity) {
  const { bins, count, binS } = traffic;
  const perStep = Math.max(1, Math.ceil(count / PLOT_STEPS));
  const points: Record<'up' | 'down', [number, number][]> = { up: [], down: [] };
  let top = 0;
  let k = 0;
  for (let from = 0; from < count; from += perStep) {
    const sums = { up: 0, down: 0 };
    for (; k < bins.length && bins[k]! < from + perStep; k++) {
      sums.up += traffic.up[k]!;
      sums.down += traffic.down[k]!;
    }
    for (const name of ['up', 'down'] as const) {
      const rateKBps = sums[name] / 1000 / (perStep * binS);
      points[name].push([from * binS, rateKBps]);
      top = Math.max(top, rateKBps);
    }
  }
  return { points, top };
}

function findings({ streams }: ActivityReport) {
  return streams
    .flatMap(({ label, activity }) => activity.events.map((burst) => ({ label, burst })))
    .sort((a, b) => a.burst.startS - b.burst.startS);
}
