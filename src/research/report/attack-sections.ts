// What the paper's two attacks find, as parts of a report: which device it is, and when something happened.

import { activityRows, plotActivity } from '../analysis/activity-report.ts';
import type { ActivityReport } from '../analysis/activity-streams.ts';
import type { Validation } from '../analysis/cross-validation.ts';
import {
  bestJudgement,
  type Identification,
  plotIdentification,
} from '../analysis/identify/identify-report.ts';
import { figureOf, paragraph, renderHtmlTable, type Section } from './page.ts';

/** Section 5 of the paper, its Figures 3 and 4. */
export function identifySection(result: Identification, madeBy: string): Section {
  const devices = renderHtmlTable(
    [
      { title: 'stream' },
      { title: 'called' },
      { title: 'because of' },
      { title: 'packets', isNumber: true },
      { title: 'KB up', isNumber: true },
      { title: 'KB down', isNumber: true },
    ],
    result.devices
      .slice(0, 60)
      .map(({ key, label, basis, packets, upBytes, downBytes }) => [
        key,
        label,
        basis,
        String(packets),
        (upBytes / 1000).toFixed(1),
        (downBytes / 1000).toFixed(1),
      ]),
  );
  const best = bestJudgement(result.judgements);
  let html = devices;
  if (best === null) {
    html += paragraph(
      `Rates were not judged: that takes two devices with at least ${result.folds} windows each.`,
    );
  } else {
    const { shuffled, contiguous, windowS, sampleS } = best;
    const guessing = 1 / shuffled.labels.length;
    html += paragraph(
      `From mean and deviation of rates alone, windows of ${windowS} s sampled every ${sampleS} s, ${result.folds}-fold cross-validation:`,
    );
    html += renderHtmlTable(
      [
        { title: '' },
        { title: 'the paper', isNumber: true },
        { title: 'here', isNumber: true },
        { title: '95 % interval', isNumber: true },
        { title: 'guessing', isNumber: true },
      ],
      [
        [
          `windows told right, of ${shuffled.rows} of ${shuffled.labels.length} devices`,
          'over 95 %',
          percent(shuffled.accuracy),
          `${percent(shuffled.interval[0])} – ${percent(shuffled.interval[1])}`,
          percent(shuffled.baseline),
        ],
        [
          'balanced: each device counts the same',
          '',
          percent(shuffled.balancedAccuracy),
          balancedInterval(shuffled),
          percent(guessing),
        ],
        [
          'folds of unbroken time',
          '',
          percent(contiguous.accuracy),
          `${percent(contiguous.interval[0])} – ${percent(contiguous.interval[1])}`,
          percent(contiguous.baseline),
        ],
      ],
    );
    html += `<h3>Taken for what</h3>${confusionTable(shuffled)}`;
  }
  const plots = plotIdentification(result);
  html += Object.values(plots).map(figureOf).join('');
  return { title: 'Which device it is (paper’s section 5, Figures 3 and 4)', html, madeBy };
}

function confusionTable({
  labels,
  confusion,
}: {
  labels: string[];
  confusion: number[][];
}): string {
  // Names are long, and there are as many columns as rows.
  return renderHtmlTable(
    [{ title: 'device' }, ...labels.map((_, i) => ({ title: `${i + 1}`, isNumber: true }))],
    labels.map((label, i) => [
      `${i + 1} ${label}`,
      ...confusion[i]!.map((count) => (count ? String(count) : '')),
    ]),
  );
}

/** 95 % about a mean of shares, each of so many rows as its device has. */
function balancedInterval({ confusion, balancedAccuracy }: Validation): string {
  const square = confusion.reduce((sum, counts, i) => {
    const rows = counts.reduce((a, b) => a + b, 0);
    const share = (counts[i]! + 1) / (rows + 2);
    return sum + (share * (1 - share)) / rows;
  }, 0);
  const half = (1.96 * Math.sqrt(square)) / confusion.length;
  return `${percent(Math.max(0, balancedAccuracy - half))} – ${percent(Math.min(1, balancedAccuracy + half))}`;
}

/** The paper's Figure 1: what people do, from rates. */
export function activitySection(report: ActivityReport, madeBy: string): Section {
  const { streams, toleranceS, score } = report;
  const shown = { streams: streams.slice(0, 60), score };
  const rows = activityRows(shown, { none: '', notNamed: '', to: ' – ' });
  const html =
    paragraph(
      `${((report.endS - report.startS) / 60).toFixed(1)} minutes; a finding may be ${toleranceS} s off.${score ? '' : ' Nobody noted what happened, so findings are only counted.'}`,
    ) +
    renderHtmlTable(
      [
        { title: 'stream' },
        ...['bursts', 'found', 'happened', 'precision', 'recall', 'F1'].map((title) => ({
          title,
          isNumber: true,
        })),
        { title: `AUC per ${2 * toleranceS} s (95 %)`, isNumber: true },
      ],
      rows,
    ) +
    figureOf(plotActivity(report));
  return { title: 'When something happened (paper’s Figure 1)', html, madeBy };
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
