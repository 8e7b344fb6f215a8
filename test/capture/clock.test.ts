// Times that cannot be true, and clocks that are set while a capture runs.
import test from 'ava';
import { type ClockFault, explainClock, keepClock } from '../../src/core/capture/clock.ts';

const DAY_S = 86_400;
const START_S = 1_700_000_000;

async function keep(times: readonly number[], options: { leapS?: number; join?: boolean } = {}) {
  const faults: ClockFault[] = [];
  const source = async function* () {
    for (const timeS of times) yield { timeS };
  };
  const kept: number[] = [];
  for await (const { timeS } of keepClock(source(), {
    tell: (fault) => faults.push(fault),
    ...options,
  })) {
    kept.push(timeS);
  }
  return { kept, faults };
}

const minute = (from: number, count = 40) => Array.from({ length: count }, (_, i) => from + i);

test('times that agree pass as they are, in the order they came', async (t) => {
  const times = [...minute(START_S), START_S + 20, ...minute(START_S + 3 * DAY_S)];
  t.deepEqual(await keep(times), { kept: times, faults: [] });
  t.deepEqual(await keep([]), { kept: [], faults: [] });
  t.deepEqual(await keep([START_S]), { kept: [START_S], faults: [] });
});

for (const [name, at, timeS] of [
  ['1970, in the middle', 20, 5],
  ['1970, first of all', 0, 5],
  ['2096, last of all', 40, 3_990_000_000],
  ['2096, second', 1, 3_990_000_000],
] as const) {
  test(`one packet of another time is named and set aside: ${name}`, async (t) => {
    const good = minute(START_S);
    const { kept, faults } = await keep(good.toSpliced(at, 0, timeS));
    t.deepEqual(kept, good);
    t.deepEqual(faults, [{ kind: 'outliers', packets: 1, timeS }]);
  });
}

test('a clock set anew is followed: what comes after it goes on at once, or keeps its times', async (t) => {
  const times = [...minute(100), ...minute(START_S)];
  const joined = await keep(times);
  t.deepEqual(joined.kept, [...minute(100), ...minute(140)]);
  t.deepEqual(joined.faults, [{ kind: 'step', fromS: 139, toS: START_S, joined: true }]);
  t.deepEqual((await keep(times, { join: false })).kept, times);
  // Backwards as well.
  t.deepEqual((await keep([...minute(START_S), ...minute(100)])).kept, [
    ...minute(START_S),
    ...minute(START_S + 40),
  ]);
});

test('of a handful the most that agree are the clock', async (t) => {
  const { kept, faults } = await keep([5, START_S, START_S + 1]);
  t.deepEqual(kept, [START_S, START_S + 1]);
  t.is(faults.length, 1);
});

test('what is held is handed over before an error is', async (t) => {
  const source = async function* () {
    yield { timeS: START_S };
    throw new Error('cut off');
  };
  const kept: number[] = [];
  const reading = async () => {
    for await (const { timeS } of keepClock(source(), { tell: () => {} })) kept.push(timeS);
  };
  await t.throwsAsync(reading(), { message: 'cut off' });
  t.deepEqual(kept, [START_S]);
});

test('faults in words', (t) => {
  t.is(
    explainClock('a.pcap', { kind: 'outliers', packets: 1, timeS: 5 }),
    'a.pcap: one packet is dated 1970-01-01 00:00, far from all others, and left out',
  );
  t.is(
    explainClock('a.pcap', { kind: 'step', fromS: 0, toS: START_S, joined: true }),
    'a.pcap: its clock leaps from 1970-01-01 00:00 to 2023-11-14 22:13; what follows is taken to go on at once',
  );
  t.regex(explainClock('a', { kind: 'outliers', packets: 3, timeS: 1e300 }), /3 packets are dated/);
});
