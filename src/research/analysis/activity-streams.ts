// The activity attack on a whole capture: every stream the observer can tell apart, against a file of events.

import type { HomeEvent } from '../../core/analysis/activity-events.ts';
import type { Interval } from '../../core/analysis/statistics/auc-interval.ts';
import { seededRandom } from '../../core/random/random.ts';
import { deviceCatalogue } from '../devices/catalogue.ts';
import {
  type Activity,
  type ActivityOptions,
  type BinnedTraffic,
  findActivity,
} from './activity.ts';
import {
  type ActivityScore,
  addScores,
  matchEvents,
  type Stretch,
  windowAuc,
} from './activity-score.ts';
import { RateSeries } from './identify/features.ts';

/** Resolution of the attack's times, seconds. */
export const BIN_S = 0.25;

/** Traffic of one device as the observer groups it. */
export interface ObservedStream {
  /** What the observer calls it: a label, else an address. */
  label: string;
  key: string;
  series: RateSeries[];
}

export interface StreamActivity {
  label: string;
  keys: string[];
  traffic: BinnedTraffic;
  activity: Activity;
  /** When events of this device, or of all where events name none, happened. */
  happenedS: number[];
  /** Against those events; null without a file of events, and where it may be what an unknown name in it means. */
  score: ActivityScore | null;
  auc: Interval | null;
}

export interface ActivityReport {
  startS: number;
  endS: number;
  toleranceS: number;
  streams: StreamActivity[];
  /** All streams taken together; events of devices that were not seen count as missed. */
  score: ActivityScore | null;
  /** Names in the file of events that no stream goes by. */
  unseen: string[];
}

export interface AttackActivityOptions extends ActivityOptions {
  toleranceS: number;
  seed: number;
  /** Stretches in which nobody noted what happened: neither events nor findings there are counted. */
  leftOut?: readonly Stretch[];
}

/**
 * Finds events in every stream and scores them. Streams of one label are one device's. Where events name devices, each is
 * held against its own; a device that is known by its id in the catalogue, its label or its address counts as named.
 */
export function attackActivity(
  streams: readonly ObservedStream[],
  { startS, endS }: { startS: number; endS: number },
  events: readonly HomeEvent[] | null,
  { toleranceS, seed, leftOut = [], ...options }: AttackActivityOptions,
): ActivityReport {
  const judged = (timeS: number) =>
    !leftOut.some(({ fromS, toS }) => timeS >= fromS && timeS <= toS);
  const devices = new Map<string, ObservedStream[]>();
  for (const stream of streams) {
    devices.set(stream.label, [...(devices.get(stream.label) ?? []), stream]);
  }
  const known = events?.filter(({ timeS }) => judged(timeS)) ?? null;
  const named = known?.some(({ device }) => device !== '') ?? false;
  const isOf = (device: string, label: string, own: readonly ObservedStream[]) =>
    isNamed(
      device,
      label,
      own.map(({ key }) => key),
    );
  const unseen = [...new Set(known?.map(({ device }) => device) ?? [])].filter(
    (device) => named && ![...devices].some(([label, own]) => isOf(device, label, own)),
  );
  const found = [...devices].map(([label, own], k): StreamActivity => {
    const traffic = joinSeries(own, startS, endS);
    const activity = findActivity(traffic, options);
    const keys = own.map(({ key }) => key);
    const real = known?.filter(({ device }) => !named || isNamed(device, label, keys)) ?? [];
    const times = real.map(({ timeS }) => timeS);
    const starts = activity.events.map((event) => event.startS).filter(judged);
    return {
      label,
      keys,
      traffic,
      activity,
      happenedS: times,
      // Where names fit no stream, one that no event names may be theirs: nothing is known of when it was used.
      score:
        known && (unseen.length === 0 || real.length > 0)
          ? matchEvents(starts, times, toleranceS)
          : null,
      auc: times.length
        ? windowAuc(traffic, activity, times, 2 * toleranceS, seededRandom(seed, k), leftOut)
        : null,
    };
  });
  const missed = known?.filter(({ device }) => unseen.includes(device)).length ?? 0;
  return {
    startS,
    endS,
    toleranceS,
    streams: found.sort((a, b) => b.activity.events.length - a.activity.events.length),
    score: known && scoreAll(found, known, { named, missed, toleranceS, judged }),
    unseen,
  };
}

/** With named events the sum over devices, else all findings, those of one moment being one, against all events. */
function scoreAll(
  streams: readonly StreamActivity[],
  events: readonly HomeEvent[],
  {
    named,
    missed,
    toleranceS,
    judged,
  }: { named: boolean; missed: number; toleranceS: number; judged: (timeS: number) => boolean },
): ActivityScore {
  if (named) {
    const nothing = matchEvents([], new Array<number>(missed).fill(0), toleranceS);
    return addScores([...streams.flatMap(({ score }) => score ?? []), nothing]);
  }
  const starts = streams
    .flatMap(({ activity }) => activity.events.map(({ startS }) => startS).filter(judged))
    .sort((a, b) => a - b);
  const moments = starts.filter((timeS, i) => i === 0 || timeS - starts[i - 1]! > toleranceS / 2);
  return matchEvents(
    moments,
    events.map(({ timeS }) => timeS),
    toleranceS,
  );
}

function joinSeries(
  streams: readonly ObservedStream[],
  startS: number,
  endS: number,
): BinnedTraffic {
  const count = Math.max(1, Math.ceil((endS - startS) / BIN_S));
  const all = streams.flatMap((stream) => stream.series);
  let series = all[0]!;
  if (all.length > 1) {
    series = new RateSeries(BIN_S);
    for (const one of all) series.addSeries(one);
  }
  return {
    startS: Math.floor(startS / BIN_S) * BIN_S,
    binS: BIN_S,
    count,
    ...series.cut(startS, count),
  };
}

function isNamed(device: string, label: string, keys: readonly string[]): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const name = deviceCatalogue.find(({ id }) => id === device)?.name ?? device;
  return [device, name].some(
    (one) => plain(one) === plain(label) || keys.includes(one.toLowerCase()),
  );
}
