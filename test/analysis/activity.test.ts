// The activity attack: events are found in traffic, matched fairly, and read from the files people keep.
import test from 'ava';
import fc from 'fast-check';
import { alignEvents, parseEvents } from '../../src/core/analysis/activity-events.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import { LineError } from '../../src/core/text/line-error.ts';
import { type BinnedTraffic, findActivity } from '../../src/research/analysis/activity.ts';
import {
  plotActivity,
  renderActivity,
  renderFindingsCsv,
  toJson,
} from '../../src/research/analysis/activity-report.ts';
import { addScores, matchEvents, windowAuc } from '../../src/research/analysis/activity-score.ts';
import { attackActivity, BIN_S } from '../../src/research/analysis/activity-streams.ts';
import { RateSeries } from '../../src/research/analysis/identify/features.ts';
import { householdTrace } from './activity-household.ts';
import { binTraffic } from './bin-traffic.ts';

function traffic(bytes: number[], binS = 0.5): BinnedTraffic {
  return {
    startS: 100,
    binS,
    count: bytes.length,
    bins: [...bytes.keys()],
    up: bytes,
    down: new Float64Array(bytes.length),
  };
}

/** Zeros with bytes at some seconds. */
function silence(seconds: number, at: Record<number, number[]>): number[] {
  const bytes = new Array<number>(seconds * 2).fill(0);
  for (const [second, values] of Object.entries(at)) {
    values.forEach((value, i) => {
      bytes[Number(second) * 2 + i] = value;
    });
  }
  return bytes;
}

test('silence has no events, one burst in it is one', (t) => {
  t.deepEqual(findActivity(traffic(silence(60, {}))).bursts, 0);
  const { events } = findActivity(traffic(silence(60, { 20: [500, 0, 0, 300] })));
  t.deepEqual(events, [{ startS: 120, endS: 122, bytes: 800, upBytes: 800, downBytes: 0 }]);
});

test('what is used again and again within seconds is one use; seldomer, each is one', (t) => {
  const pausesS = [4, 11, 5, 11, 4, 10, 4, 11];
  const used = (times: number) => {
    const at: Record<number, number[]> = { 20: [900] };
    let second = 20;
    for (const [k, pauseS] of pausesS.entries()) {
      second += times * pauseS;
      at[second] = [950 + 50 * k];
    }
    return findActivity(traffic(silence(420, at))).events;
  };
  const [only, ...others] = used(1);
  t.deepEqual(others, []);
  t.is(only!.startS, 120);
  t.is(only!.endS, 180.5);
  t.is(used(5).length, 9);
});

test('large bursts among small ones are events, a small one just before does not date them', (t) => {
  const at: Record<number, number[]> = {};
  for (const second of [3, 11, 22, 28, 41, 50, 61, 72]) at[second] = [100 + second];
  at[35] = [120, 0, 2000, 1500];
  at[66] = [2500, 900];
  const { events, thresholdBytes } = findActivity(traffic(silence(80, at)));
  t.deepEqual(
    events.map(({ startS }) => startS),
    [136, 166],
  );
  t.true(thresholdBytes > 180 && thresholdBytes < 3000);
});

test('a heartbeat of exact size and period is no event, all else is', (t) => {
  const at: Record<number, number[]> = { 17: [260], 47: [240], 77: [300] };
  for (let second = 5; second < 120; second += 10) at[second] = [258];
  const { events } = findActivity(traffic(silence(120, at)));
  t.deepEqual(
    events.map(({ startS }) => startS),
    [117, 147, 177],
  );
});

test('bursts of one kind at clockwork times are no events', (t) => {
  const at: Record<number, number[]> = {};
  for (let k = 0; k < 12; k++) at[5 + 8 * k + (k % 2)] = [200 + k];
  t.deepEqual(findActivity(traffic(silence(110, at))).events, []);
});

test('a stream that never rests: what stands out of its background is found', (t) => {
  const random = seededRandom(3);
  const bytes = Array.from({ length: 1200 }, () => 5000 + 1000 * random());
  for (let i = 600; i < 620; i++) bytes[i]! += 20_000;
  const { events } = findActivity(traffic(bytes));
  t.is(events.length, 1);
  t.is(events[0]!.startS, 400);
});

test('matching is one to one within the tolerance', (t) => {
  t.like(matchEvents([1, 2, 3], [2.5], 1), { hits: 1, precision: 1 / 3, recall: 1 });
  t.like(matchEvents([10, 11], [10.5, 11.5], 1), { hits: 2, f1: 1 });
  t.like(matchEvents([], [1], 1), { precision: 0, recall: 0, f1: 0 });
  t.like(matchEvents([1], [], 1), { found: 1, hits: 0 });
  t.like(addScores([matchEvents([1], [1], 1), matchEvents([5], [9, 20], 1)]), {
    events: 3,
    found: 2,
    hits: 1,
    f1: 0.4,
  });
});

test('matching is the largest possible', (t) => {
  const times = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 6 });
  /** Tries every pairing. */
  const largest = (found: number[], events: number[], tolerance: number): number => {
    const [event, ...rest] = events;
    if (event === undefined) return 0;
    let most = largest(found, rest, tolerance);
    found.forEach((one, i) => {
      if (Math.abs(one - event) > tolerance) return;
      most = Math.max(most, 1 + largest(found.toSpliced(i, 1), rest, tolerance));
    });
    return most;
  };
  t.notThrows(() =>
    fc.assert(
      fc.property(times, times, fc.integer({ min: 0, max: 4 }), (found, events, tolerance) => {
        const sorted = (values: number[]) => [...values].sort((a, b) => a - b);
        return (
          matchEvents(sorted(found), sorted(events), tolerance).hits ===
          largest(found, events, tolerance)
        );
      }),
    ),
  );
});

test('the emulated household: plug and Echo are found with F1 of at least 0.9', (t) => {
  for (const seed of [1, 2, 3]) {
    const { packets, events } = householdTrace(seed, 300);
    for (const device of ['tp-link-plug', 'echo']) {
      const binned = binTraffic(packets.get(device)!, 0, 300);
      const found = findActivity(binned);
      const real = events.filter((event) => event.device === device).map(({ timeS }) => timeS);
      t.true(real.length >= 5);
      const { f1 } = matchEvents(
        found.events.map(({ startS }) => startS),
        real,
        5,
      );
      t.true(f1 >= 0.9, `${device}, seed ${seed}: ${f1}`);
      // Below 1 where an event lies at a window's end and its traffic in the next.
      t.true(windowAuc(binned, found, real, 10, seededRandom(1))!.value > 0.85);
    }
  }
});

test('streams of one label are one device, and events find their device by id, label or address', (t) => {
  const series = (times: number[]) => {
    const one = new RateSeries(BIN_S);
    for (const timeS of times) one.add({ timeS, bytes: 400, direction: 'up' });
    return [one];
  };
  const streams = [
    { key: '198.51.100.1', label: 'Amazon Echo', series: series([1010]) },
    { key: '198.51.100.2', label: 'Amazon Echo', series: series([1030]) },
    { key: '198.51.100.3', label: '198.51.100.3', series: series([1040.1]) },
  ];
  const events = parseEvents(
    '1010.2,echo,question\n1030.1,echo,question\n1040,198.51.100.3,on\n1050,sense,bed',
    'e',
  );
  const report = attackActivity(streams, { startS: 1000, endS: 1060 }, events, {
    toleranceS: 1,
    seed: 1,
  });
  t.like(report.score, { events: 4, found: 3, hits: 3, precision: 1, recall: 0.75 });
  t.deepEqual(report.unseen, ['sense']);
  t.is(report.streams[0]!.label, 'Amazon Echo');
  t.is(report.streams[0]!.score!.f1, 1);

  const text = renderActivity(report);
  t.regex(text, /Amazon Echo +2 +2 +2 +1\.00 +1\.00 +1\.00/);
  t.regex(
    text,
    /Events name sense, which no stream here goes by; they count as missed\. Streams go by Amazon Echo \(/,
  );
  t.is(renderFindingsCsv(report).split('\n')[1], '1010.000,Amazon Echo,0.25,400,0');
  t.notThrows(() => JSON.parse(JSON.stringify(toJson(report))));
  t.regex(plotActivity(report), /^<svg[\s\S]*Amazon Echo[\s\S]*<\/svg>\s*$/);
});

test('a stream that may be meant by another name is not said to have been used never', (t) => {
  const series = new RateSeries(BIN_S);
  for (const at of [1010, 1030]) series.add({ timeS: at, bytes: 400, direction: 'up' });
  const streams = [{ key: '198.51.100.1', label: 'Kettle', series: [series] }];
  const span = { startS: 1000, endS: 1060 };
  const attack = (text: string) =>
    attackActivity(streams, span, parseEvents(text, 'e'), { toleranceS: 1, seed: 1 });
  const other = attack('1010,my kettle,on\n');
  t.is(other.streams[0]!.score, null);
  t.like(other.score, { events: 1, found: 0, hits: 0 });
  t.regex(renderActivity(other), /Kettle +2 +2 +not named/);
  t.regex(renderActivity(other), /Streams go by Kettle \(198\.51\.100\.1\)/);
  t.like(attack('1010,kettle,on\n').streams[0]!.score, { events: 1, found: 2, hits: 1 });
});

test('a hub’s beats of several periods, near in size, are no events; a use in three bursts is one', (t) => {
  const random = seededRandom(3);
  const at: [number, number][] = [];
  for (let timeS = 5; timeS < 1800; timeS += 24 + 2 * random())
    at.push([timeS, 200 + 30 * random()]);
  for (let timeS = 9; timeS < 1800; timeS += 118 + 4 * random())
    at.push([timeS, 1900 + 300 * random()]);
  const uses = [301, 644, 1202];
  for (const use of uses) at.push([use, 900], [use + 2, 700], [use + 4, 1400]);
  const packets = at
    .sort(([a], [b]) => a - b)
    .map(([timeS, bytes]) => ({ timeS, bytes: Math.round(bytes), direction: 'up' as const }));
  const { events } = findActivity(binTraffic(packets, 0, 1800));
  const { hits, found } = matchEvents(
    events.map(({ startS }) => startS),
    uses,
    5,
  );
  t.is(hits, 3);
  t.true(found <= 4, String(found));
});

test('where nobody noted what happened, neither events nor findings count', (t) => {
  const series = new RateSeries(BIN_S);
  for (const at of [1010, 1030, 1033.5, 1037, 1050]) {
    series.add({ timeS: at, bytes: 400, direction: 'up' });
  }
  const streams = [{ key: 'plug', label: 'plug', series: [series] }];
  const events = parseEvents('1010,,on\n1030,,pressed often from here\n1050,,off\n', 'e');
  const span = { startS: 1000, endS: 1060 };
  const options = { toleranceS: 1, seed: 1, gapS: 0.5 };
  const all = attackActivity(streams, span, events, options);
  t.true(all.score!.found > all.score!.hits, JSON.stringify(all.score));
  const leftOut = [{ fromS: 1029, toS: 1039 }];
  const judged = attackActivity(streams, span, events, { ...options, leftOut });
  t.like(judged.score, { events: 2, found: 2, hits: 2, f1: 1 });
  t.like(judged.streams[0]!.score, { events: 2, found: 2, hits: 2 });
  t.is(judged.streams[0]!.auc!.value, 1);
});

test('events: CSV and Markdown, absolute and relative times', (t) => {
  t.deepEqual(
    parseEvents('time,device,event\n2.5,plug,"switched on"\n1,echo,question\n', 'e.csv'),
    [
      { timeS: 1, device: 'echo', event: 'question' },
      { timeS: 2.5, device: 'plug', event: 'switched on' },
    ],
  );
  const table = '| Time stamp   | Description |\n|---|:---:|\n| 5.67 | Set countdown, 120 s |\n';
  const events = parseEvents(table, 'e.md');
  t.deepEqual(events, [{ timeS: 5.67, device: '', event: 'Set countdown, 120 s' }]);
  t.is(alignEvents(events, 1_700_000_000)[0]!.timeS, 1_700_000_005.67);
  t.is(
    alignEvents([{ ...events[0]!, timeS: 1_700_000_001 }], 1_700_000_000)[0]!.timeS,
    1_700_000_001,
  );
  t.is(alignEvents(events, 0)[0]!.timeS, 5.67);
  t.throws(() => parseEvents('1,a,b\nlater,a,b', 'e.csv'), {
    instanceOf: LineError,
    message: 'e.csv: line 2: time is "later", expected seconds',
  });
  t.throws(() => parseEvents('time,device,event\n', 'e.csv'), { message: /holds no event/ });
});
