// The audit in words: what was found, how sure that is, and what could not have been seen.

import { renderAs } from '../home/answers.ts';
import type { AuditFigure, AuditReport } from '../home/api.ts';
import { type Notice, notice } from '../notices/notice.ts';
import { sentencesOf, wordsOf } from '../notices/words.ts';
import type { AuditLevel, AuditResult } from './audit-result.ts';
import type { Interval } from './statistics/auc-interval.ts';
import type { LabelTestResult } from './statistics/permutation.ts';

/** 0: no leak found; 1: leak; 3: the recording cannot answer (2 is a wrong command line). */
export const AUDIT_EXIT_CODES: Record<AuditLevel, number> = { clean: 0, leak: 1, 'too short': 3 };

/** Windows of one length as a family of tests. */
export function windowFamily(windowS: number): Notice {
  return notice('windows-of', { window: windowS });
}

/** What a test on windows found. */
export function explainWindows(
  family: Notice,
  { name, observed, nullMean, z }: LabelTestResult,
): Notice {
  const auc = observed.toFixed(2);
  if (name === 'forest') return notice('finding-forest', { family, auc });
  if (name === 'logistic') return notice('finding-logistic', { family, auc });
  if (name === 'information') {
    const bits = Math.max(0, observed - nullMean).toPrecision(2);
    return notice('finding-information', { family, bits });
  }
  const values = { feature: name, family, auc, z: sigmas(z) };
  return observed > 0.5 ? notice('finding-higher', values) : notice('finding-lower', values);
}

/** What a test on intervals or onsets found. */
export function explainSlots(family: string, result: LabelTestResult): Notice {
  const { name, observed, nullMean } = result;
  const z = sigmas(result.z);
  const against = { observed: figure(observed), expected: figure(nullMean), z };
  if (family === 'onsets') return notice('finding-onsets', { test: name, ...against });
  const [direction = '', test] = name.split(' ');
  if (test === 'variance') {
    return notice('finding-variance', { direction, ratio: Math.exp(observed).toFixed(3), z });
  }
  if (test === 'entropy') {
    const values = { direction, bits: Math.abs(observed).toFixed(3), z };
    return observed < 0
      ? notice('finding-entropy-below', values)
      : notice('finding-entropy-above', values);
  }
  return notice('finding-intervals', { direction, ...against });
}

/** The verdict, a sentence each. */
export function writeVerdict(result: AuditResult): Notice[] {
  const { level, windows, onsets, findings, familyError } = result;
  const first = windows[0];
  const recording = recordingOf(result);
  if (level === 'leak') {
    const { code, values } = findings[0]!;
    const more = findings.length - 1;
    return [
      notice('audit-leak', { finding: { code, values } }),
      ...(more > 0 ? [notice('audit-more-findings', { count: more })] : []),
      notice('audit-seen-in', { recording }),
    ];
  }
  if (level === 'too short' || !first) {
    return [
      first
        ? notice('audit-blind', { auc: first.detectableAuc.toFixed(2) })
        : notice('audit-one-sided', { limit: windowLimit(result) }),
      notice('audit-looked-at', { recording }),
    ];
  }
  const { forest, windowS, detectableAuc } = first;
  const reach = { auc: detectableAuc.toFixed(2), window: windowS };
  return [
    notice('audit-clean', { recording }),
    ...(forest ? [notice('audit-classifier', guessOf(forest))] : []),
    notice('audit-reach', { ...reach, duration: durationOf(result.seconds) }),
    ...(onsets.tested ? [] : [notice('audit-onsets-untested')]),
    notice('audit-false-alarms', { percent: figure(100 * familyError) }),
  ];
}

function guessOf({ value, low, high }: Interval): { auc: string; low: string; high: string } {
  return { auc: value.toFixed(2), low: low.toFixed(2), high: high.toFixed(2) };
}

/** What was looked at. */
function recordingOf({ seconds, packets, windows, onsets }: AuditResult): Notice {
  const seen = { duration: durationOf(seconds), ...packets };
  const [first] = windows;
  if (!first) return notice('recording', seen);
  const { active, idle, windowS } = first;
  const split = { ...seen, active, idle, window: windowS, onsets: onsets.tested };
  return first.meaning === 'any'
    ? notice('recording-active', split)
    : notice('recording-busier', split);
}

/** Why no windows could be compared. */
function windowLimit({ limits }: AuditResult): Notice {
  const known = limits.find(({ code }) => code === 'limit-windows' || code === 'limit-one-sided');
  return known ?? notice('limit-no-activity');
}

/** The audit as the bus and the page show it. */
export function reportAudit(result: AuditResult, timeS: number): AuditReport {
  const leaks = (family: string, test: string) =>
    result.findings.some((finding) => finding.family === family && finding.test.startsWith(test));
  const figures: AuditFigure[] = result.sizes.map(({ direction, other }) => ({
    ...renderAs('name', notice('figure-sizes', { direction })),
    value: other.packets,
    leak: other.packets > 0,
  }));
  for (const window of result.windows) {
    const family = windowFamily(window.windowS);
    const id = wordsOf(family);
    const { forest, logistic } = window;
    if (forest) {
      const title = renderAs('name', notice('figure-forest', { family }));
      figures.push({ ...title, ...forest, leak: leaks(id, 'forest') });
    }
    if (logistic) {
      const title = renderAs('name', notice('figure-logistic', { family }));
      figures.push({ ...title, ...logistic, leak: leaks(id, 'logistic') });
    }
    figures.push({
      ...renderAs('name', notice('figure-information', { family })),
      value: Math.max(0, window.information.bits - window.information.nullMeanBits),
      unit: 'bits',
      leak: leaks(id, 'information'),
    });
  }
  const first = result.windows[0];
  for (const { direction, idle, active, ks } of first?.intervals ?? []) {
    figures.push(
      {
        ...renderAs('name', notice('figure-ks', { direction })),
        value: ks.statistic,
        leak: leaks('intervals', `${direction} KS`),
      },
      {
        ...renderAs('name', notice('figure-sd-idle', { direction })),
        value: idle.sdMs,
        unit: 'ms',
        leak: false,
      },
      {
        ...renderAs('name', notice('figure-sd-active', { direction })),
        value: active.sdMs,
        unit: 'ms',
        leak: leaks('intervals', `${direction} variance`),
      },
    );
  }
  if (result.onsets.strongest) {
    figures.push({
      ...renderAs('name', notice('figure-onsets')),
      value: Math.abs(result.onsets.strongest.z),
      leak: leaks('onsets', ''),
    });
  }
  return {
    state: 'done',
    time: timeS,
    seconds: Math.round(result.seconds),
    verdict: result.level,
    sentence: sentencesOf(result.verdict),
    sentence_notices: result.verdict,
    figures: figures.filter(({ value }) => Number.isFinite(value)),
  };
}

function durationOf(seconds: number): Notice {
  if (seconds < 120) return notice('span-seconds', { count: Math.round(seconds) });
  return notice('span-minutes', { count: (seconds / 60).toFixed(seconds < 600 ? 1 : 0) });
}

function sigmas(z: number): string {
  return Math.abs(z).toFixed(1);
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
