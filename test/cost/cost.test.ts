// Cost: the paper's figure, overhead, schedules, cap and price.
import test from 'ava';
import fc from 'fast-check';
import { costOf } from '../../src/core/cost/cost.ts';

const near = (a: number, b: number, tolerance = 1e-9): boolean => Math.abs(a - b) <= tolerance;

test("40 KB/s in one direction is the paper's 104 GB a month", (t) => {
  const { tunnelGBPerMonth } = costOf({ uploadKBps: 40, downloadKBps: 0, packetBytes: 512 });
  t.true(near(tunnelGBPerMonth, 103.68));
});

test('the provider counts both directions and 52 bytes a packet', (t) => {
  const cost = costOf({ uploadKBps: 40, downloadKBps: 40, packetBytes: 512 });
  t.is(cost.wirePacketBytes, 564);
  t.true(near(cost.tunnelGBPerMonth, 207.36));
  t.true(near(cost.gbPerMonth, (207.36 * 564) / 512));
  t.is(cost.capPercent, null);
  t.is(cost.pricePerMonth, null);
});

test('cap and price follow what the provider counts', (t) => {
  const cost = costOf({
    uploadKBps: 20,
    downloadKBps: 20,
    packetBytes: 1000,
    dataCapGB: 1000,
    pricePerGB: 0.5,
  });
  t.true(near(cost.gbPerMonth, 103.68 * 1.052));
  t.true(near(cost.capPercent!, (10.368 * 1.052 * 31) / 30));
  t.true(near(cost.pricePerMonth!, 103.68 * 1.052 * 0.5));
});

test('a price of 0 is a price', (t) => {
  const cost = costOf({ uploadKBps: 1, downloadKBps: 1, packetBytes: 512, pricePerGB: 0 });
  t.is(cost.pricePerMonth, 0);
});

test('schedules replace the rate for their share of time only', (t) => {
  const cost = costOf({
    uploadKBps: 40,
    downloadKBps: 40,
    packetBytes: 512,
    schedules: [
      { share: 0.25, uploadKBps: 4, downloadKBps: 4 },
      { share: 0.25, uploadKBps: 0, downloadKBps: 0 },
    ],
  });
  t.true(near(cost.tunnelGBPerMonth, 2.592 * (0.25 * 8 + 0.5 * 80)));
});

test('the documented formula holds for all rates and sizes', (t) => {
  const rate = fc.double({ min: 0, max: 10_000, noNaN: true });
  t.notThrows(() =>
    fc.assert(
      fc.property(rate, rate, fc.integer({ min: 256, max: 1400 }), (up, down, size) => {
        const formula = (up + down) * ((size + 52) / size) * 2.592;
        const { gbPerMonth } = costOf({ uploadKBps: up, downloadKBps: down, packetBytes: size });
        return near(gbPerMonth, formula, 1e-9 * Math.max(1, formula));
      }),
    ),
  );
});
