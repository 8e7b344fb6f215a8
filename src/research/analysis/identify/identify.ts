// The paper's first step of attack: which device a stream of encrypted packets belongs to.

import { seededRandom } from '../../../core/random/random.ts';
import type { Announcement } from '../../capture/names/name-book.ts';
import { type ClassifierName, type Validation, validateRates } from '../cross-validation.ts';
import { type Labels, labelByNames } from '../labels.ts';
import {
  describeWindow,
  type FeatureSet,
  type RateSeries,
  ratesRoom,
  windowStarts,
} from './features.ts';
import type { Stream } from './flows.ts';
import type { Rows } from './knn.ts';
import type { Vendors } from './vendors.ts';

/** A capture, separated into streams. */
export interface ObservedCapture {
  file: string;
  /** When watching began and ended. */
  fromS: number;
  toS: number;
  streams: (Pick<
    Stream,
    'key' | 'mac' | 'addresses' | 'names' | 'packets' | 'upBytes' | 'downBytes' | 'series'
  > &
    Partial<Pick<Stream, 'announced'>>)[];
}

/** One device as the observer knows it, in all captures it occurs in. */
export interface IdentifiedDevice {
  key: string;
  mac: string | null;
  /** What its class is called. */
  label: string;
  /** What `label` rests on: the user's file, names looked up, what it calls itself, or nothing but its address. */
  basis: 'label file' | 'DNS' | 'announcement' | 'address';
  /** What the names looked up say, whatever `label` rests on. */
  dnsLabel: string | null;
  dnsEvidence: string[];
  vendor: string | null;
  names: string[];
  announced: Announcement[];
  packets: number;
  upBytes: number;
  downBytes: number;
  stretches: { file: string; fromS: number; toS: number; series: RateSeries }[];
}

/** Joins the streams of one device over captures and says whose they seem to be. */
export function identifyDevices(
  captures: readonly ObservedCapture[],
  labels: Labels,
  vendors: Vendors | null,
): IdentifiedDevice[] {
  const devices = new Map<string, IdentifiedDevice>();
  for (const capture of captures) {
    const byFile = labels.file.find(({ suffix }) => capture.file.endsWith(suffix))?.label;
    for (const stream of capture.streams) {
      const given =
        (stream.mac === null ? undefined : labels.mac.get(stream.mac)) ??
        [stream.key, ...stream.addresses].map((address) => labels.ip.get(address)).find(Boolean) ??
        byFile;
      // A file's label makes another device of the same address there: emulators and relays share addresses.
      const key = given === undefined ? stream.key : `${stream.key}|${given}`;
      let device = devices.get(key);
      if (!device) {
        device = {
          key: stream.key,
          mac: stream.mac,
          label: given ?? stream.key,
          basis: given === undefined ? 'address' : 'label file',
          dnsLabel: null,
          dnsEvidence: [],
          vendor: stream.mac === null ? null : (vendors?.find(stream.mac) ?? null),
          names: [],
          announced: [],
          packets: 0,
          upBytes: 0,
          downBytes: 0,
          stretches: [],
        };
        devices.set(key, device);
      }
      for (const name of stream.names) if (!device.names.includes(name)) device.names.push(name);
      for (const one of stream.announced ?? []) {
        if (!device.announced.some(({ name }) => name === one.name)) device.announced.push(one);
      }
      device.packets += stream.packets;
      device.upBytes += stream.upBytes;
      device.downBytes += stream.downBytes;
      const { file, fromS, toS } = capture;
      device.stretches.push({ file, fromS, toS, series: stream.series });
    }
  }
  for (const device of devices.values()) {
    judgeByNames(device, labels);
    judgeByAnnouncements(device);
    if (device.basis === 'address' && device.vendor)
      device.label = `${device.vendor} (${device.key})`;
  }
  return [...devices.values()].sort((a, b) => b.packets - a.packets);
}

function judgeByNames(device: IdentifiedDevice, labels: Labels): void {
  const found = labelByNames(device.names, labels.dns);
  if (found === null) return;
  device.dnsLabel = found.label;
  device.dnsEvidence = found.names;
  if (device.basis !== 'address') return;
  device.label = found.label;
  device.basis = 'DNS';
}

/** A client's kind says nothing of whose it is. */
function judgeByAnnouncements(device: IdentifiedDevice): void {
  const own = device.announced.find(({ by }) => by !== 'DHCP vendor');
  if (device.basis !== 'address' || !own) return;
  device.label = own.name;
  device.basis = 'announcement';
}

/** Windows of all devices, as rows to classify. */
export interface Dataset {
  rows: Rows;
  labels: string[];
  /** How many windows there are, of which no more than `MOST_WINDOWS` are rows. */
  windows: number;
  /** Devices with too few windows to be split into folds, and how many they have. */
  leftOut: { label: string; windows: number }[];
}

/** So many tell an accuracy to within one in a hundred; days of many devices have a hundred thousand. */
export const MOST_WINDOWS = 5000;
/** Steps of it, taken as parts of one, fall nowhere twice and everywhere alike. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Cuts the devices' traffic into windows; a label needs `fewest` of them to take part. Of more than `most`, each label's
 * share of those is taken, spread over its time.
 */
export function gatherWindows(
  devices: readonly IdentifiedDevice[],
  windowS: number,
  sampleS: number,
  fewest: number,
  { features = 'rates', most = MOST_WINDOWS }: { features?: FeatureSet; most?: number } = {},
): Dataset {
  const options = { windowS, sampleS, features };
  const stretchesOf = new Map<string, IdentifiedDevice['stretches']>();
  for (const { label, stretches } of devices)
    stretchesOf.set(label, [...(stretchesOf.get(label) ?? []), ...stretches]);
  const all = Array.from(stretchesOf, ([label, stretches]) => {
    let count = 0;
    for (const stretch of stretches) {
      for (const _ of windowStarts(stretch.series, { ...options, ...stretch })) count++;
    }
    return { label, stretches, count };
  });
  const judged = all.filter(({ count }) => count >= fewest);
  const windows = judged.reduce((sum, { count }) => sum + count, 0);
  const share = Math.min(1, most / Math.max(1, windows));
  const rows: number[][] = [];
  const labels: string[] = [];
  const room = ratesRoom(Math.round(windowS / sampleS));
  for (const { label, stretches, count } of judged) {
    const taken = spreadOver(count, Math.max(fewest, Math.round(count * share)));
    let [place, next] = [0, 0];
    for (const stretch of stretches) {
      for (const startS of windowStarts(stretch.series, { ...options, ...stretch })) {
        if (place++ !== taken[next]) continue;
        next++;
        rows.push(describeWindow(stretch.series, startS, options, room));
        labels.push(label);
      }
    }
  }
  const leftOut = all
    .filter(({ count }) => count < fewest)
    .map(({ label, count }) => ({ label, windows: count }));
  return { rows, labels, windows, leftOut };
}

/** So many places of all, in order, one from each of as many equal parts, where in them no rhythm has it. */
function spreadOver(all: number, count: number): number[] {
  if (count >= all) return Array.from({ length: all }, (_, place) => place);
  return Array.from({ length: count }, (_, k) =>
    Math.floor(((k + ((k * GOLDEN) % 1)) * all) / count),
  );
}

export interface Judgement {
  windowS: number;
  sampleS: number;
  /** How many windows there are; as many as `MOST_WINDOWS` were judged. */
  windows: number;
  shuffled: Validation;
  /** The same with folds that are unbroken stretches of time. */
  contiguous: Validation;
  leftOut: Dataset['leftOut'];
}

export interface JudgeOptions {
  classifier: ClassifierName;
  /** The paper: 3 neighbours, 10 folds. */
  neighbours: number;
  folds: number;
  seed: number;
  /** Rates where left out. */
  features?: FeatureSet;
}

/**
 * How well rates alone tell the devices apart: a classifier on mean and standard deviation of the rates, sampled every
 * `sampleS` in windows of `windowS`, cross-validated.
 * @returns null where fewer than two devices have enough windows, or a window fewer than two samples
 */
export function judgeByRates(
  devices: readonly IdentifiedDevice[],
  windowS: number,
  sampleS: number,
  { classifier, neighbours, folds, seed, features }: JudgeOptions,
): Judgement | null {
  if (new Set(devices.map(({ label }) => label)).size < 2) return null;
  const { rows, labels, windows, leftOut } = gatherWindows(devices, windowS, sampleS, folds, {
    ...(features && { features }),
  });
  if (new Set(labels).size < 2) return null;
  const validate = (contiguous: boolean) =>
    validateRates(rows, labels, {
      classifier,
      neighbours,
      folds,
      random: seededRandom(seed),
      contiguous,
    });
  return {
    windowS,
    sampleS,
    windows,
    shuffled: validate(false),
    contiguous: validate(true),
    leftOut,
  };
}
