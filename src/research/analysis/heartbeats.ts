// What a device sends unasked, again and again: bursts of one size that come like a clock.
import { quantileOfSorted } from '../../core/analysis/statistics/sample.ts';
import type { BurstList } from './burst-list.ts';

/** A heartbeat is known by so many alike; those whose sizes differ somewhat, by more. */
const FEWEST_BEATS = 6;
const FEWEST_LOOSE_BEATS = 12;
/** No device beats in more ways. */
const MOST_KINDS = 40;
/** How much the bytes of such heartbeats differ, and how many of their pauses are on time. */
const LOOSE_SIZE = 0.25;
const LOOSE_ON_TIME = 0.6;
/** Of a day's bursts some hundred stand for all, and of a month's some thousand for how many are near. */
const CENTERS = 200;
const ASKED = 4000;

/**
 * Places of all bursts but those of one size whose pauses are mostly one period, or a few of it where one drowned in other
 * traffic.
 */
export function withoutHeartbeats(bursts: BurstList): Uint32Array {
  const all = Uint32Array.from({ length: bursts.length }, (_, place) => place);
  const isBeat = new Uint8Array(bursts.length);
  const share = onTimeOf(bursts);
  for (const own of alike(bursts, all)) {
    if (own.length >= FEWEST_BEATS && share(own, 0.1) >= 0.7) {
      for (const place of own) isBeat[place] = 1;
    }
  }
  // Those that differ somewhat: around each size that many others are near, the commonest first.
  let left: Uint32Array = all.filter((place) => !isBeat[place]);
  const room = new Uint32Array(left.length);
  for (let kinds = 0; kinds < MOST_KINDS && left.length > 0; kinds++) {
    const { near, others } = part(bursts, left, room);
    if (near.length < FEWEST_LOOSE_BEATS) break;
    if (share(near, 0.15) >= LOOSE_ON_TIME) for (const place of near) isBeat[place] = 1;
    left = others;
  }
  return all.filter((place) => !isBeat[place]);
}

/** Parts those near the size that most are near from the others, which stay in `places`; `room` takes the near ones. */
function part(
  bursts: BurstList,
  places: Uint32Array,
  room: Uint32Array,
): { near: Uint32Array; others: Uint32Array } {
  const center = commonest(bursts, places);
  let near = 0;
  let others = 0;
  for (const place of places) {
    if (isNear(bursts, center, place)) room[near++] = place;
    else places[others++] = place;
  }
  return { near: room.subarray(0, near), others: places.subarray(0, others) };
}

/** Places of bursts with the same bytes up and down, each such lot in order of time. */
function* alike(bursts: BurstList, places: Uint32Array): Generator<Uint32Array> {
  const compare = (a: number, b: number) =>
    bursts.upBytes(a) - bursts.upBytes(b) || bursts.downBytes(a) - bursts.downBytes(b);
  const sorted = places.toSorted((a, b) => compare(a, b) || a - b);
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    const first = sorted[from]!;
    while (to < sorted.length && compare(sorted[to]!, first) === 0) to++;
    yield sorted.subarray(from, to);
  }
}

/** The burst whose size most are near. */
function commonest(bursts: BurstList, places: Uint32Array): number {
  const asked = sample(places, ASKED);
  let most = { count: 0, center: places[0]! };
  for (const center of sample(places, CENTERS)) {
    let count = 0;
    for (const place of asked) if (isNear(bursts, center, place)) count++;
    if (count > most.count) most = { count, center };
  }
  return most.center;
}

function isNear(bursts: BurstList, center: number, place: number): boolean {
  return (
    isClose(bursts.upBytes(place), bursts.upBytes(center)) &&
    isClose(bursts.downBytes(place), bursts.downBytes(center))
  );
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= LOOSE_SIZE * Math.max(a, b);
}

function sample(places: Uint32Array, count: number): Uint32Array {
  const step = Math.max(1, Math.floor(places.length / count));
  return step === 1 ? places : places.filter((_, i) => i % step === 0);
}

/** Tells the share of pauses that are one to four periods, the middle pause being one; one list of pauses serves all. */
function onTimeOf(bursts: BurstList): (places: Uint32Array, tolerance: number) => number {
  const room = new Float64Array(bursts.length);
  return (places, tolerance) => {
    const pauses = room.subarray(0, places.length - 1);
    for (let i = 0; i < pauses.length; i++) {
      pauses[i] = bursts.startS(places[i + 1]!) - bursts.startS(places[i]!);
    }
    const periodS = quantileOfSorted(pauses.sort(), 0.5);
    let onTime = 0;
    for (const pause of pauses) {
      const periods = Math.round(pause / periodS);
      const isOne = periods >= 1 && periods <= 4;
      if (isOne && Math.abs(pause / periodS - periods) < tolerance) onTime++;
    }
    return onTime / pauses.length;
  };
}
