// The audit in words: what was found, how sure that is, and what could not have been seen.

import type { AuditFigure, AuditReport } from '../home/api.ts';
import type { AuditLevel, AuditResult } from './audit-result.ts';
import type { LabelTestResult } from './statistics/permutation.ts';

/** 0: no leak found; 1: leak; 3: the recording cannot answer (2 is a wrong command line). */
export const AUDIT_EXIT_CODES: Record<AuditLevel, number> = { clean: 0, leak: 1, 'too short': 3 };

/** One test's finding as a person would put it. */
export function explainFinding(family: string, result: LabelTestResult): string {
  const { name, observed, nullMean, z } = result;
  const against = `${figure(observed)} where ${figure(nullMean)} is expected (${Math.abs(z).toFixed(1)} standard deviations)`;
  if (family === 'intervals') return explainIntervals(result, against);
  if (family === 'onsets') return `slots answer to devices: ${name}: ${against}`;
  if (name === 'forest' || name === 'logistic') {
    return `a classifier (${name === 'forest' ? 'random forest' : 'logistic regression'}) tells active from idle ${family} with AUC ${observed.toFixed(2)} (0.50 is guessing)`;
  }
  if (name === 'information') {
    return `${family}: one feature of the wire shares ${Math.max(0, observed - nullMean).toPrecision(2)} bits with activity`;
  }
  return `${name} is ${observed > 0.5 ? 'higher' : 'lower'} in active ${family} (AUC ${observed.toFixed(2)}, ${Math.abs(z).toFixed(1)} standard deviations)`;
}

function explainIntervals({ name, observed, z }: LabelTestResult, against: string): string {
  const [direction, test] = name.split(' ');
  const sure = `(${Math.abs(z).toFixed(1)} standard deviations)`;
  if (test === 'variance') {
    return `variance of intervals ${direction} under activity is ${Math.exp(observed).toFixed(3)} of the idle one ${sure}`;
  }
  if (test === 'entropy') {
    return `entropy of intervals ${direction} under activity is ${Math.abs(observed).toFixed(3)} bits ${observed < 0 ? 'below' : 'above'} the idle one ${sure}`;
  }
  return `intervals ${direction} differ between idle and active: Kolmogorov–Smirnov D ${against}`;
}

/** The verdict in one paragraph. */
export function writeVerdict(result: AuditResult): string {
  const { level, packets, windows, onsets, findings, familyError } = result;
  const first = windows[0];
  const seen = `${duration(result.seconds)}, ${packets.up} packets up and ${packets.down} down`;
  const split = first
    ? `, ${first.active} ${first.meaning === 'any' ? 'active' : 'busier'} and ${first.idle} ${first.meaning === 'any' ? 'idle' : 'quieter'} windows of ${first.windowS} s, ${onsets.tested} onsets`
    : '';
  if (level === 'leak') {
    const more = findings.length > 1 ? ` ${findings.length - 1} more findings.` : '';
    return `Leak: ${findings[0]!.text}.${more} Seen in ${seen}${split}.`;
  }
  if (level === 'too short' || !first) {
    const why = first
      ? `only a leak of AUC ${first.detectableAuc.toFixed(2)} or more could have been seen`
      : `devices must be both active and idle for some time (${result.limits.find((limit) => limit.startsWith('windows')) ?? 'no activity'})`;
    return `Too short to tell: ${why}. Looked at ${seen}${split}. Nothing was found so far; let it run longer while devices are used.`;
  }
  const best = first.forest;
  const auc = best
    ? ` A classifier guessed active windows with AUC ${best.value.toFixed(2)} (95 %: ${best.low.toFixed(2)}–${best.high.toFixed(2)}; 0.50 is chance).`
    : '';
  const untested = onsets.tested
    ? ''
    : ' Slots around single events were not tested: too few began.';
  return `No leak found in ${seen}${split}.${auc} No leak larger than AUC ${first.detectableAuc.toFixed(2)} per window of ${first.windowS} s could have stayed unseen in ${duration(result.seconds)}; smaller ones could.${untested} Of clean streams at most ${figure(100 * familyError)} % are called a leak.`;
}

/** The audit as the bus and the page show it. */
export function reportAudit(result: AuditResult, timeS: number): AuditReport {
  const leaks = (family: string, test: string) =>
    result.findings.some((finding) => finding.family === family && finding.test.startsWith(test));
  const figures: AuditFigure[] = result.sizes.map(({ direction, other }) => ({
    name: `packets of another size, ${direction}`,
    value: other.packets,
    leak: other.packets > 0,
  }));
  for (const window of result.windows) {
    const family = `windows of ${window.windowS} s`;
    for (const [name, interval] of [
      ['forest', window.forest],
      ['logistic', window.logistic],
    ] as const) {
      if (!interval) continue;
      const title = name === 'forest' ? 'AUC' : 'AUC of logistic regression';
      figures.push({ name: `${title}, ${family}`, ...interval, leak: leaks(family, name) });
    }
    figures.push({
      name: `mutual information, ${family}`,
      value: Math.max(0, window.information.bits - window.information.nullMeanBits),
      unit: 'bits',
      leak: leaks(family, 'information'),
    });
  }
  const first = result.windows[0];
  for (const { direction, idle, active, ks } of first?.intervals ?? []) {
    figures.push(
      {
        name: `Kolmogorov–Smirnov D, ${direction}`,
        value: ks.statistic,
        leak: leaks('intervals', `${direction} KS`),
      },
      { name: `interval sd idle, ${direction}`, value: idle.sdMs, unit: 'ms', leak: false },
      {
        name: `interval sd active, ${direction}`,
        value: active.sdMs,
        unit: 'ms',
        leak: leaks('intervals', `${direction} variance`),
      },
    );
  }
  if (result.onsets.strongest) {
    figures.push({
      name: 'largest deviation of slots at onsets, standard deviations',
      value: Math.abs(result.onsets.strongest.z),
      leak: leaks('onsets', ''),
    });
  }
  return {
    state: 'done',
    time: timeS,
    seconds: Math.round(result.seconds),
    verdict: result.level,
    sentence: result.sentence,
    figures: figures.filter(({ value }) => Number.isFinite(value)),
  };
}

function duration(seconds: number): string {
  return seconds < 120
    ? `${Math.round(seconds)} s`
    : `${(seconds / 60).toFixed(seconds < 600 ? 1 : 0)} minutes`;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
