// The audit: can what the provider sees be told apart by what the devices did?

import { type Notice, notice } from '../notices/notice.ts';
import { wordsOf } from '../notices/words.ts';
import { seededRandom } from '../random/random.ts';
import {
  type ActivitySample,
  FEWEST_WINDOWS,
  findOnsets,
  labelTicks,
  labelWindows,
} from './audit-activity.ts';
import { testIntervals } from './audit-intervals.ts';
import { FEWEST_ONSETS, testOnsets } from './audit-onsets.ts';
import type { AuditLevel, AuditResult, Finding } from './audit-result.ts';
import { checkSizes, type SizeFigures } from './audit-sizes.ts';
import { explainSlots, explainWindows, windowFamily, writeVerdict } from './audit-verdict.ts';
import { testWindows, type WindowFigures } from './audit-windows.ts';
import { holm, type LabelTestResult } from './statistics/permutation.ts';
import type { WirePacket } from './wire-features.ts';

export interface AuditInput {
  /** Data-channel datagrams of the tunnel at the WAN, both directions, in any order; `bytes` as `expectedBytes`. */
  wire: readonly WirePacket[];
  /** Packets of devices on the same clock. */
  activity: readonly ActivitySample[];
  /** The stretch to look at; where left out, that in which the stream stands. */
  span?: { startS: number; endS: number };
  /** Moments known to matter, on the same clock: switched, spoken to, moved. */
  events?: readonly number[];
  /** Lengths of window; those that leave too few windows or packets are passed over. */
  windowsS?: readonly number[];
  /** Length every datagram should have; the most frequent one of its direction where left out. */
  expectedBytes?: number;
  /** Chance of calling a clean stream a leak, all tests together. */
  familyError?: number;
  permutations?: number;
  seed?: number;
}

/** Fewest packets a window must hold on average to be looked at. */
const FEWEST_PACKETS = 4;
/** An audit that could not have seen an AUC of this in windows of the first length has not seen enough. */
const COARSEST_AUC = 0.75;

/**
 * Audits a recording. Sizes must all be equal: one that is not is a leak by itself. All else is tested by permutation:
 * within a family (windows of one length, or onsets) by maxT, between families by Holm, so that `familyError` bounds the
 * chance that *anything* is called a leak on a stream that does not depend on the devices.
 * @throws RangeError where the wire holds no packet
 */
export function auditTraces(input: AuditInput): AuditResult {
  const {
    events = [],
    windowsS = [1, 5, 60],
    familyError = 0.01,
    permutations = 1999,
    seed = 1,
  } = input;
  if (input.wire.length === 0) throw new RangeError('the wire holds no packet of the tunnel');
  const sorted = [...input.wire].sort((a, b) => a.timeS - b.timeS);
  const { startS, endS } = input.span ?? steadyStretch(sorted);
  const wire = sorted.filter(({ timeS }) => timeS >= startS && timeS <= endS);
  const seconds = endS - startS;
  const activity = [...input.activity].sort((a, b) => a.timeS - b.timeS);
  const packets = { up: 0, down: 0 };
  for (const { direction } of wire) packets[direction]++;
  const slotS = seconds / Math.max(1, Math.max(packets.up, packets.down));
  const limits = noteStalls(wire);

  const lengths = windowsS.filter((windowS) => windowS / slotS >= FEWEST_PACKETS);
  const level = familyError / (lengths.length + 2);
  const tried: { name: string; family: Notice | null; results: LabelTestResult[] }[] = [];
  const windows: WindowFigures[] = [];
  for (const windowS of lengths) {
    const place = { startS, windowS, windows: Math.floor(seconds / windowS) };
    if (place.windows < 2 * FEWEST_WINDOWS) {
      const counts = { count: place.windows, least: 2 * FEWEST_WINDOWS };
      limits.push(notice('limit-windows', { window: windowS, ...counts }));
      continue;
    }
    const labels = labelWindows(activity, place);
    if (Math.min(labels.active, labels.idle) < FEWEST_WINDOWS) {
      const { active, idle } = labels;
      const counts = { active, idle, least: FEWEST_WINDOWS };
      limits.push(notice('limit-one-sided', { window: windowS, ...counts }));
      continue;
    }
    const result = testWindows(wire, { startS, windowS, labels, permutations, level, seed });
    windows.push(result.figures);
    const family = windowFamily(windowS);
    tried.push({ name: wordsOf(family), family, results: result.tests.results });
  }

  const tickS = Math.max(0.25, 4 * slotS);
  const ticks = labelTicks(activity, {
    startS,
    windowS: tickS,
    windows: Math.floor(seconds / tickS),
  });
  const random = seededRandom(seed, 22);
  const intervalTests = testIntervals(wire, startS, tickS, ticks, { permutations, random });
  if (intervalTests)
    tried.push({ name: 'intervals', family: null, results: intervalTests.results });
  else limits.push(notice('limit-intervals'));

  const inside = (timeS: number) => timeS > startS && timeS < endS;
  const onsets = findOnsets(
    activity.filter(({ timeS }) => inside(timeS)),
    events.filter(inside),
    Math.max(0.5, 20 * slotS),
  );
  const onsetTests = testOnsets(wire, onsets, { permutations, random: seededRandom(seed, 21) });
  if (onsetTests) tried.push({ name: 'onsets', family: null, results: onsetTests.results });
  else limits.push(notice('limit-onsets', { count: onsets.length, least: FEWEST_ONSETS }));

  const familyP = tried.map(({ results }) =>
    Math.min(...results.map(({ adjustedP }) => adjustedP)),
  );
  const adjusted = holm(familyP);
  const families = tried.map(({ name, results }, k) => ({
    name,
    tests: results.length,
    pValue: familyP[k]!,
    adjustedP: adjusted[k]!,
  }));
  const sizes = checkSizes(wire, input.expectedBytes);
  const findings: Finding[] = sizes.flatMap((figures) => explainSizes(figures));
  tried.forEach(({ name, family, results }, k) => {
    if (adjusted[k]! > familyError) return;
    const shift = adjusted[k]! / familyP[k]!;
    for (const result of results) {
      const pValue = Math.min(1, result.adjustedP * shift);
      if (pValue > familyError) continue;
      const { name: test, z } = result;
      const said = family ? explainWindows(family, result) : explainSlots(name, result);
      findings.push({ ...said, family: name, test, pValue, z });
    }
  });
  const weight = ({ z }: Finding) => (z === null ? Number.POSITIVE_INFINITY : Math.abs(z));
  findings.sort((a, b) => (weight(a) === weight(b) ? 0 : weight(b) - weight(a)));

  const detectable = windows[0]?.detectableAuc ?? 1;
  const auditLevel: AuditLevel = findings.length
    ? 'leak'
    : detectable > COARSEST_AUC
      ? 'too short'
      : 'clean';
  const strongest = onsetTests
    ? onsetTests.results.reduce((a, b) => (Math.abs(b.z) > Math.abs(a.z) ? b : a))
    : null;
  const result: AuditResult = {
    level: auditLevel,
    verdict: [],
    seconds,
    startS,
    packets,
    leftOutS: { start: startS - sorted[0]!.timeS, end: sorted.at(-1)!.timeS - endS },
    sizes,
    windows,
    onsets: { tested: onsetTests ? onsets.length : 0, strongest },
    families,
    findings,
    limits,
    familyError,
    seed,
  };
  if (windows[0]?.meaning === 'busier') {
    limits.push(notice('limit-busier'));
  }
  return { ...result, verdict: writeVerdict(result) };
}

/**
 * The part of a recording in which the stream stands: from the first to the last second that holds at least half the
 * packets of the median second, less that second itself. A tunnel that is still coming up is not what is audited; a gap
 * in the middle stays in.
 */
function steadyStretch(wire: readonly WirePacket[]): { startS: number; endS: number } {
  const first = wire[0]!.timeS;
  const last = wire.at(-1)!.timeS;
  const binS = Math.max(1, (8 * (last - first)) / wire.length);
  const bins = Math.floor((last - first) / binS);
  if (bins < 5) return { startS: first, endS: last };
  const counts = new Float64Array(bins);
  for (const { timeS } of wire) {
    const bin = Math.floor((timeS - first) / binS);
    if (bin < bins) counts[bin]!++;
  }
  const enough = counts.slice().sort()[Math.floor(bins / 2)]! / 2;
  const from = counts.findIndex((count) => count >= enough);
  const to = counts.findLastIndex((count) => count >= enough);
  return {
    startS: from === 0 ? first : first + (from + 1) * binS,
    endS: to === bins - 1 ? last : first + to * binS,
  };
}

/** A stall longer than this many mean intervals is worth telling: no schedule draws one. */
export const STALL_SLOTS = 4;

/** Gaps that are the machine's or the line's: they show whatever devices do, but drown what else could be found. */
function noteStalls(wire: readonly WirePacket[]): Notice[] {
  return (['up', 'down'] as const).flatMap((direction) => {
    const times = wire.flatMap((packet) => (packet.direction === direction ? [packet.timeS] : []));
    const stallS = (STALL_SLOTS * (times.at(-1)! - times[0]!)) / Math.max(1, times.length - 1);
    const gaps = times
      .slice(1)
      .flatMap((timeS, i) => (timeS - times[i]! > stallS ? [timeS - times[i]!] : []));
    if (gaps.length === 0) return [];
    const longest = Math.round(1000 * gaps.reduce((a, b) => Math.max(a, b)));
    const counts = { count: gaps.length, slots: STALL_SLOTS, longest };
    return [notice('limit-stalls', { direction, ...counts })];
  });
}

function explainSizes({ direction, expectedBytes, packets, other }: SizeFigures): Finding[] {
  if (other.packets === 0) return [];
  const share = ((100 * other.packets) / packets).toPrecision(2);
  const sizes =
    other.bytes.length > 6 ? `${other.bytes.slice(0, 6).join(', ')}, …` : other.bytes.join(', ');
  const said = notice('finding-sizes', {
    others: other.packets,
    packets,
    direction,
    share,
    bytes: expectedBytes,
    sizes,
  });
  return [{ ...said, family: 'sizes', test: `${direction} sizes`, pValue: 0, z: null }];
}
