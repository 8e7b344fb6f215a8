// What homes may have: refused with the reason where it is too much, counted over the month, and never at another's expense.
import test from 'ava';
import fc from 'fast-check';
import {
  type AdmissionEvidence,
  findRefusal,
} from '../../src/core/endpoint/admission/admission.ts';
import {
  capacityOf,
  type LimitBook,
  limitsOf,
  NO_LIMITS,
  readLimitBook,
  renderLimitBook,
  withLimits,
  withoutHome,
} from '../../src/core/endpoint/admission/limits.ts';
import {
  isServerShort,
  shareOf,
  shortNotice,
  shortOf,
} from '../../src/core/endpoint/admission/shares.ts';
import {
  bytesBetween,
  elsewhereOf,
  NO_USAGE,
  readUsage,
  usageAt,
  usageOf,
  usedGB,
  withBytes,
} from '../../src/core/endpoint/admission/usage.ts';
import { toldOf } from '../../src/core/endpoint/machine/telling.ts';
import { SlotMeter } from '../../src/core/home/slot-meter.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { type Shape, slotsPerSecond } from '../../src/core/stream/stream.ts';
import { runs } from '../property-runs.ts';
import { Play, peerOf, shape, stored } from './play.ts';

const free = { downKBps: null, upKBps: null, slots: null, monthGB: null };

function evidence(change: Partial<AdmissionEvidence> = {}): AdmissionEvidence {
  return {
    ...{ limits: free, capacity: { kBps: null, slots: null }, shape, coming: null, usedGB: 0 },
    ...{ has: null, isAlone: false, others: [], isShort: false, lateMs: null },
    ...change,
  };
}

const constant: Shape = { ...shape, rateKBps: 2000, mode: 'constant' };
const at = (rateKBps: number): Shape => ({ ...shape, rateKBps });
const machine = { kBps: null, slots: 4000 };

const cases: [what: string, change: Partial<AdmissionEvidence>, refused: unknown][] = [
  ['nothing is limited', { shape: at(10_000) }, null],
  ['its rate', { limits: { ...free, downKBps: 40 } }, null],
  [
    'more than its rate',
    { limits: { ...free, downKBps: 40 }, shape: at(400) },
    { code: 'down', asked: 400, allowed: 40 },
  ],
  [
    'a plain tunnel, which keeps no rate',
    { limits: { ...free, downKBps: 40 }, shape: at(0) },
    { code: 'down', asked: 12_500, allowed: 40 },
  ],
  ['a plain tunnel where nothing is limited', { capacity: machine, shape: at(0) }, null],
  [
    'small packets at its rate',
    { limits: { ...free, slots: 100 }, shape: { ...shape, packetBytes: 256 } },
    { code: 'slots', asked: 157, allowed: 100 },
  ],
  [
    'more than its rate comes',
    { limits: { ...free, upKBps: 40 }, coming: { kBps: 61.23, slots: 120 } },
    { code: 'up', asked: 61.3, allowed: 40 },
  ],
  ['what comes varies', { limits: { ...free, upKBps: 40 }, coming: { kBps: 42, slots: 82 } }, null],
  [
    'more packets than it may send come',
    { limits: { ...free, slots: 100 }, coming: { kBps: 40, slots: 150 } },
    { code: 'slots', asked: 150, allowed: 100 },
  ],
  [
    'its month is used up',
    { limits: { ...free, monthGB: 100 }, usedGB: 100.004 },
    { code: 'month', asked: 101, allowed: 100 },
  ],
  [
    'most of the machine',
    { capacity: machine, shape: at(1100) },
    { code: 'slots', asked: 2150, allowed: 2000 },
  ],
  [
    'most of the machine, as the only home',
    { capacity: machine, shape: at(2000), isAlone: true },
    null,
  ],
  [
    'most of the machine, as its operator lets it',
    { capacity: machine, shape: at(1100), limits: { ...free, slots: 3000 } },
    null,
  ],
  [
    'more than others leave',
    { capacity: machine, shape: at(512), others: [at(1024), at(768)] },
    { code: 'full', asked: 1000, allowed: 500 },
  ],
  [
    'what it has, where others have too much',
    { capacity: machine, has: shape, others: [at(1024), at(1024)] },
    null,
  ],
  [
    'less than it has, where others have too much',
    { capacity: machine, shape: at(20), has: shape, others: [at(1024), at(1024)] },
    null,
  ],
  [
    'more KB/s than others leave',
    { capacity: { kBps: 100, slots: null }, others: [at(80)] },
    { code: 'full', asked: 78.2, allowed: 39 },
  ],
  [
    'anything while those that are there get too little',
    { isShort: true },
    { code: 'full', asked: 78.2, allowed: 0 },
  ],
  [
    'more than the server’s timers hold',
    { shape: at(2000), lateMs: 0.02 },
    { code: 'timers', asked: 2000, allowed: 1530 },
  ],
  ['as much as its timers hold', { shape: at(1530), lateMs: 0.02 }, null],
  ['as much in intervals that are all alike', { shape: constant, lateMs: 0.02 }, null],
  ['what it has while those that are there get too little', { isShort: true, has: shape }, null],
];

for (const [what, change, refused] of cases) {
  test(`who asks for: ${what}`, (t) => {
    t.deepEqual(findRefusal(evidence(change)), refused);
  });
}

test('whoever comes in whatever order, no more is let in than the machine carries, and nobody let in is refused what he has', (t) => {
  const rates = fc.array(fc.double({ min: 0.25, max: 3000, noNaN: true }), { maxLength: 30 });
  fc.assert(
    fc.property(rates, (asked) => {
      const there: Shape[] = [];
      for (const rateKBps of asked) {
        const wish = { capacity: machine, others: there, shape: at(rateKBps) };
        if (findRefusal(evidence(wish)) === null) there.push(at(rateKBps));
      }
      const sum = there.reduce((slots, one) => slots + slotsPerSecond(one), 0);
      t.true(sum <= 4000 + 1e-6);
      for (const one of there) {
        const others = there.filter((other) => other !== one);
        t.is(findRefusal(evidence({ capacity: machine, others, shape: one, has: one })), null);
      }
    }),
    { numRuns: runs(200) },
  );
});

test('a home has its own figures, what it has none of as usual, and none where its operator says so', (t) => {
  const changes: [Parameters<typeof withLimits>[1], Parameters<typeof withLimits>[2]][] = [
    ['usual', { downKBps: 40, upKBps: 40, monthGB: 100 }],
    [{ home: 'a' }, { downKBps: 80, monthGB: null }],
    [{ home: 'b' }, { slots: 100 }],
    [{ home: 'b' }, { slots: undefined }],
    ['machine', { kBps: 500 }],
  ];
  const book = changes.reduce<LimitBook>((before, change) => withLimits(before, ...change), {
    ...NO_LIMITS,
    cores: 2,
  });
  t.deepEqual(limitsOf(book, 'a'), { downKBps: 80, upKBps: 40, slots: null, monthGB: null });
  t.deepEqual(limitsOf(book, 'b'), { ...free, downKBps: 40, upKBps: 40, monthGB: 100 });
  t.deepEqual(limitsOf(book, 'constructor'), limitsOf(book, 'b'));
  t.deepEqual(capacityOf(book, 2), { kBps: 500, slots: 8000 });
  t.is(capacityOf({ ...book, cores: 64 }, 2).slots, 16_000, 'one OpenVPN for however many cores');
  t.deepEqual(capacityOf(book, 1), { kBps: 500, slots: null }, 'nobody else is there');
  const without = withLimits(book, 'machine', { slots: null });
  t.deepEqual(capacityOf(without, 2), { kBps: 500, slots: null });
  t.deepEqual(readLimitBook(JSON.parse(renderLimitBook(book))), { ...book, cores: null });
  t.deepEqual(limitsOf(withoutHome(book, 'a'), 'a'), limitsOf(book, ''));
});

const damaged: unknown[] = [
  ...[null, [], 7, { usual: { downKBps: 0 } }, { usual: { downKBps: '40' } }],
  ...[{ homes: [] }, { homes: { a: { other: 1 } } }, { machine: { monthGB: 1 } }],
];

for (const value of damaged) {
  test(`no limits are read from ${JSON.stringify(value)}`, (t) => {
    t.is(readLimitBook(value), null);
  });
}

test('data is counted as the wire has it, over counters that begin anew, and from the month’s turn on again', (t) => {
  const tunnel = { of: 'tunnel', packets: 10, bytes: 5120 } as const;
  t.is(bytesBetween(undefined, tunnel), 0, 'whatever was before is not known');
  t.is(bytesBetween(tunnel, { of: 'tunnel', packets: 12, bytes: 6144 }), 2 * (512 + 52));
  t.is(bytesBetween(tunnel, { of: 'tunnel', packets: 1, bytes: 512 }), 564, 'made anew');
  t.is(bytesBetween(tunnel, { of: 'clock', packets: 12, bytes: 9000 }), 0, 'another counter');
  const clock = { of: 'clock', packets: 0, bytes: 0 } as const;
  t.is(bytesBetween(clock, { of: 'clock', packets: 22, bytes: 12_716 }), 22 * 564);
  const november = usageAt(NO_USAGE, Date.UTC(2026, 10, 30, 23, 59, 59) / 1000);
  const used = withBytes(withBytes(november, 'a', 3e9), 'a', 1e9);
  t.is(usedGB(used, 'a'), 4);
  t.is(usedGB(used, 'toString'), 0);
  t.is(usageAt(used, Date.UTC(2026, 10, 1) / 1000), used);
  t.is(usageAt(used, 0), used, 'a clock that is not set yet');
  t.deepEqual(usageAt(used, Date.UTC(2026, 11, 1) / 1000), { month: '2026-12', homes: {} });
  t.deepEqual(usageOf(used, ['b']), { month: '2026-11', homes: {} });
  t.deepEqual(readUsage(JSON.parse(JSON.stringify(used))), used);
  for (const value of [
    null,
    {},
    { month: 'May', homes: {} },
    { month: '2026-11', homes: { a: -1 } },
  ])
    t.is(readUsage(value), null);
});

/** Of a minute and some seconds in which this share of the slots left. */
function minuteOf(share: number, of = shape): SlotMeter {
  let meter = SlotMeter.EMPTY;
  for (let second = 0; second <= 62; second++) {
    meter = meter.with(Math.floor(second * share * slotsPerSecond(of)), second * 1000);
  }
  return meter;
}

test('a home that gets less than its slots over a minute is named, and one of a slow stream not for chance', (t) => {
  t.is(shareOf(minuteOf(1), shape), 1);
  t.is(shareOf(SlotMeter.EMPTY, shape), null);
  t.is(shareOf(minuteOf(1), at(0)), null);
  t.true(shareOf(minuteOf(0.94), shape)! < 0.95);
  t.is(shareOf(minuteOf(0.97, at(0.25)), at(0.25)), 1);
  const shares = [0.99, 0.9, 0.07].map((share, k) => ({ name: `home${k}`, share }));
  const said = wordsOf(shortNotice(shortOf(shares))!);
  t.regex(said, /down to 7 % within a minute, for home2 and home1: this server can’t keep up/);
  t.is(shortNotice(shortOf(shares.slice(0, 1))), null);
  t.true(isServerShort(shares));
  t.false(isServerShort(shares.slice(0, 2)), 'one of two');
  t.false(isServerShort(shares.slice(2)), 'the only one');
});

const limited = (homes: LimitBook['homes'], cores: number | null = null): LimitBook => ({
  ...NO_LIMITS,
  homes,
  cores,
});

test('a home that asks for more than it may have is told why, and keeps what it has', (t) => {
  const play = Play.serving(t, [2, 3], { limits: limited({ home2: { downKBps: 40 } }) });
  play.hello(2, at(400));
  t.deepEqual(play.settle(), []);
  const [refused] = play.acts.filter((act) => act.do === 'refuse');
  t.like(refused, {
    ...{ host: 2, peer: peerOf(2), slotBytes: 512 },
    refusal: { code: 'down', asked: 400, allowed: 40 },
  });
  t.deepEqual(play.take(), ['refuse 2', 'home-over-limit']);
  t.deepEqual(
    toldOf(play.state).troubles.map((trouble) => wordsOf(trouble)),
    [
      'home home2 is refused: 40 KB/s down are allowed, and 400 are asked for; "iotshaper endpoint limit" lists what is allowed, and allows more',
    ],
  );
  for (let count = 0; count < 50; count++) play.hello(2, at(400 + count));
  play.settle();
  t.deepEqual(new Set(play.take()), new Set(['refuse 2']), 'told once');
  // Nor where it asks for what it may have between, or for another thing too much.
  for (let count = 0; count < 20; count++) {
    play.hello(2, count % 2 === 0 ? shape : { ...at(400), packetBytes: 300 + count });
    play.settle();
  }
  t.false(play.take().includes('home-over-limit'));
  play.second();
  play.settle();
  t.deepEqual([...play.gates], [2, 3]);
  play.hello(2, at(20));
  play.settle();
  t.true(play.take().includes('welcome 2'));
  t.deepEqual(toldOf(play.state).troubles, []);
});

test('a home that asks for more than the server’s timers hold is refused, and nobody’s limits are blamed', (t) => {
  const play = Play.serving(t, [2, 3]);
  play.state = { ...play.state, place: { ...play.state.place, lateMs: 0.02 } };
  play.hello(2, at(2000));
  play.settle();
  const [refused] = play.acts.filter((act) => act.do === 'refuse');
  t.like(refused, { host: 2, refusal: { code: 'timers', asked: 2000, allowed: 1530 } });
  t.deepEqual(
    toldOf(play.state).troubles.map((trouble) => wordsOf(trouble)),
    [
      'home home2 is refused: above 1530 KB/s down the server’s timers blur the intervals of mode vit, and 2000 are asked for; its router has to ask for less, for larger packets, or for mode constant',
    ],
  );
});

test('what a home has is taken away once its operator allows less, and the others go on', (t) => {
  const play = Play.serving(t, [2, 3]);
  play.limits = limited({ home2: { downKBps: 20 } });
  play.tell({ kind: 'store-changed' });
  play.settle();
  t.deepEqual(play.take(), []);
  play.hello(2);
  play.settle();
  t.deepEqual(play.take(), ['refuse 2', 'home-over-limit', 'close 2', 'home-disconnected']);
  t.deepEqual([...play.gates], [3]);
  // Whoever has gone is refused nothing any more.
  for (let count = 0; count < 190; count++) {
    if (count % 30 === 0) play.hello(3);
    play.second();
    play.settle();
  }
  play.settle();
  t.deepEqual(toldOf(play.state).troubles, []);
});

test('whoever comes to a full machine is refused, with what is left, and those that are there keep theirs', (t) => {
  const play = Play.serving(t, [2, 3], {
    homes: [2, 3, 4].map((host) => stored(host)),
    limits: { ...limited({}), machine: { slots: 2000 } },
  });
  play.hello(3, at(500));
  play.settle();
  play.hello(4, at(480));
  play.settle();
  play.take();
  t.is(play.state.sessions.length, 3);
  play.hello(2, at(60));
  play.settle();
  const refusals = play.acts.filter((act) => act.do === 'refuse').map((act) => act.refusal);
  t.deepEqual(refusals, [{ code: 'full', asked: 118, allowed: 85.9 }]);
  play.hello(2, at(10_000));
  play.settle();
  t.true(play.acts.some((act) => act.do === 'refuse' && act.refusal.code === 'slots'));
  t.is(play.state.sessions.find(({ host }) => host === 2)?.shape.rateKBps, 40);
});

test('what went and came is kept, survives a start, and refuses a home whose month is used up until the next', (t) => {
  const limits = limited({ home2: { monthGB: 1 } });
  const play = Play.serving(t, [2, 3], { limits });
  for (let count = 0; count < 61; count++) {
    const bytes = 40_000 * count;
    play.received.set(peerOf(2), { packets: bytes / 512, bytes });
    play.second();
    play.settle();
  }
  const kept = play.acts.findLast((act) => act.do === 'keep-usage');
  if (kept?.do !== 'keep-usage') return t.fail();
  const both = 60 * (40_000 / 512) * 564 * 2;
  t.true(
    Math.abs(kept.usage.homes.home2! / both - 1) < 0.1,
    `${kept.usage.homes.home2} of ${both}`,
  );
  t.is(kept.usage.month, '1970-01');

  const usage = { month: '1970-01', homes: { home2: 1e9 } };
  const after = Play.serving(t, [3], { homes: [stored(2), stored(3)], limits, usage });
  after.hello(2);
  after.settle();
  t.deepEqual(after.take(), ['refuse 2', 'home-over-limit']);
  t.deepEqual([...after.gates], [3]);
  after.nowMs += 32 * 86_400_000;
  after.hello(3);
  after.second();
  after.settle();
  after.take();
  after.hello(2);
  after.settle();
  t.true(after.take().includes('welcome 2'));
});

test('a home is told before its month is used up', (t) => {
  const limits = limited({ home2: { monthGB: 1 }, home3: { monthGB: 1 } });
  const usage = { month: '1970-01', homes: { home2: 9.1e8, home3: 8e8 } };
  const play = Play.serving(t, [2, 3], { limits, usage });
  for (const host of [2, 3]) play.hello(host);
  play.settle();
  const told = play.acts.flatMap((act) => (act.do === 'welcome' ? [act.arrival.troubles] : []));
  t.deepEqual(told, [['month'], []]);
});

test('what other endpoints have counted in the month holds, too, and goes on being refused', (t) => {
  const limits = limited({ home2: { monthGB: 1 } });
  const homes = [stored(2), stored(3)];
  const usage = { month: '1970-01', homes: { home2: 4e8, home3: 1 } };
  const play = Play.serving(t, [2, 3], { homes, limits, usage });
  const refused = (month: string, bytes: number): boolean => {
    play.elsewhere = { month, homes: { home2: bytes } };
    play.tell({ kind: 'store-changed' });
    play.settle();
    play.hello(2);
    play.settle();
    return play.take().includes('refuse 2');
  };
  t.false(refused('1970-01', 5e8));
  t.false(refused('1969-12', 9e9));
  t.true(refused('1970-01', 6.1e8));
  t.true(refused('1970-01', 6.1e8));
  const all = { month: '1970-01', homes: { home2: 9e8, home3: 1, gone: 5 } };
  const own = { month: '1970-01', homes: { home2: 4e8, home3: 2 } };
  t.deepEqual(elsewhereOf(all, own), { month: '1970-01', homes: { home2: 5e8, gone: 5 } });
});

test('a home that sends more than it may is let go, however little it asks for', (t) => {
  const play = Play.serving(t, [2, 3], { limits: limited({ home2: { upKBps: 40 } }) });
  for (let count = 0; count < 24; count++) {
    play.received.set(peerOf(2), { packets: count * 800, bytes: count * 400_000 });
    play.second();
    play.settle();
  }
  t.deepEqual(play.take(), []);
  play.hello(2);
  play.settle();
  t.deepEqual(play.take(), ['refuse 2', 'home-over-limit', 'close 2', 'home-disconnected']);
});

test('homes that get less than their slots are named once, and nobody new is let in meanwhile', (t) => {
  const play = Play.serving(t, [2, 3], { homes: [2, 3, 4].map((host) => stored(host)) });
  const minute = (share: number): void => {
    for (let count = 0; count < 70; count++) {
      if (count % 30 === 0) for (const host of [2, 3]) play.hello(host);
      play.second({ share });
      play.settle();
    }
  };
  minute(0.8);
  t.deepEqual(new Set(play.take()), new Set(['welcome 2', 'welcome 3', 'homes-short']));
  t.regex(
    toldOf(play.state)
      .troubles.map((trouble) => wordsOf(trouble))
      .join('\n'),
    /down to 80 % within a minute, for home2 and home3: this server can’t keep up/,
  );
  t.deepEqual([...play.gates], [2, 3], 'as a home’s own judge has it');
  play.hello(4);
  play.settle();
  t.deepEqual(play.take(), ['refuse 4', 'home-over-limit']);
  minute(1);
  t.deepEqual(
    toldOf(play.state).troubles.map(({ code }) => code),
    ['home-over-limit'],
  );
  play.hello(4);
  play.settle();
  t.true(play.take().includes('welcome 4'));
});
