// The audit as a table for people, and as a record of everything with its texts.
import { sentencesOf, wordsOf } from '../notices/words.ts';
import { renderTable } from '../plot/text-table.ts';
import type { AuditResult } from './audit-result.ts';
import type { Interval } from './statistics/auc-interval.ts';
import type { DetectorResult } from './statistics/link-padding.ts';

/** What `--json` prints of the result. */
export function recordOf({ verdict, findings, limits, ...figures }: AuditResult) {
  return {
    ...figures,
    sentence: sentencesOf(verdict),
    findings: findings.map((finding) => ({ ...finding, text: wordsOf(finding) })),
    limits: limits.map((limit) => wordsOf(limit)),
  };
}

/** Renders verdict, figures, findings and limits. */
export function renderAudit(result: AuditResult): string {
  const { windows, sizes, onsets, families, findings, limits } = result;
  const parts = [`${sentencesOf(result.verdict)}\n`];
  parts.push(
    renderTable(
      [
        { title: 'Sizes' },
        { title: 'packets', right: true },
        { title: 'bytes', right: true },
        { title: 'others', right: true },
      ],
      sizes.map(({ direction, packets, expectedBytes, other }) => [
        direction,
        String(packets),
        String(expectedBytes),
        String(other.packets),
      ]),
    ),
  );
  if (windows.length) {
    parts.push(
      renderTable(
        [
          { title: 'Windows' },
          { title: 'active', right: true },
          { title: 'idle', right: true },
          { title: 'AUC forest (95 %)' },
          { title: 'AUC logistic (95 %)' },
          { title: 'information', right: true },
          { title: 'chance (95 %)', right: true },
          { title: 'AUC visible', right: true },
        ],
        windows.map((window) => [
          `${window.windowS} s`,
          String(window.active),
          String(window.idle),
          intervalText(window.forest),
          intervalText(window.logistic),
          `${window.information.bits.toFixed(4)} bit`,
          `${window.information.nullHighBits.toFixed(4)} bit`,
          window.detectableAuc.toFixed(2),
        ]),
      ),
    );
    parts.push(
      renderTable(
        [
          { title: 'Intervals' },
          { title: 'idle ms', right: true },
          { title: 'sd', right: true },
          { title: 'active ms', right: true },
          { title: 'sd', right: true },
          { title: 'KS D', right: true },
          { title: 'p (if independent)', right: true },
          { title: 'variance detector right', right: true },
          { title: 'entropy detector right', right: true },
        ],
        windows[0]!.intervals.map(({ direction, idle, active, ks, ...detectors }) => [
          direction,
          idle.meanMs.toFixed(3),
          idle.sdMs.toFixed(3),
          active.meanMs.toFixed(3),
          active.sdMs.toFixed(3),
          ks.statistic.toFixed(4),
          ks.pValue.toPrecision(2),
          rateText(detectors.varianceDetectors),
          rateText(detectors.entropyDetectors),
        ]),
      ),
    );
  }
  parts.push(
    renderTable(
      [
        { title: 'Tested' },
        { title: 'tests', right: true },
        { title: 'p', right: true },
        { title: 'p, all tests', right: true },
      ],
      families.map(({ name, tests, pValue, adjustedP }) => [
        name === 'onsets' ? `${onsets.tested} onsets` : name,
        String(tests),
        pValue.toPrecision(2),
        adjustedP.toPrecision(2),
      ]),
    ),
  );
  if (findings.length) {
    const shown = findings
      .slice(0, 12)
      .map((finding) => `- ${wordsOf(finding)}; p = ${finding.pValue.toPrecision(2)}\n`);
    if (findings.length > 12) shown.push(`- and ${findings.length - 12} more (--json)\n`);
    parts.push(`Findings:\n${shown.join('')}`);
  }
  if (limits.length)
    parts.push(`Limits:\n${limits.map((limit) => `- ${wordsOf(limit)}\n`).join('')}`);
  return parts.join('\n');
}

function intervalText(interval: Interval | null): string {
  if (!interval) return '-';
  return `${interval.value.toFixed(2)} (${interval.low.toFixed(2)}-${interval.high.toFixed(2)})`;
}

/** The longest samples of which there are enough for a rate. */
function rateText(detectors: readonly DetectorResult[]): string {
  const told = detectors.findLast(
    ({ idleSamples, activeSamples }) => Math.min(idleSamples, activeSamples) >= 10,
  );
  return told ? `${(100 * told.detectionRate).toFixed(0)} % of n=${told.sampleIntervals}` : '-';
}
