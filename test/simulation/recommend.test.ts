// Recommendations: they meet the tolerance, barely, and sharing a link is cheaper.
import test from 'ava';
import { loadTrace } from '../../src/core/simulation/direction-trace.ts';
import {
  LEAST_KBPS,
  lowestRate,
  type RecommendOptions,
  recommend,
  traceOfCounters,
} from '../../src/core/simulation/recommend.ts';
import { simulate } from '../../src/research/simulation/simulate.ts';
import { variantOf } from '../../src/research/simulation/variants.ts';
import { openTrace } from '../../src/shell/simulation/trace.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { fixtures, readAll } from './traces.ts';

const options: RecommendOptions = {
  tolerance: { meanMs: 250, maxMs: 2000 },
  shapes: [
    { packetBytes: 512, mode: 'vit' },
    { packetBytes: 1024, mode: 'vit' },
  ],
  sdPercent: 30,
  seed: 1,
};

test('the recommended rate meets the tolerance in the simulator, a tenth less does not', async (t) => {
  for (const path of Object.values(fixtures)) {
    const trace = await readAll([path]);
    const { best } = recommend(await loadTrace(trace), options);
    // Frames formed at their very slots wait less.
    t.true(best.up!.ideal.meanMs < best.up!.latency.meanMs, path);
    const at = (share: number) =>
      variantOf('packed-vit', {
        uploadKBps: best.up!.rateKBps * share,
        downloadKBps: best.down!.rateKBps * share,
        packetBytes: best.shape.packetBytes,
        sdPercent: 30,
        maxDelayMs: Infinity,
      });
    const [enough, less] = await simulate(trace, [at(1), at(0.9)]);
    t.true(enough!.up.latency.meanMs <= 250 && enough!.up.latency.maxMs <= 2000, path);
    t.true(less!.up.latency.meanMs > 250 || less!.up.latency.maxMs > 2000, path);
  }
});

test('devices behind one link need less than each behind its own', async (t) => {
  const paths = Object.values(fixtures);
  const trace = await loadTrace(openTrace(nodeSystem, paths, { shift: true }));
  const { best, singles, sumOfSingles } = recommend(trace, options);
  t.deepEqual(singles.map(({ device }) => device).sort(), ['camera-stream.csv', 'echo-query.csv']);
  t.true(best.up!.rateKBps < sumOfSingles!.uploadKBps);
  t.true(best.gbPerMonth! < sumOfSingles!.gbPerMonth);
  // Yet no less than the hungriest alone.
  t.true(best.up!.rateKBps > 0.9 * Math.max(...singles.map(({ up }) => up!.rateKBps)));
});

test('for lone small packets two slots within the longest wait are enough, one is not', (t) => {
  const counters = Array.from({ length: 1000 }, (_, i) => ({
    timeS: i * 1.01371,
    device: 'a',
    uploadBytes: 400,
    downloadBytes: 0,
  }));
  const shape = { packetBytes: 512, mode: 'constant' } as const;
  const tolerance = { meanMs: 100, maxMs: 100 };
  const found = lowestRate(traceOfCounters(counters).up, shape, { ...options, tolerance });
  // 512 bytes every 100 ms would do, but now and then a control packet of home and endpoint takes the slot before.
  t.true(found!.rateKBps > 5.12 && found!.rateKBps <= 10.3, `${found!.rateKBps}`);
});

test('without packets the least rate will do; an impossible tolerance has none', (t) => {
  const silent = traceOfCounters([]);
  const shape = { packetBytes: 512, mode: 'vit' } as const;
  t.is(lowestRate(silent.up, shape, options)!.rateKBps, LEAST_KBPS);
  const counters = [{ timeS: 0, device: 'a', uploadBytes: 50e6, downloadBytes: 0 }];
  const { best, sumOfSingles } = recommend(traceOfCounters(counters), options);
  t.is(best.up, null);
  t.is(best.gbPerMonth, null);
  t.is(sumOfSingles, null);
});

test('years between two packets take no time', (t) => {
  const years = [0, 3600, 5 * 365 * 86_400].flatMap((fromS) =>
    Array.from({ length: 50 }, (_, i) => ({
      timeS: fromS + i * 2.0137,
      device: 'a',
      uploadBytes: 400,
      downloadBytes: 0,
    })),
  );
  const shape = { packetBytes: 512, mode: 'vit' } as const;
  const found = lowestRate(traceOfCounters(years).up, shape, options);
  t.is(found!.ideal.packets, 150);
  t.is(found!.latency.packets, 150);
});

test('counters become packets at the beginning of their second', (t) => {
  const { up, down, devices, durationS } = traceOfCounters([
    { timeS: 101, device: 'b', uploadBytes: 0, downloadBytes: 1500 },
    { timeS: 100, device: 'a', uploadBytes: 3100, downloadBytes: 40 },
  ]);
  t.deepEqual([...up.sizes.subarray(0, up.length)], [1500, 1500, 100]);
  t.deepEqual([...up.timesMs.subarray(0, up.length)], [0, 0, 0]);
  t.deepEqual([...down.sizes.subarray(0, down.length)], [40, 1500]);
  t.deepEqual([...down.timesMs.subarray(0, down.length)], [0, 1000]);
  t.deepEqual(devices, ['a', 'b']);
  t.is(durationS, 1);
});
