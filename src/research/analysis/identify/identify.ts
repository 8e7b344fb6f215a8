// The paper's first step of attack: which device a stream of encrypted packets belongs to.

import { seededRandom } from '../../../core/random/random.ts';
import type { Announcement } from '../../capture/names/name-book.ts';
import { type ClassifierName, type Validation, validateRates } from '../cross-validation.ts';
import { type Labels, labelByNames } from '../labels.ts';
import { cutWindows, type FeatureSet, type RateSeries } from './features.ts';
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
  /** Devices with too few windows to be split into folds, and how many they have. */
  leftOut: { label: string; windows: number }[];
}

/** Cuts the devices' traffic into windows; a label needs `fewest` of them to take part. */
export function gatherWindows(
  devices: readonly IdentifiedDevice[],
  windowS: number,
  sampleS: number,
  fewest: number,
  features: FeatureSet = 'rates',
): Dataset {
  const rowsOf = new Map<string, number[][]>();
  for (const { label, stretches } of devices) {
    const rows = rowsOf.get(label) ?? [];
    rowsOf.set(label, rows);
    for (const { fromS, toS, series } of stretches) {
      for (const window of cutWindows(series, { fromS, toS, windowS, sampleS, features }))
        rows.push(window.features);
    }
  }
  const rows: number[][] = [];
  const labels: string[] = [];
  const leftOut: Dataset['leftOut'] = [];
  for (const [label, own] of rowsOf) {
    if (own.length < fewest) {
      leftOut.push({ label, windows: own.length });
      continue;
    }
    for (const row of own) {
      rows.push(row);
      labels.push(label);
    }
  }
  return { rows, labels, leftOut };
}

export interface Judgement {
  windowS: number;
  sampleS: number;
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
  const { rows, labels, leftOut } = gatherWindows(devices, windowS, sampleS, folds, features);
  if (new Set(labels).size < 2) return null;
  const validate = (contiguous: boolean) =>
    validateRates(rows, labels, {
      classifier,
      neighbours,
      folds,
      random: seededRandom(seed),
      contiguous,
    });
  return { windowS, sampleS, shuffled: validate(false), contiguous: validate(true), leftOut };
}
