// What an attacker at the provider gets out of a lab run: devices named, events found, activity told from idleness.

import { auditTraces } from '../../../core/analysis/audit.ts';
import type { AuditLevel } from '../../../core/analysis/audit-result.ts';
import type { Interval } from '../../../core/analysis/statistics/auc-interval.ts';
import { seededRandom } from '../../../core/random/random.ts';
import { type ActivityScore, chanceHits } from '../../analysis/activity-score.ts';
import { attackActivity, BIN_S } from '../../analysis/activity-streams.ts';
import { loudestDevices } from '../../analysis/audit-devices.ts';
import { type Validation, validateRates, wilsonInterval } from '../../analysis/cross-validation.ts';
import { cutWindows, RateSeries } from '../../analysis/identify/features.ts';
import { defaultLabels, labelsInNames } from '../../analysis/labels.ts';
import { labDevices } from '../bed/topology.ts';
import type { HomePacket, WirePacket } from './observation.ts';

/** Events of so short a run lie close together: a finding counts only this near to one. */
export const TOLERANCE_S = 1;
/** Windows and samples of the rates: as long as a short run allows. */
export const RATE_WINDOW_S = 2;
const NEIGHBOURS = 3;
const FOLDS = 10;

/** One run as the attack gets it, all on one clock. */
export interface AttackInput {
  /** The stretch looked at, unix seconds. */
  startS: number;
  endS: number;
  wire: { up: readonly WirePacket[]; down: readonly WirePacket[] };
  /** Streams told apart by their remote ends, with what those were looked up as; null where all is one tunnel. */
  streams: ReadonlyMap<string, RateSeries> | null;
  /** Names asked for in the clear. */
  dnsNames: readonly string[];
  home: readonly HomePacket[];
  events: readonly { timeS: number; device: string; event: string }[];
  seed: number;
}

export interface AttackFigures {
  /** Devices that talked, by label. */
  devices: string[];
  /** Those of them that names in the clear give away. */
  namedByDns: string[];
  /** Those that rates alone give away, and how windows were judged; null where there was nothing to judge. */
  byRates: { named: string[]; validation: Validation } | null;
  /** Findings held against the events; null without events. */
  events: (ActivityScore & { chanceHits: number }) | null;
  /** The audit's forest on windows of a second; null where it could not be trained. */
  auc: Interval | null;
  /** The smallest AUC that would have been found in so short a run 80 times in 100. */
  visibleAuc: number | null;
  verdict: AuditLevel | null;
}

/** Attacks one run. */
export function attackRun(input: AttackInput): AttackFigures {
  const { home, dnsNames } = input;
  const devices = [...activityByDevice(home).keys()].sort();
  const looked = labelsInNames(dnsNames, defaultLabels().dns).map(({ label }) => label);
  const { auc, visibleAuc, verdict } = auditRun(input);
  return {
    devices,
    namedByDns: devices.filter((device) => looked.includes(device)),
    byRates: judgeRates(input),
    events: findEvents(input),
    auc,
    visibleAuc,
    verdict,
  };
}

/** Labels of the lab's devices by their address at home. */
export function deviceNames(): Map<string, string> {
  return new Map(labDevices().map(({ ip, name }) => [ip, name]));
}

/** What each device said and heard, by its label; packets in the order given. */
export function activityByDevice(home: readonly HomePacket[]): Map<string, HomePacket[]> {
  const names = deviceNames();
  const byDevice = new Map<string, HomePacket[]>();
  for (const packet of home) {
    const device = names.get(packet.ip) ?? packet.ip;
    const own = byDevice.get(device);
    if (own) own.push(packet);
    else byDevice.set(device, [packet]);
  }
  return byDevice;
}

/** Cross-validated within the run itself: the observer has watched this home, so defended, before. */
function judgeRates(input: AttackInput): AttackFigures['byRates'] {
  const { startS, endS, streams, seed } = input;
  const place = { fromS: startS, toS: endS, windowS: RATE_WINDOW_S, sampleS: BIN_S };
  const rows: number[][] = [];
  const labels: string[] = [];
  if (streams) {
    for (const [label, series] of streams) {
      for (const { features } of cutWindows(series, place)) {
        rows.push(features);
        labels.push(label);
      }
    }
  } else {
    for (const { features, device } of tunnelWindows(input)) {
      if (device === null) continue;
      rows.push(features);
      labels.push(device);
    }
  }
  if (rows.length < FOLDS) return null;
  const validation = validateRates(rows, labels, {
    neighbours: NEIGHBOURS,
    folds: FOLDS,
    random: seededRandom(seed),
    contiguous: true,
  });
  return { named: namedLabels(validation), validation };
}

/** Windows of a tunnel's one stream, with the device that said most in each; null where none spoke. */
export function tunnelWindows({
  startS,
  endS,
  wire,
  home,
}: Pick<AttackInput, 'startS' | 'endS' | 'wire' | 'home'>): {
  startS: number;
  features: number[];
  device: string | null;
}[] {
  const windows = Math.ceil((endS - startS) / RATE_WINDOW_S);
  const cut = { startS, windowS: RATE_WINDOW_S, windows };
  const busiest = loudestDevices(activityByDevice(home), cut);
  const place = { fromS: startS, toS: endS, windowS: RATE_WINDOW_S, sampleS: BIN_S };
  return cutWindows(seriesOf(wire), place).map((window) => ({
    ...window,
    device: busiest[Math.round((window.startS - startS) / RATE_WINDOW_S)] ?? null,
  }));
}

/** Labels told right more often than not, and called so rightly more often than guessing would. */
function namedLabels({ labels, confusion, rows }: Validation): string[] {
  return labels.filter((_, i) => {
    const own = confusion[i]!.reduce((a, b) => a + b, 0);
    const called = confusion.reduce((sum, row) => sum + row[i]!, 0);
    const right = confusion[i]![i]!;
    if (right === 0 || own < 2) return false;
    return right > own / 2 && right > called / 2 && wilsonInterval(right, called)[0] > own / rows;
  });
}

function findEvents({
  startS,
  endS,
  streams,
  wire,
  events,
  seed,
}: AttackInput): AttackFigures['events'] {
  if (events.length === 0) return null;
  const observed = streams
    ? [...streams].map(([label, series]) => ({ label, key: label, series: [series] }))
    : [{ label: 'tunnel', key: 'tunnel', series: [seriesOf(wire)] }];
  const happened = streams ? events : events.map((event) => ({ ...event, device: '' }));
  const options = { toleranceS: TOLERANCE_S, seed };
  const { score } = attackActivity(observed, { startS, endS }, happened, options);
  const place = { seconds: endS - startS, toleranceS: TOLERANCE_S, streams: observed.length };
  return score && { ...score, chanceHits: chanceHits(score, place) };
}

function auditRun({
  startS,
  endS,
  wire,
  home,
  events,
  seed,
}: AttackInput): Pick<AttackFigures, 'auc' | 'visibleAuc' | 'verdict'> {
  const within = ({ timeS }: { timeS: number }) => timeS >= startS && timeS < endS;
  const packets = wireWithin({ startS, endS, wire });
  if (packets.length === 0) return { auc: null, visibleAuc: null, verdict: null };
  const result = auditTraces({
    wire: packets,
    // What is not shaped has no steady stretch.
    span: { startS, endS },
    activity: home.filter(within),
    events: events.map(({ timeS }) => timeS),
    windowsS: [1],
    seed,
  });
  const [window] = result.windows;
  return {
    auc: window?.forest ?? null,
    visibleAuc: window?.detectableAuc ?? null,
    verdict: result.level,
  };
}

/** Both directions of a wire from `startS` to before `endS`, in the order of time. */
export function wireWithin({
  startS,
  endS,
  wire,
}: Pick<AttackInput, 'startS' | 'endS' | 'wire'>): (WirePacket & { direction: 'up' | 'down' })[] {
  return (['up', 'down'] as const)
    .flatMap((direction) => wire[direction].map((packet) => ({ ...packet, direction })))
    .filter(({ timeS }) => timeS >= startS && timeS < endS)
    .sort((a, b) => a.timeS - b.timeS);
}

/** Both directions of a wire as rates. */
export function seriesOf({ up, down }: AttackInput['wire']): RateSeries {
  const series = new RateSeries(BIN_S);
  for (const packet of up) series.add({ ...packet, direction: 'up' });
  const others = new RateSeries(BIN_S);
  for (const packet of down) others.add({ ...packet, direction: 'down' });
  series.addSeries(others);
  return series;
}
