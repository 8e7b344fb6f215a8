// Intervals after what comes into a tunnel: a planted difference is found at its place, a stream that depends on nothing is not taken for one.
import test from 'ava';
import { kolmogorovSmirnov } from '../../src/core/analysis/statistics/kolmogorov-smirnov.ts';
import { type Random, seededRandom } from '../../src/core/random/random.ts';
import { testNextInterval } from '../../src/research/analysis/next-interval.ts';

const startS = 1000;
const endS = 1240;
const MEAN_S = 0.0128;

/** Devices talk in bursts, at moments that know nothing of the stream. */
function bursts(random: Random): number[] {
  const moments: number[] = [];
  for (let beginS = startS; beginS < endS; beginS += 0.2 + 2 * random()) {
    for (let k = 0; k < 5; k++) moments.push(beginS + 0.05 * k * random());
  }
  return moments.sort((a, b) => a - b);
}

/** Slots of drawn intervals; `stretch` says how much longer one is that begins with the n-th slot after something came. */
function stream(
  random: Random,
  moments: readonly number[],
  stretch: (slotsAfter: number) => number,
): number[] {
  const slots: number[] = [];
  let came = 0;
  let slotsAfter = Number.POSITIVE_INFINITY;
  for (let timeS = startS; timeS < endS; ) {
    slotsAfter++;
    const cameBefore = came;
    while (came < moments.length && moments[came]! < timeS) came++;
    if (came > cameBefore) slotsAfter = 1;
    slots.push(timeS);
    timeS += MEAN_S * (0.5 + random()) * stretch(slotsAfter);
  }
  return slots;
}

test('an interval that is longer right after something came is found, and one some slots later with its lag', (t) => {
  for (const lag of [1, 3]) {
    const random = seededRandom(lag);
    const moments = bursts(random);
    const slots = stream(random, moments, (slotsAfter) => (slotsAfter === lag ? 1.2 : 1));
    const found = testNextInterval(slots, moments, { startS, endS, draws: 199, seed: 1 })!;
    t.is(found.lag, lag);
    t.is(found.pValue, 1 / 200);
    t.true(found.gap > 1.5 * found.nullHigh, `${found.gap} of ${found.nullHigh}`);
  }
});

test('a stream that depends on nothing passes, though what comes falls into its longer intervals', (t) => {
  const passed = Array.from({ length: 20 }, (_, k) => {
    const random = seededRandom(100 + k);
    const moments = bursts(random);
    const slots = stream(random, moments, () => 1);
    if (k === 0) t.true(fallsIntoLonger(slots, moments) < 1e-6);
    return testNextInterval(slots, moments, { startS, endS, draws: 99, seed: k })!.pValue > 0.05;
  }).filter(Boolean).length;
  // One in twenty is found by chance; five or more of twenty are one time in four hundred.
  t.true(passed > 15, `${passed} of 20`);
});

/** The p of the test that asks the interval in which something comes. */
function fallsIntoLonger(slots: readonly number[], moments: readonly number[]): number {
  const inside: number[] = [];
  const others: number[] = [];
  for (let i = 1; i < slots.length; i++) {
    const came = moments.some((timeS) => timeS >= slots[i - 1]! && timeS < slots[i]!);
    (came ? inside : others).push(slots[i]! - slots[i - 1]!);
  }
  return kolmogorovSmirnov(inside, others).pValue;
}

test('too little of either kind says nothing', (t) => {
  const slots = stream(seededRandom(3), [], () => 1);
  t.is(testNextInterval(slots, [1001, 1002], { startS, endS, seed: 1 }), null);
  t.is(testNextInterval(slots, slots, { startS, endS, seed: 1 }), null);
  t.is(testNextInterval(slots.slice(0, 20), slots, { startS, endS: 1001, seed: 1 }), null);
});
