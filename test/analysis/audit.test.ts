// The audit: planted leaks are found, a clean stream is not accused, and what it cannot see it says.
import test from 'ava';
import { auditTraces } from '../../src/core/analysis/audit.ts';
import { findOnsets, labelTicks, labelWindows } from '../../src/core/analysis/audit-activity.ts';
import { measureJitter, proposeIntervalSd } from '../../src/core/analysis/audit-calibration.ts';
import { checkSizes } from '../../src/core/analysis/audit-sizes.ts';
import { renderAudit } from '../../src/core/analysis/audit-text.ts';
import { AUDIT_EXIT_CODES, reportAudit } from '../../src/core/analysis/audit-verdict.ts';
import { detectionRateByVariance } from '../../src/core/analysis/statistics/link-padding.ts';
import { type WirePacket, wireFeatures } from '../../src/core/analysis/wire-features.ts';
import { sentencesOf, wordsOf } from '../../src/core/notices/words.ts';
import { type Leak, type SyntheticOptions, synthesize } from './audit-synthetic.ts';

const permutations = 999;

function auditSynthetic(options: SyntheticOptions) {
  const { wire, activity } = synthesize(options);
  return auditTraces({ wire, activity, permutations, seed: options.seed });
}

for (const pattern of ['events', 'alternate'] as const) {
  test(`a clean stream is clean: ${pattern}`, (t) => {
    const result = auditSynthetic({ seconds: 300, seed: 1, pattern });
    t.is(result.level, 'clean', sentencesOf(result.verdict));
    t.deepEqual(result.findings, []);
    const first = result.windows[0]!;
    t.is(first.windowS, 1);
    t.true(first.forest!.low < 0.5 && first.forest!.high > 0.5);
    t.true(first.information.bits < first.information.nullHighBits);
    t.true(first.detectableAuc > 0.55 && first.detectableAuc <= 0.75);
    t.regex(sentencesOf(result.verdict), /^No leak found in 5\.0 minutes, 234\d\d packets up/);
    t.regex(
      sentencesOf(result.verdict),
      /No leak larger than AUC 0\.\d\d per window of 1 s could have stayed unseen/,
    );
    t.is(AUDIT_EXIT_CODES[result.level], 0);
  });
}

const planted: { leak: Leak; seconds: number; family: string; finding: RegExp }[] = [
  {
    leak: 'off schedule',
    seconds: 300,
    family: 'onsets',
    finding: /up (interval|wait for the next slot) where a device began/,
  },
  { leak: 'one in 50 a byte short', seconds: 60, family: 'sizes', finding: /up sizes/ },
  {
    leak: 'cover pauses 200 ms',
    seconds: 120,
    family: 'onsets',
    finding: /up (wait for the next slot|interval) where/,
  },
  { leak: 'one extra slot', seconds: 300, family: 'onsets', finding: /up .*interval/ },
  { leak: 'sd shrunk by a tenth', seconds: 300, family: 'intervals', finding: /up variance/ },
];

for (const { leak, seconds, family, finding } of planted) {
  test(`planted leak is found: ${leak}`, (t) => {
    const result = auditSynthetic({ seconds, seed: 2, leak });
    t.is(result.level, 'leak', sentencesOf(result.verdict));
    const own = result.findings.filter((one) => one.family === family);
    t.true(
      own.some(({ test: name }) => finding.test(name)),
      JSON.stringify(result.findings.map(({ family, test }) => [family, test])),
    );
    t.true(result.findings.every(({ pValue }) => pValue <= 0.01));
    // The leak is in the upload: nothing of the download alone may be blamed.
    t.true(result.findings.every(({ test: name }) => !name.startsWith('down ')));
    t.regex(sentencesOf(result.verdict), /^Leak: /);
    t.is(AUDIT_EXIT_CODES[result.level], 1);
  });
}

test('half a minute is too short, and says what could have been seen', (t) => {
  const result = auditSynthetic({ seconds: 30, seed: 1 });
  t.is(result.level, 'too short');
  t.regex(sentencesOf(result.verdict), /^Too short to tell: /);
  t.is(AUDIT_EXIT_CODES[result.level], 3);
});

test('without activity there is nothing to compare', (t) => {
  const { wire } = synthesize({ seconds: 60, seed: 1 });
  const result = auditTraces({ wire, activity: [], permutations });
  t.is(result.level, 'too short');
  t.true(result.limits.some((limit) => wordsOf(limit).includes('only 0 active')));
  t.throws(() => auditTraces({ wire: [], activity: [] }), { instanceOf: RangeError });
});

test('the same input and seed give the same result', (t) => {
  const options = { seconds: 90, seed: 4 };
  t.deepEqual(auditSynthetic(options), auditSynthetic(options));
});

test('a tunnel that is still coming up is left out, a gap in the middle is not', (t) => {
  const { wire, activity } = synthesize({ seconds: 60, seed: 5 });
  const firstS = wire[0]!.timeS;
  const early: WirePacket[] = [1, 2, 3].map((k) => ({
    timeS: firstS - 4 * k,
    bytes: 104,
    direction: 'up',
  }));
  const gap = wire.filter(({ timeS }) => timeS < firstS + 20 || timeS > firstS + 25);
  const result = auditTraces({ wire: [...early, ...gap], activity, permutations });
  t.true(result.leftOutS.start >= 11 && result.leftOutS.start <= 14, String(result.leftOutS.start));
  t.true(result.leftOutS.end < 2);
  t.true(result.seconds > 57);
  t.deepEqual(
    result.sizes.map(({ other }) => other.packets),
    [0, 0],
  );
});

test('sizes: the expected one where given, else the most frequent', (t) => {
  const wire = [500, 500, 499, 500, 501].map(
    (bytes, i): WirePacket => ({ timeS: i, bytes, direction: i === 4 ? 'down' : 'up' }),
  );
  t.deepEqual(checkSizes(wire), [
    { direction: 'up', packets: 4, expectedBytes: 500, other: { packets: 1, bytes: [499] } },
    { direction: 'down', packets: 1, expectedBytes: 501, other: { packets: 0, bytes: [] } },
  ]);
  t.is(checkSizes(wire, 499)[0]!.other.packets, 3);
});

test('windows are active when a packet falls into them; with none idle, when busier', (t) => {
  const place = { startS: 100, windowS: 1, windows: 4 };
  const some = labelWindows(
    [{ timeS: 99.9 }, { timeS: 101 }, { timeS: 103.99 }, { timeS: 104 }],
    place,
  );
  t.deepEqual([...some.labels], [0, 1, 0, 1]);
  t.is(some.meaning, 'any');
  const busy = [0, 0.5, 1, 2, 2.3, 2.6, 3, 3.01].map((s) => ({ timeS: 100 + s }));
  const busier = labelWindows(busy, place);
  t.is(busier.meaning, 'busier');
  t.deepEqual([...busier.labels], [1, 0, 1, 0]);
});

test('ticks are active from one packet to the next nearby', (t) => {
  const samples = [10.1, 10.6, 12].map((timeS) => ({ timeS }));
  const { labels } = labelTicks(samples, { startS: 10, windowS: 0.25, windows: 9 });
  t.deepEqual([...labels], [1, 1, 1, 0, 0, 0, 0, 0, 1]);
});

test('onsets: who may have set their time, and one of an event and its packet', (t) => {
  const onsets = findOnsets(
    [
      { timeS: 1, direction: 'up' },
      { timeS: 3, direction: 'up' },
      { timeS: 3.2, direction: 'down' },
      { timeS: 5, direction: 'down' },
      { timeS: 8 },
    ],
    [2.95, 6.5],
    0.5,
  );
  t.deepEqual(onsets, [
    { timeS: 2.95, follows: 'nothing' },
    { timeS: 5, follows: 'down' },
    { timeS: 6.5, follows: 'nothing' },
    { timeS: 8, follows: 'either' },
  ]);
});

test('wire features of windows worked by hand', (t) => {
  const wire: WirePacket[] = [0.005, 0.01, 0.03, 0.04, 0.06, 1.01].map((timeS, i) => ({
    timeS,
    bytes: i === 2 ? 90 : 100,
    direction: 'up',
  }));
  const { names, rows } = wireFeatures(wire, { startS: 0, windowS: 1, windows: 2 });
  const feature = (name: string, window = 0) => rows[window]![names.indexOf(name)]!;
  t.is(feature('up packets'), 5);
  t.is(feature('up bytes'), 490);
  t.is(feature('up size min'), 90);
  t.is(feature('up distinct sizes'), 2);
  t.true(Math.abs(feature('up size sd') - 4) < 1e-9);
  t.true(Math.abs(feature('up interval mean') - 13.75) < 1e-9);
  t.true(Math.abs(feature('up interval min') - 5) < 1e-9);
  t.true(Math.abs(feature('up interval max') - 20) < 1e-9);
  t.true(Math.abs(feature('up interval q50') - 15) < 1e-9);
  t.is(feature('up packets', 1), 1);
  t.true(Number.isNaN(feature('up interval mean', 1)));
  t.is(feature('down packets'), 0);
  t.is(feature('surplus up'), 5);
  t.true(Number.isNaN(feature('answer mean')));
  t.is(new Set(names).size, names.length);
  t.is(names.length, rows[0]!.length);
});

test('features of both directions: the surplus, and how soon an answer comes', (t) => {
  const wire = [0, 0.1, 0.2, 0.3].flatMap((timeS, k): WirePacket[] => [
    { timeS, bytes: 90, direction: 'up' },
    { timeS: timeS + 0.01 * (k + 1), bytes: 90, direction: 'down' },
  ]);
  // A window of its own whose packets up are answered in the next.
  wire.push(
    { timeS: 1.5, bytes: 90, direction: 'up' },
    { timeS: 2.5, bytes: 90, direction: 'down' },
  );
  const { names, rows } = wireFeatures(wire, { startS: 0, windowS: 1, windows: 3 });
  const feature = (name: string, window: number) => rows[window]![names.indexOf(name)]!;
  t.is(feature('surplus up', 0), 0);
  t.true(Math.abs(feature('answer mean', 0) - 25) < 1e-9);
  t.true(Math.abs(feature('answer sd', 0) - Math.sqrt(125)) < 1e-9);
  t.true(Math.abs(feature('answer min', 0) - 10) < 1e-9);
  t.deepEqual([feature('surplus up', 1), feature('surplus up', 2)], [1, -1]);
  t.true(Number.isNaN(feature('answer mean', 1)));
});

test('proposed spread: enough by the formula it comes from, and not a per cent more', (t) => {
  const input = { idleJitterSdMs: 0.25, activeJitterSdMs: 0.3, meanIntervalMs: 12.8 };
  const { intervalSdPercent, sufficient, detectionRate, packets } = proposeIntervalSd(input);
  t.is(packets, 46875);
  t.true(sufficient);
  t.true(detectionRate <= 0.6);
  const narrower = ((12.8 * (intervalSdPercent - 1)) / 100) ** 2;
  t.true(detectionRateByVariance((narrower + 0.09) / (narrower + 0.0625), packets) > 0.6);
});

test('proposed spread: nothing to hide, too much to hide, figures that make no sense', (t) => {
  const base = { idleJitterSdMs: 0.2, activeJitterSdMs: 0.2, meanIntervalMs: 12.8 };
  t.like(proposeIntervalSd(base), {
    intervalSdPercent: 0,
    sufficient: true,
    varianceRatio: 1,
    detectionRate: 0.5,
  });
  const loud = proposeIntervalSd({ ...base, activeJitterSdMs: 0.8 });
  t.like(loud, { intervalSdPercent: 40, sufficient: false });
  t.true(loud.detectionRate > 0.6);
  t.throws(() => proposeIntervalSd({ ...base, meanIntervalMs: 0 }), { message: /meanIntervalMs/ });
  t.throws(() => proposeIntervalSd({ ...base, detectionRate: 0.5 }), { message: /detectionRate/ });
});

test('jitter is measured beyond the schedule, and known not to be resolved under a wide one', (t) => {
  const constant = synthesize({ seconds: 120, seed: 6, sdPercent: 0 });
  const [up] = measureJitter(constant.wire, constant.activity, 0);
  // Two draws of triangular jitter ±60 µs make an interval's: sd √2 · 60/√6 = 34.6 µs.
  t.true(Math.abs(up!.idle.jitterSdMs - 0.0346) < 0.003, String(up!.idle.jitterSdMs));
  t.true(up!.idle.uncertainMs < 0.002);
  t.false(up!.resolved);
  const varied = synthesize({ seconds: 120, seed: 6 });
  const [hidden] = measureJitter(varied.wire, varied.activity, 30);
  t.true(hidden!.idle.uncertainMs > 0.2);
  t.false(hidden!.resolved);
  const shrunk = synthesize({ seconds: 300, seed: 6, leak: 'sd shrunk by a tenth' });
  t.true(measureJitter(shrunk.wire, shrunk.activity, 30)[0]!.resolved);
});

test('report for the bus and table for people carry verdict and figures', (t) => {
  const { wire, activity } = synthesize({ seconds: 60, seed: 2, leak: 'one in 50 a byte short' });
  const result = auditTraces({ wire, activity, permutations: 199 });
  const report = reportAudit(result, 1_700_000_000);
  t.like(report, { state: 'done', verdict: 'leak', time: 1_700_000_000, seconds: 60 });
  t.is(report.sentence, sentencesOf(result.verdict));
  t.true(report.figures!.every(({ value }) => Number.isFinite(value)));
  t.true(report.figures!.find(({ name }) => name === 'packets of another size, up')!.leak);
  t.false(report.figures!.find(({ name }) => name === 'packets of another size, down')!.leak);
  const text = renderAudit(result);
  t.true(text.startsWith(sentencesOf(result.verdict)));
  t.regex(text, /\nSizes +packets +bytes +others\nup +\d+ +564 +\d+\n/);
  t.regex(text, /\nFindings:\n- \d+ of \d+ packets up/);
});
