// Statistics of the analysis: against closed forms, published values and brute force.
import test from 'ava';
import fc from 'fast-check';
import { auc } from '../../src/core/analysis/statistics/auc.ts';
import { aucWithInterval } from '../../src/core/analysis/statistics/auc-interval.ts';
import {
  kolmogorovSmirnov,
  kolmogorovTail,
} from '../../src/core/analysis/statistics/kolmogorov-smirnov.ts';
import {
  detectByStatistic,
  detectionRateByVariance,
  entropyBits,
  hiddenVarianceRatio,
  sampleVariance,
} from '../../src/core/analysis/statistics/link-padding.ts';
import {
  binByQuantiles,
  correctedInformationBits,
  mutualInformationBits,
} from '../../src/core/analysis/statistics/mutual-information.ts';
import {
  normalCdf,
  normalQuantile,
  studentQuantile,
} from '../../src/core/analysis/statistics/normal.ts';
import { holm, permuteBlocks, testLabels } from '../../src/core/analysis/statistics/permutation.ts';
import {
  binOf,
  quantileEdges,
  quantileOfSorted,
  ranks,
} from '../../src/core/analysis/statistics/sample.ts';
import { seededRandom } from '../../src/core/random/random.ts';

const close = (a: number, b: number, within = 1e-9) => Math.abs(a - b) <= within;

/** Box and Muller, for tests only. */
function normals(random: () => number, n: number, mean = 0, sd = 1): Float64Array {
  return Float64Array.from(
    { length: n },
    () => mean + sd * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

test('normal distribution: tabled values, tails and inverse', (t) => {
  t.true(close(normalCdf(0), 0.5, 1e-15));
  t.true(close(normalCdf(1.959963984540054), 0.975, 1e-12));
  t.true(close(normalCdf(-3.5), 2.326290790355e-4, 1e-14));
  t.true(close(normalCdf(-8) / 6.22096057427178e-16, 1, 1e-6));
  t.true(close(normalCdf(2.999999), normalCdf(3.000001), 1e-7));
  for (const p of [1e-6, 0.01, 0.3, 0.5, 0.84, 0.999]) {
    t.true(close(normalCdf(normalQuantile(p)), p, 1e-11), String(p));
  }
  t.throws(() => normalQuantile(1), { instanceOf: RangeError });
});

test('Student’s t: tabled quantiles', (t) => {
  for (const [p, degrees, value] of [
    [0.975, 9, 2.262157],
    [0.975, 18, 2.100922],
    [0.95, 30, 1.697261],
    [0.025, 58, -2.001717],
  ] as const) {
    t.true(close(studentQuantile(p, degrees) / value, 1, 1e-3), `${p} ${degrees}`);
  }
});

test('quantiles, ranks and bins', (t) => {
  t.is(quantileOfSorted([1, 2, 3, 4], 0.5), 2.5);
  t.is(quantileOfSorted([5], 0.9), 5);
  t.deepEqual([...ranks([10, 20, 10, Number.NaN])], [1.5, 3, 1.5, 2]);
  const edges = quantileEdges([1, 2, 3, 4, 5, 6, 7, 8], 4);
  t.deepEqual(edges, [2.75, 4.5, 6.25]);
  t.deepEqual(
    [1, 2.75, 8].map((value) => binOf(edges, value)),
    [0, 1, 3],
  );
  t.deepEqual(quantileEdges([7, 7, 7], 4), []);
});

test('AUC equals counting pairs, ties as halves', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ score: fc.integer({ min: 0, max: 5 }), label: fc.boolean() }), {
          minLength: 2,
          maxLength: 30,
        }),
        (rows) => {
          const positive = rows.filter(({ label }) => label);
          const negative = rows.filter(({ label }) => !label);
          fc.pre(positive.length > 0 && negative.length > 0);
          let won = 0;
          for (const p of positive) {
            for (const n of negative) won += p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0;
          }
          const value = auc(
            rows.map(({ score }) => score),
            rows.map(({ label }) => Number(label)),
          );
          return close(value, won / positive.length / negative.length);
        },
      ),
    ),
  );
});

test('AUC of nothing: its interval holds 0.5 as often as it says, neighbours alike or not', (t) => {
  const runs = 200;
  for (const alike of [1, 4]) {
    let held = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const random = seededRandom(seed);
      const series = () => {
        let last = 0;
        return Float64Array.from({ length: 120 }, (_, i) => {
          if (i % alike === 0) last = random();
          return last;
        });
      };
      const scores = series();
      const labels = Uint8Array.from(series(), (value) => (value < 0.4 ? 1 : 0));
      const options = { blockLength: 12, draws: 39, random };
      const { low, high } = aucWithInterval(labels, () => scores, options)!;
      if (low <= 0.5 && high >= 0.5) held++;
    }
    // 95 % of 200, within three standard errors.
    t.true(held >= 180 && held <= 199, `${alike}: ${held}`);
  }
});

test('an AUC’s interval is as wide as training anew makes it', (t) => {
  const labels = Uint8Array.from({ length: 100 }, (_, i) => i % 2);
  const noise = seededRandom(9);
  const fixed = Float64Array.from(labels, (label) => label + 3 * noise());
  const options = { blockLength: 1, draws: 39 };
  const width = ({ low, high }: { low: number; high: number }) => high - low;
  const once = aucWithInterval(labels, () => fixed, { ...options, random: seededRandom(1) })!;
  // A classifier that turns round at random with its training has an AUC far from 0.5 either way.
  const turning = aucWithInterval(
    labels,
    (own) => {
      const sign = own === labels || noise() < 0.5 ? 1 : -1;
      return Float64Array.from(own, (label) => sign * (label + 3 * noise()));
    },
    { ...options, random: seededRandom(1) },
  )!;
  t.true(width(turning) > 1.5 * width(once), `${width(turning)} ${width(once)}`);
  t.true(once.low <= once.value && once.value <= once.high && once.low > 0 && once.high < 1);
  t.is(
    aucWithInterval(labels, () => null, { ...options, random: noise }),
    null,
  );
});

test('AUC: one class only has no value and no interval', (t) => {
  t.true(Number.isNaN(auc([1, 2], [1, 1])));
  t.like(
    aucWithInterval(new Uint8Array(2), () => [1, 2], {
      blockLength: 1,
      draws: 19,
      random: seededRandom(1),
    }),
    { low: 0, high: 1 },
  );
});

test('Kolmogorov–Smirnov: exact p for small samples, by enumeration', (t) => {
  const order = (a: number[], b: number[]) => kolmogorovSmirnov(a, b);
  const values = [1, 2, 3, 4, 5, 6, 7];
  const observed = order([1, 2, 3], [4, 5, 6, 7]);
  t.is(observed.method, 'exact');
  t.is(observed.statistic, 1);
  // All 35 ways to choose three of seven: two have D = 1.
  t.true(close(observed.pValue, 2 / 35, 1e-12));
  for (const sample of [
    [1, 4, 6],
    [2, 3, 7],
    [1, 2, 5],
  ]) {
    const own = order(
      sample,
      values.filter((value) => !sample.includes(value)),
    );
    let asFar = 0;
    for (let i = 1; i <= 7; i++)
      for (let j = i + 1; j <= 7; j++)
        for (let k = j + 1; k <= 7; k++) {
          const rest = values.filter((value) => ![i, j, k].includes(value));
          if (order([i, j, k], rest).statistic >= own.statistic - 1e-12) asFar++;
        }
    t.true(close(own.pValue, asFar / 35, 1e-12), String(sample));
  }
});

test('Kolmogorov–Smirnov: limit distribution, ties, and an honest p on large samples', (t) => {
  t.true(close(kolmogorovTail(1.3580986393), 0.05, 1e-6));
  t.true(close(kolmogorovTail(1.1799999), kolmogorovTail(1.1800001), 1e-6));
  t.is(kolmogorovTail(0), 1);
  t.is(kolmogorovSmirnov([1, 1, 1], [1, 1, 1]).statistic, 0);
  t.throws(() => kolmogorovSmirnov([], [1]), { instanceOf: RangeError });
  let small = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const random = seededRandom(seed);
    const [a, b] = [normals(random, 300), normals(random, 200)];
    if (kolmogorovSmirnov(a, b).pValue < 0.1) small++;
  }
  t.true(small >= 2 && small <= 20, String(small));
  const random = seededRandom(1);
  t.true(kolmogorovSmirnov(normals(random, 500), normals(random, 500, 0, 1.4)).pValue < 0.01);
});

test('mutual information: bits of a copy, none of independence, bias as Miller says', (t) => {
  const place = Uint8Array.from({ length: 400 }, (_, i) => i % 4);
  const copy = { place, bins: 4 };
  t.true(close(mutualInformationBits(copy, copy), 2));
  const constant = { place: new Uint8Array(400), bins: 1 };
  t.is(mutualInformationBits(copy, constant), 0);
  let plugIn = 0;
  let corrected = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed);
    const draw = () => ({
      place: Uint8Array.from({ length: 500 }, () => Math.floor(random() * 8)),
      bins: 8,
    });
    const [x, y] = [draw(), draw()];
    plugIn += mutualInformationBits(x, y) / 50;
    corrected += correctedInformationBits(x, y) / 50;
  }
  t.true(close(plugIn, 49 / (2 * 500 * Math.LN2), 0.01), String(plugIn));
  t.true(corrected < 0.01);
  t.is(binByQuantiles([1, 2, 3, 4], 2).bins, 2);
});

test('block permutations are permutations and keep blocks together', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 70 }),
        fc.nat(),
        (n, length, seed) => {
          const from = permuteBlocks(n, length, seededRandom(seed));
          const sorted = [...from].sort((a, b) => a - b);
          let joints = 0;
          for (let i = 1; i < n; i++) if (from[i] !== (from[i - 1]! + 1) % n) joints++;
          return sorted.every((value, i) => value === i) && joints <= Math.ceil(n / length) - 1;
        },
      ),
    ),
  );
});

test('label tests: a planted difference is found, and none where there is none', (t) => {
  const random = seededRandom(2);
  const n = 300;
  const labels = Uint8Array.from({ length: n }, (_, i) => (Math.floor(i / 7) % 2 ? 1 : 0));
  const columns = Array.from({ length: 20 }, () => normals(random, n));
  const meanDifference = (column: Float64Array) => (drawn: Uint8Array) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += drawn[i] ? column[i]! : -column[i]!;
    return sum;
  };
  const run = (list: Float64Array[]) =>
    testLabels(
      list.map((column, k) => ({
        name: String(k),
        twoSided: true,
        statistic: meanDifference(column),
      })),
      labels,
      { blockLength: 10, permutations: 499, random: seededRandom(3) },
    );
  const clean = run(columns);
  t.true(clean.results.every(({ adjustedP }) => adjustedP > 0.01));
  t.true(clean.results.every(({ pValue, adjustedP }) => adjustedP >= pValue));
  columns[3] = columns[3]!.map((value, i) => value - (labels[i] ? 1 : 0));
  const planted = run(columns);
  t.is(planted.results[3]!.adjustedP, 1 / 500);
  t.true(planted.results[3]!.z < -4);
  // Twenty tests: the 95 % point of the most extreme lies near 3.
  const critical = clean.criticalZ(0.05);
  t.true(critical > 2.3 && critical < 4, String(critical));
});

test('many tests of nothing: the family errs no more often than it says', (t) => {
  let alarms = 0;
  const runs = 100;
  for (let seed = 1; seed <= runs; seed++) {
    const random = seededRandom(seed, 5);
    const labels = Uint8Array.from({ length: 80 }, (_, i) => (Math.floor(i / 4) % 2 ? 1 : 0));
    const tests = Array.from({ length: 10 }, (_, k) => {
      const rank = ranks(normals(random, 80));
      return {
        name: String(k),
        twoSided: true,
        statistic: (drawn: Uint8Array) =>
          rank.reduce((sum, value, i) => sum + (drawn[i] ? value : 0), 0),
      };
    });
    const { results } = testLabels(tests, labels, { blockLength: 4, permutations: 99, random });
    if (results.some(({ adjustedP }) => adjustedP <= 0.1)) alarms++;
  }
  t.true(alarms >= 1 && alarms <= 20, String(alarms));
});

test('Holm: the worked example', (t) => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  t.deepEqual(
    adjusted.map((p) => Number(p.toFixed(6))),
    [0.03, 0.06, 0.06, 0.02],
  );
  t.deepEqual(holm([0.9, 0.8]), [1, 1]);
});

test('link padding: detection rates by formula and by running the detector', (t) => {
  t.is(detectionRateByVariance(1, 100), 0.5);
  const ratio = 1.3;
  const n = 200;
  const random = seededRandom(6);
  const idle = normals(random, 400 * n, 12.8, 1);
  const active = normals(random, 400 * n, 12.8, Math.sqrt(ratio));
  const run = detectByStatistic(idle, active, n, sampleVariance)!;
  t.is(run.idleSamples, 400);
  t.true(close(run.active / run.idle, ratio, 0.03));
  t.true(
    close(run.detectionRate, detectionRateByVariance(ratio, n), 0.03),
    String(run.detectionRate),
  );
  t.true(close(detectionRateByVariance(hiddenVarianceRatio(0.6, 5000), 5000), 0.6, 1e-9));
  const same = detectByStatistic(
    idle.subarray(0, 4000),
    idle.subarray(4000, 8000),
    n,
    sampleVariance,
  )!;
  t.true(same.detectionRate < 0.75);
  t.is(detectByStatistic(idle.subarray(0, 300), active, n, sampleVariance), null);
});

test('link padding: entropy of known histograms', (t) => {
  t.is(entropyBits([1, 1, 1, 1], 1), 0);
  t.is(entropyBits([0.5, 1.5, 2.5, 3.5], 1), 2);
});
