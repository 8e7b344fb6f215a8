// Superposed epochs: what the slots do right after devices begin, against what they do a little earlier or later.

import { drawIndex, type Random } from '../random/random.ts';
import type { Onset } from './audit-activity.ts';
import { type FamilyResult, type LabelTest, maxT } from './statistics/permutation.ts';
import { binOf, mean, quantileOfSorted } from './statistics/sample.ts';
import type { WirePacket } from './wire-features.ts';

export interface OnsetOptions {
  permutations: number;
  random: Random;
}

/** Fewest onsets of one kind that are tested. */
export const FEWEST_ONSETS = 5;

/** More onsets than this add time, not power. */
const MOST_ONSETS = 1500;

const KINDS: Record<Onset['follows'], string> = {
  nothing: 'where a device began',
  down: 'where a packet reached a device',
  either: 'where activity began',
};

/** Fewest slots of a direction that are looked at. */
const FEWEST_SLOTS = 300;

/** After so many slots a schedule that varies is at any phase, one that does not is where it was. */
const FORGOTTEN_SLOTS = 64;

/** How far onsets are moved to get the null, in seconds or slots, whichever is longer. */
const JITTER_S = 10;
const JITTER_SLOTS = 200;

/** A figure of the slots around one interval. */
interface EpochStatistic {
  name: string;
  /** By index of the interval in which the moment lies. */
  value: Float64Array;
  /** Whether it marks something rare, so that its sum over onsets is a count. */
  counts?: boolean;
}

type Stabiliser = (value: number) => number;

/** Where moments lie among the slots. */
interface Moments {
  /** Index of the interval each moment lies in. */
  index: Int32Array;
  /** From the moment to the slot that ends that interval. */
  waitMs: Float64Array;
}

interface Lane {
  timesS: Float64Array;
  clippedMs: Float64Array;
  /** Figures of intervals after the one a moment lies in, and of those before and around it. */
  after: EpochStatistic[];
  around: EpochStatistic[];
}

/**
 * Tests whether slots around onsets differ from slots around the same moments moved at random by some seconds (the
 * interval jitter of Amarasingham et al. 2012): that keeps whatever changes slowly and destroys what answers at once — an
 * extra slot, a slot off schedule, a pause of cover. What the wire itself brings about must stay as it is, though, or a
 * clean stream would seem to answer:
 * - What reaches a device came with a slot down. It is moved to other slots down that something as likely would have come
 *   with, by the same delay; of the slots down themselves only whole intervals are compared.
 * - What a device sends at a time of its own may yet keep step with slots, where it asks again so long after each answer.
 *   It is moved by whole slots, and all of a draw by one turn of the phase besides: a common phase is then no finding,
 *   a phase that only these moments have is.
 * - Where it is not known which of the two a moment is, only what follows its slot is compared.
 * @returns null with too few onsets or packets
 */
export function testOnsets(
  packets: readonly WirePacket[],
  onsets: readonly Onset[],
  { permutations, random }: OnsetOptions,
): FamilyResult | null {
  const tests: Omit<LabelTest, 'statistic'>[] = [];
  const observed: number[] = [];
  const drawn: Float64Array[] = [];
  const downS = timesOf(packets, 'down');
  for (const direction of ['up', 'down'] as const) {
    const timesS = timesOf(packets, direction);
    if (timesS.length < FEWEST_SLOTS) continue;
    const lane = readLane(timesS);
    for (const follows of ['nothing', 'down', 'either'] as const) {
      const times = onsetsWithin(lane, onsets, follows, random);
      if (times.length < FEWEST_ONSETS) continue;
      const carriedS = follows === 'down' ? downS : null;
      if (carriedS && carriedS.length < FEWEST_SLOTS) continue;
      const kind = KINDS[follows];
      const at = momentsAt(lane, times);
      const nullAt = Array.from({ length: permutations }, () =>
        momentsAt(
          lane,
          carriedS
            ? moveWithSlots(lane, carriedS, times, random)
            : moveBySlots(lane, times, random),
        ),
      );
      const add = (name: string, figure: (moments: Moments) => number, stabilise?: Stabiliser) => {
        tests.push({ name: `${direction} ${name} ${kind}`, twoSided: true, stabilise });
        observed.push(figure(at));
        drawn.push(Float64Array.from(nullAt, figure));
      };
      for (const { name, value, counts } of follows === 'either'
        ? lane.after
        : [...lane.after, ...lane.around]) {
        const stabilise = (share: number) => Math.sqrt(share * times.length + 3 / 8);
        add(name, ({ index }) => meanAt(value, index), counts ? stabilise : undefined);
      }
      if (follows === 'either' || follows === direction) continue;
      add('interval', ({ index }) => meanAt(lane.clippedMs, index));
      add('wait for the next slot', ({ waitMs }) => mean(waitMs));
    }
  }
  return tests.length ? maxT(tests, observed, drawn) : null;
}

function timesOf(packets: readonly WirePacket[], direction: WirePacket['direction']): Float64Array {
  return Float64Array.from(
    packets.flatMap((packet) => (packet.direction === direction ? [packet.timeS] : [])),
  );
}

function readLane(timesS: Float64Array): Lane {
  const raw = new Float64Array(timesS.length - 1);
  for (let i = 0; i < raw.length; i++) raw[i] = (timesS[i + 1]! - timesS[i]!) * 1000;
  const sorted = raw.slice().sort();
  const low = quantileOfSorted(sorted, 0.001);
  const high = quantileOfSorted(sorted, 0.999);
  const clipped = raw.map((value) => Math.min(high, Math.max(low, value)));
  const rare = raw.map((value) => (value > high ? 1 : 0));
  const short = raw.map((value) => (value < low ? 1 : 0));
  const squared = clipped.map((value) => value * value);
  const mean8 = spanMean(clipped, 1, 8);
  const mean16 = spanMean(clipped, 1, 16);
  const square16 = spanMean(squared, 1, 16);
  const after: EpochStatistic[] = [
    { name: 'next interval', value: spanMean(clipped, 1, 1) },
    { name: 'mean of next 2 intervals', value: spanMean(clipped, 1, 2) },
    { name: 'shortest of next 4 intervals', value: spanLeast(clipped, 1, 4) },
    { name: 'mean of next 8 intervals', value: mean8 },
    { name: 'mean of next 64 intervals', value: spanMean(clipped, 1, 64) },
    { name: 'variance of next 16 intervals', value: mean16.map((m, i) => square16[i]! - m * m) },
    { name: 'gaps among next 8 intervals', value: spanMost(rare, 1, 8), counts: true },
    { name: 'very short among next 8 intervals', value: spanMost(short, 1, 8), counts: true },
  ];
  const around: EpochStatistic[] = [
    { name: 'gaps among next 9 intervals', value: spanMost(rare, 0, 8), counts: true },
    { name: 'very short among next 9 intervals', value: spanMost(short, 0, 8), counts: true },
    { name: 'mean of last 8 intervals', value: spanMean(clipped, -8, -1) },
    { name: 'shortest of last 8 intervals', value: spanLeast(clipped, -8, -1) },
    { name: 'gaps among last 8 intervals', value: spanMost(rare, -8, -1), counts: true },
    { name: 'very short among last 8 intervals', value: spanMost(short, -8, -1), counts: true },
  ];
  return { timesS, clippedMs: clipped, after, around };
}

/** Onsets of one kind that have slots on both sides, thinned to the most that are worth the time. */
function onsetsWithin(
  lane: Lane,
  onsets: readonly Onset[],
  follows: Onset['follows'],
  random: Random,
): Float64Array {
  const { timesS } = lane;
  const [startS, endS] = [timesS[16]!, timesS[timesS.length - 70]!];
  const chosen = onsets.filter(
    (onset) => onset.follows === follows && onset.timeS > startS && onset.timeS < endS,
  );
  while (chosen.length > MOST_ONSETS) chosen.splice(drawIndex(random, chosen.length), 1);
  return Float64Array.from(chosen, ({ timeS }) => timeS);
}

/** Slots between which something may be moved, and how far. */
function reachOf({ timesS }: Lane): { first: number; last: number; slots: number } {
  const last = timesS.length - 71;
  const slotS = (timesS.at(-1)! - timesS[0]!) / (timesS.length - 1);
  const slots = Math.round(Math.max(JITTER_S / slotS, JITTER_SLOTS));
  return { first: 16, last, slots: Math.min(slots, Math.floor((last - 16) / 2)) };
}

/** Moments moved by whole slots each, and by one part of a slot all. */
function moveBySlots(lane: Lane, times: Float64Array, random: Random): Float64Array {
  const { timesS } = lane;
  const { first, last, slots } = reachOf(lane);
  const slotS = (timesS.at(-1)! - timesS[0]!) / (timesS.length - 1);
  // Counted from a slot so long before that a schedule that varies has forgotten it.
  const turnS = (FORGOTTEN_SLOTS + random()) * slotS;
  return times.map((timeS) => {
    const at = indexOf(timesS, timeS);
    const moved = reflect(at + drawIndex(random, 2 * slots + 1) - slots, first, last);
    const from = Math.max(0, moved - FORGOTTEN_SLOTS);
    return timesS[from]! + (timeS - timesS[at]!) + turnS;
  });
}

/** Moments moved to other slots that bring something, each as long after its slot as it was. */
function moveWithSlots(lane: Lane, carriedS: Float64Array, times: Float64Array, random: Random) {
  const { timesS } = lane;
  const { first, last, slots } = reachOf(lane);
  const [startS, endS] = [timesS[first]!, timesS[last]!];
  const reachS = (slots * (timesS.at(-1)! - timesS[0]!)) / (timesS.length - 1);
  return times.map((timeS) => {
    const lateS = timeS - (carriedS[indexOf(carriedS, timeS)] ?? timeS);
    const askedS = reflect(timeS + (2 * random() - 1) * reachS, startS, endS);
    // What is to be sent at a moment rides in the slot after next: two frames stand in the kernel.
    const slot = Math.max(0, indexOf(carriedS, askedS) + 2);
    return Math.min(carriedS[Math.min(slot, carriedS.length - 1)]! + lateS, endS);
  });
}

function reflect(value: number, least: number, most: number): number {
  const inside = value < least ? 2 * least - value : value > most ? 2 * most - value : value;
  return Math.min(most, Math.max(least, inside));
}

function momentsAt({ timesS }: Lane, times: Float64Array): Moments {
  const index = Int32Array.from(times, (timeS) => indexOf(timesS, timeS));
  return { index, waitMs: times.map((timeS, k) => (timesS[index[k]! + 1]! - timeS) * 1000) };
}

/** Index of the last slot that is not after a moment. */
function indexOf(timesS: Float64Array, timeS: number): number {
  return binOf(timesS, timeS) - 1;
}

function meanAt(values: Float64Array, indices: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < indices.length; i++) sum += values[indices[i]!]!;
  return sum / indices.length;
}

/** Mean of values[i + from … i + to], cut at the ends of the recording. */
function spanMean(values: Float64Array, from: number, to: number): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let i = 0; i < values.length; i++) sums[i + 1] = sums[i]! + values[i]!;
  return values.map((value, i) => {
    const low = Math.max(0, i + from);
    const high = Math.min(values.length - 1, i + to);
    return high < low ? value : (sums[high + 1]! - sums[low]!) / (high - low + 1);
  });
}

function spanMost(values: Float64Array, from: number, to: number): Float64Array {
  return spanLeast(
    values.map((value) => -value),
    from,
    to,
  ).map((value) => -value);
}

function spanLeast(values: Float64Array, from: number, to: number): Float64Array {
  return values.map((value, i) => {
    let least = Number.POSITIVE_INFINITY;
    for (let k = Math.max(0, i + from); k <= Math.min(values.length - 1, i + to); k++) {
      least = Math.min(least, values[k]!);
    }
    return least === Number.POSITIVE_INFINITY ? value : least;
  });
}
