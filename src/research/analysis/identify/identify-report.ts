// What came of an identification, as text, data and plots.

import { renderTable } from '../../../core/plot/text-table.ts';
import { type Panel, plotHeatMap, plotLines, type Series } from '../../plot/svg.ts';
import { type ClassifierName, wilsonInterval } from '../cross-validation.ts';
import { renderConfusion } from './confusion-table.ts';
import type { FeatureSet } from './features.ts';
import { gatherWindows, type IdentifiedDevice, type Judgement } from './identify.ts';
import type { OverTime } from './over-time/over-time.ts';

/** Everything an identification found. */
export interface Identification {
  files: string[];
  view: 'lan' | 'wan';
  seed: number;
  classifier: ClassifierName;
  features: FeatureSet;
  neighbours: number;
  folds: number;
  /** Devices that names looked up in the clear point to, wherever in the captures. */
  lookedUp: { label: string; names: string[] }[];
  devices: IdentifiedDevice[];
  windowsS: number[];
  samplesS: number[];
  /** Cells of the grid that could be judged. */
  judgements: Judgement[];
  /** Windows in their order, in the best cell of the grid; null where not asked, or too few. */
  overTime: OverTime | null;
  warnings: string[];
}

/** The cell of the grid with the highest accuracy among those that tell most devices apart. */
export function bestJudgement(judgements: readonly Judgement[]): Judgement | null {
  let best: Judgement | null = null;
  for (const cell of judgements) {
    const more = cell.shuffled.labels.length - (best?.shuffled.labels.length ?? 0);
    if (more > 0 || (more === 0 && cell.shuffled.accuracy > best!.shuffled.accuracy)) best = cell;
  }
  return best;
}

/** A report for a terminal. */
export function renderIdentification(result: Identification): string {
  const seen =
    result.view === 'lan' ? 'by address in the home' : 'by remote address, as behind NAT';
  let text = `Streams told apart ${seen}\n\n${renderDevices(result.devices)}\n`;
  if (result.lookedUp.length > 0) {
    const named = result.lookedUp.map(({ label, names }) => `${label} (${names.length})`);
    text += `Names looked up in the clear give away: ${named.join(', ')}\n\n`;
  }
  const best = bestJudgement(result.judgements);
  if (best === null) {
    return (
      `${text}Rates were not judged: that takes two devices with at least ${result.folds} windows each` +
      ' (a longer capture, or a shorter --window).\n'
    );
  }
  const { shuffled, contiguous, windowS, sampleS, windows } = best;
  const drawn = windows > shuffled.rows ? ` (of ${windows}, spread over their time)` : '';
  text +=
    `By rates alone (${classifierText(result)} on ${result.features === 'bursts' ? 'directions and bursts' : 'mean and deviation of the rates'}, ` +
    `${result.folds}-fold cross-validation, seed ${result.seed}),\n` +
    `windows of ${windowS} s sampled every ${sampleS} s: ${percent(shuffled.accuracy)} of ${shuffled.rows} windows${drawn} of ` +
    `${shuffled.labels.length} devices right\n` +
    `(95 % interval ${percent(shuffled.interval[0])}–${percent(shuffled.interval[1])}; ` +
    `always guessing the commonest ${percent(shuffled.baseline)}).\n` +
    `Balanced, each device counting the same: ${percent(shuffled.balancedAccuracy)} ` +
    `(guessing ${percent(1 / shuffled.labels.length)}). ` +
    `With folds of unbroken time ${percent(contiguous.accuracy)}, balanced ${percent(contiguous.balancedAccuracy)}.\n\n` +
    `${renderConfusion(shuffled)}\n`;
  if (result.overTime) text += `${overTimeText(result.overTime)}\n`;
  if (result.judgements.length > 1) text += `${renderGrid(result)}\n`;
  return text;
}

function overTimeText(found: OverTime): string {
  const [low, high] = wilsonInterval(found.stretchesRight, found.stretches);
  return (
    `Over time (random forest and hidden Markov model; a fifth of each device’s windows, unbroken, by what was trained on the others):\n` +
    `${percent(found.overTime)} of ${found.windows} windows right, balanced ${percent(found.balancedOverTime)}; ` +
    `each window alone ${percent(found.alone)}, balanced ${percent(found.balancedAlone)}; ` +
    `always guessing the commonest ${percent(found.guessing)}.\n` +
    `${found.stretchesRight} of ${found.stretches} stretches called right (95 % interval ${percent(low)}–${percent(high)}).\n`
  );
}

function classifierText({ classifier, neighbours }: Identification): string {
  return classifier === 'forest' ? 'random forest' : `${neighbours} nearest neighbours`;
}

function renderDevices(devices: readonly IdentifiedDevice[]): string {
  const shown = devices.slice(0, 40);
  const rows = shown.map((device) => [
    device.key,
    device.vendor ?? '',
    device.dnsLabel === null ? '' : `${device.dnsLabel} (${device.dnsEvidence[0]})`,
    device.announced[0] ? `${device.announced[0].name} (${device.announced[0].by})` : '',
    device.basis === 'address' ? '' : device.label,
    String(device.packets),
    (device.upBytes / 1000).toFixed(1),
    (device.downBytes / 1000).toFixed(1),
  ]);
  const columns = [
    { title: 'stream' },
    { title: 'maker of its chip' },
    { title: 'by names looked up' },
    { title: 'calls itself' },
    { title: 'called' },
    { title: 'packets', right: true },
    { title: 'KB up', right: true },
    { title: 'KB down', right: true },
  ];
  const more = devices.length > shown.length ? `… and ${devices.length - shown.length} more\n` : '';
  return renderTable(columns, rows) + more;
}

function renderGrid({ windowsS, samplesS, judgements }: Identification): string {
  const columns = [
    { title: 'window' },
    { title: 'devices', right: true },
    { title: 'windows', right: true },
    ...samplesS.map((sampleS) => ({ title: `s=${sampleS}`, right: true })),
  ];
  const rows = windowsS.map((windowS) => {
    const cells = judgements.filter((cell) => cell.windowS === windowS);
    return [
      `${windowS} s`,
      String(cells[0]?.shuffled.labels.length ?? '–'),
      String(cells[0]?.shuffled.rows ?? '–'),
      ...samplesS.map((sampleS) => {
        const cell = cells.find((candidate) => candidate.sampleS === sampleS);
        if (!cell) return '–';
        const { accuracy, balancedAccuracy } = cell.shuffled;
        return `${percent(accuracy)} (${(100 * balancedAccuracy).toFixed(0)})`;
      }),
    ];
  });
  return `Accuracy (balanced) by window and sample length\n${renderTable(columns, rows)}`;
}

/** The grid as CSV, a cell a line. */
export function renderGridCsv({ judgements }: Identification): string {
  const lines = judgements.map(({ windowS, sampleS, shuffled, contiguous }) =>
    [
      windowS,
      sampleS,
      shuffled.labels.length,
      shuffled.rows,
      ...[
        shuffled.accuracy,
        ...shuffled.interval,
        shuffled.balancedAccuracy,
        contiguous.accuracy,
        contiguous.balancedAccuracy,
        shuffled.baseline,
      ].map((share) => share.toFixed(4)),
    ].join(','),
  );
  const header =
    'window_s,sample_s,devices,windows,accuracy,low,high,balanced_accuracy,contiguous_accuracy,contiguous_balanced,baseline';
  return `${[header, ...lines].join('\n')}\n`;
}

/** What is written as JSON: all figures, no series. */
export function toJson(result: Identification): object {
  const devices = result.devices.map(({ stretches, ...device }) => ({
    ...device,
    files: stretches.map(({ file }) => file),
  }));
  return { ...result, devices, best: bestJudgement(result.judgements) };
}

/** The plots by file name: accuracy over the grid (the paper's Figure 4), windows and rates of devices (Figure 3). */
export function plotIdentification(result: Identification): Record<string, string> {
  const best = bestJudgement(result.judgements);
  const plots: Record<string, string> = { 'rates.svg': plotRates(result.devices) };
  if (best === null) return plots;
  plots['windows.svg'] = plotWindows(result, best);
  if (result.judgements.length > 1) {
    plots['accuracy.svg'] = plotGrid(result);
    plots['accuracy-lines.svg'] = plotGridLines(result);
  }
  return plots;
}

const gridTitle = 'How often rates alone give the device away';

function plotGrid({ windowsS, samplesS, judgements }: Identification): string {
  return plotHeatMap({
    title: gridTitle,
    description: 'Accuracy by window and sample length, percent of windows.',
    xLabel: 'sample length s (s)',
    yLabel: 'window w (s)',
    columns: samplesS.map(String),
    rows: windowsS.map((windowS) => {
      const cell = judgements.find((at) => at.windowS === windowS);
      return cell ? `${windowS} (${cell.shuffled.labels.length} devices)` : String(windowS);
    }),
    values: windowsS.map((windowS) =>
      samplesS.map((sampleS) => {
        const cell = judgements.find((at) => at.windowS === windowS && at.sampleS === sampleS);
        return cell ? cell.shuffled.accuracy : null;
      }),
    ),
    to: 1,
    from: Math.min(0.9, ...judgements.map(({ shuffled }) => shuffled.accuracy)),
    format: percent,
  });
}

function plotGridLines({ windowsS, samplesS, judgements }: Identification): string {
  const series = windowsS
    .map((windowS): Series => {
      const cells = judgements.filter((cell) => cell.windowS === windowS);
      return {
        name: `w = ${windowS} s`,
        points: cells.map(({ sampleS, shuffled }) => [sampleS, shuffled.accuracy * 100]),
      };
    })
    .filter(({ points }) => points.length > 0);
  const lowest = Math.min(...series.flatMap(({ points }) => points.map(([, y]) => y)));
  return plotLines({
    title: gridTitle,
    xLabel: 'sample length s (s)',
    xLog: samplesS.length > 1,
    panels: [
      {
        yLabel: 'accuracy (%)',
        series,
        yFrom: Math.max(0, Math.floor(Math.min(lowest, 94) / 5) * 5),
        yTo: 101,
        references: [{ y: 95, label: '95 %' }],
      },
    ],
  });
}

function plotWindows({ devices, folds }: Identification, { windowS, sampleS }: Judgement): string {
  const { rows, labels } = gatherWindows(devices, windowS, sampleS, folds);
  const names = [...new Set(labels)].slice(0, 7);
  const seriesAt = (mean: number): Series[] =>
    names.map((name) => ({
      name: mean === 0 ? name : '',
      style: 'points',
      points: rows
        .filter((row, i) => labels[i] === name && row[mean]! > 0 && row[mean + 1]! > 0)
        .map((row) => [row[mean]!, row[mean + 1]!]),
    }));
  return plotLines({
    title: `Every window of ${windowS} s by its rate`,
    description:
      'Mean against standard deviation of the rate in each window; devices form clusters.',
    xLabel: `mean rate in the window (bytes/s, samples of ${sampleS} s)`,
    xLog: true,
    panels: [
      { title: 'upload', yLabel: 'deviation (bytes/s)', yLog: true, series: seriesAt(0) },
      { title: 'download', yLabel: 'deviation (bytes/s)', yLog: true, series: seriesAt(2) },
    ],
  });
}

function plotRates(devices: readonly IdentifiedDevice[]): string {
  const points = 400;
  const longest = devices.slice(0, 8).map(({ label, stretches }) => ({
    label,
    ...stretches.reduce((a, b) => (b.toS - b.fromS > a.toS - a.fromS ? b : a)),
  }));
  // One axis for minutes and hours shows neither: the middle capture's length does for all.
  const lengths = longest.map(({ fromS, toS }) => toS - fromS).sort((a, b) => a - b);
  const shownS = lengths[lengths.length >> 1]!;
  const drawn = longest.map(({ label, fromS, toS: endS, series }) => {
    const { binS } = series;
    const toS = Math.min(endS, fromS + shownS);
    const sampleS = Math.max(1, Math.ceil(shownS / points / binS)) * binS;
    const rates = series.rates(fromS, sampleS, Math.max(1, Math.floor((toS - fromS) / sampleS)));
    const line = (name: string, values: Float64Array): Series => ({
      name,
      style: 'step',
      points: Array.from(values, (rate, i) => [(i * sampleS) / 60, rate / 1000]),
    });
    const panel: Panel = {
      title: label,
      yLabel: 'KB/s',
      series: [line('up', rates.up), line('down', rates.down)],
    };
    return panel;
  });
  return plotLines({
    title: 'Rates of each device, as the observer sees them',
    xLabel: "minutes from the beginning of each device's longest capture",
    panelHeight: 90,
    panels: drawn,
  });
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
