// The interval schedule: its moments, its bounds, its randomness.
import test from 'ava';
import fc from 'fast-check';
import { SHORTEST, TRUNCATED_SD_SHARE, TRUNCATION_SDS } from '../../src/core/pacing/modes/vit.ts';
import { IntervalSchedule } from '../../src/core/pacing/schedule.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import { slotMs } from '../../src/core/stream/stream.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { uniformRandom } from '../../src/shell/system/uniform-random.ts';
import { meanOf, sdOf } from '../moments.ts';
import { draws } from '../property-runs.ts';

const N = draws(200_000);

function draw(meanMs: number, sdPercent: number, count: number, seed = 1): number[] {
  const schedule = new IntervalSchedule({
    mode: 'vit',
    meanMs,
    sdPercent,
    random: seededRandom(seed),
  });
  return Array.from({ length: count }, () => schedule.nextMs());
}

for (const sdPercent of [1, 10, 30, 40]) {
  test(`mean and standard deviation are what was asked: ${sdPercent} %`, (t) => {
    const intervals = draw(12.8, sdPercent, N);
    const sd = (12.8 * sdPercent) / 100;
    // Four standard errors; the floor at 5 % of the mean lifts the widest schedule's a little.
    const floorMs = sdPercent === 40 ? 0.0005 * 12.8 : 0;
    t.true(Math.abs(meanOf(intervals) - 12.8) < (4 * sd) / Math.sqrt(N) + floorMs);
    t.true(Math.abs(sdOf(intervals) / sd - 1) < 4 / Math.sqrt(2 * N));
  });
}

test('intervals are truncated symmetrically, and use the whole of what is left', (t) => {
  const intervals = draw(10, 30, N);
  const reach = (TRUNCATION_SDS * 3) / TRUNCATED_SD_SHARE;
  const [least, most] = [
    intervals.reduce((a, b) => Math.min(a, b)),
    intervals.reduce((a, b) => Math.max(a, b)),
  ];
  t.true(least >= 10 - reach && least < 10 - 0.99 * reach);
  t.true(most <= 10 + reach && most > 10 + 0.99 * reach);
});

test('the widest schedule draws below zero, and ends these at a twentieth of the mean', (t) => {
  const n = 5 * N;
  const intervals = draw(1, 40, n);
  const ended = intervals.filter((interval) => interval === SHORTEST).length;
  // (Φ(-2.2671) - Φ(-2.5)) / (Φ(2.5) - Φ(-2.5)) of all, of which those below zero are the larger part.
  const expected = 0.00555 * n;
  t.true(Math.abs(ended - expected) < 4 * Math.sqrt(expected), `${ended}`);
  t.true(1 - (TRUNCATION_SDS / TRUNCATED_SD_SHARE) * 0.4 < 0);
  t.true(Math.abs(meanOf(intervals) - 1.000246) < (4 * 0.4) / Math.sqrt(n));
  t.true(Math.abs(sdOf(intervals) / 0.4 - 0.99851) < 4 / Math.sqrt(2 * n));
  t.true(draw(1, 36, n).every((interval) => interval > SHORTEST));
});

test('intervals have the shape of the normal distribution between its cuts', (t) => {
  // Shares within half, one and two standard deviations of the untruncated normal, over Φ(2.5) - Φ(-2.5).
  const z = draw(10, 30, N).map((interval) => Math.abs((interval - 10) * TRUNCATED_SD_SHARE) / 3);
  for (const [within, share] of [
    [0.5, 0.382925 / 0.987581],
    [1, 0.682689 / 0.987581],
    [2, 0.9545 / 0.987581],
  ] as const) {
    const found = z.filter((value) => value < within).length / N;
    t.true(
      Math.abs(found - share) < 4 * Math.sqrt((share * (1 - share)) / N),
      `${within}: ${found}`,
    );
  }
});

test('neighbours are independent', (t) => {
  const intervals = draw(1, 30, N);
  for (const lag of [1, 2, 3]) {
    const products = intervals
      .slice(lag)
      .map((interval, index) => ((interval - 1) * (intervals[index]! - 1)) / 0.09);
    t.true(Math.abs(meanOf(products)) < 4 / Math.sqrt(N), `lag ${lag}`);
  }
});

test('without a deviation every interval is the mean, and no randomness is used', (t) => {
  const schedule = new IntervalSchedule({
    mode: 'constant',
    meanMs: 12.8,
    sdPercent: 0,
    random: () => t.fail() as never,
  });
  t.deepEqual([schedule.nextMs(), schedule.nextMs()], [12.8, 12.8]);
});

test('every interval is above zero and within reach, whatever is asked', (t) => {
  const rates = fc.double({ min: 0.25, max: 10_000, noNaN: true });
  const sizes = fc.integer({ min: 256, max: 1400 });
  const sds = fc.double({ min: 1, max: 40, noNaN: true });
  t.notThrows(() =>
    fc.assert(
      fc.property(rates, sizes, sds, fc.integer(), (rateKBps, packetBytes, sdPercent, seed) => {
        const meanMs = slotMs(rateKBps, packetBytes);
        for (const interval of draw(meanMs, sdPercent, 50, seed)) {
          if (!(interval >= 0.05 * meanMs && interval <= 2.05 * meanMs)) return false;
        }
        return true;
      }),
    ),
  );
});

test('what can’t be scheduled is refused', (t) => {
  const make = (meanMs: number, sdPercent: number) => () =>
    new IntervalSchedule({ mode: 'vit', meanMs, sdPercent, random: Math.random });
  for (const meanMs of [0, -1, Number.NaN]) {
    t.throws(make(meanMs, 30), { instanceOf: RangeError, message: /^meanMs: must be above 0/ });
  }
  for (const sdPercent of [-1, 41, Number.NaN]) {
    t.throws(make(1, sdPercent), { instanceOf: RangeError, message: /^sdPercent: .*, got/ });
  }
});

test('a slot of 512 bytes at 40 KB/s takes 12.8 ms', (t) => {
  t.is(slotMs(40, 512), 12.8);
});

test('cryptographic numbers are uniform in [0, 1), with 53 bits', (t) => {
  const values = Array.from({ length: 100_000 }, uniformRandom(nodeSystem));
  t.true(values.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 53)));
  t.is(new Set(values).size, values.length);
  t.true(Math.abs(meanOf(values) - 0.5) < 6 * Math.sqrt(1 / 12 / values.length));
  t.true(Math.abs(sdOf(values) - Math.sqrt(1 / 12)) < 0.005);
  const odd = values.filter((value) => (value * 2 ** 53) % 2 === 1).length;
  t.true(Math.abs(odd - 50_000) < 6 * Math.sqrt(25_000), `${odd} odd of 100000`);
});
