// The delay histogram: quantiles within their error, mean and maximum exact.
import test from 'ava';
import fc from 'fast-check';
import { LatencyHistogram } from '../../src/core/simulation/latency.ts';

const delays = fc.array(fc.double({ min: 0.01, max: 1e7, noNaN: true }), {
  minLength: 1,
  maxLength: 300,
});

test('quantiles are within 0.5 % of the exact ones', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(delays, fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1), (values, q) => {
        const histogram = new LatencyHistogram();
        for (const value of values) histogram.add(value);
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(q * values.length) - 1)]!;
        return Math.abs(histogram.quantileMs(q) / exact - 1) < 0.00501;
      }),
    ),
  );
});

test('mean and maximum are exact, also of merged histograms', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(delays, delays, (left, right) => {
        const a = new LatencyHistogram();
        const b = new LatencyHistogram();
        for (const value of left) a.add(value);
        for (const value of right) b.add(value);
        a.merge(b);
        const all = [...left, ...right];
        const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
        const { packets, meanMs, maxMs } = a.summary();
        return (
          packets === all.length &&
          maxMs === Math.max(...all) &&
          Math.abs(meanMs - mean) <= 1e-9 * mean
        );
      }),
    ),
  );
});

test('no packets and no delay are 0', (t) => {
  const histogram = new LatencyHistogram();
  t.deepEqual(histogram.summary(), {
    packets: 0,
    minMs: 0,
    meanMs: 0,
    p50Ms: 0,
    p99Ms: 0,
    maxMs: 0,
  });
  histogram.add(0);
  t.deepEqual(histogram.summary(), {
    packets: 1,
    minMs: 0,
    meanMs: 0,
    p50Ms: 0,
    p99Ms: 0,
    maxMs: 0,
  });
});
