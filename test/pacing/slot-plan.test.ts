// Slots drawn ahead, against a clock that has their intervals and a queue before it that is told how many leave.
import test from 'ava';
import { SlotPlan } from '../../src/core/pacing/slot-plan.ts';
import { standingSlots } from '../../src/core/plan/outer-clock.ts';
import { SLOT_UNITS } from '../../src/core/plan/spacers.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import { type Shape, slotMs } from '../../src/core/stream/stream.ts';
import { meanOf, sdOf } from '../moments.ts';

const shapeOf = (rateKBps: number, sdPercent = 30, packetBytes = 512): Shape => ({
  ...{ rateKBps, packetBytes, mode: 'vit', sdPercent },
});

interface Run {
  /** Intervals as the clock has made them, ms. */
  intervalsMs: number[];
  /** Slots that the queue before has let go beyond what the clock has, at each beat. */
  ahead: number[];
  /** Spacers that stood in the clock before each beat. */
  standing: number[];
}

interface RunOptions {
  shape: Shape;
  seconds: number;
  /** How late the process comes to a beat, ms. */
  lateMs?: (random: () => number) => number;
  /** By how much the clock is slower than it ought to be. */
  slow?: number;
  /** Spacers that are lost of those handed over in one beat of a hundred. */
  lost?: number;
}

/** The clock looks at its spacers five times in two seconds, and counts its slots then. */
const LOOK_MS = 400;

function run({ shape, seconds, lateMs = () => 0, slow = 0, lost = 0 }: RunOptions): Run {
  const standing = standingSlots({ main: { standingSlots: null } }, shape);
  const plan = new SlotPlan(shape, standing, seededRandom(3));
  const late = seededRandom(4);
  const meanMs = slotMs(shape.rateKBps, shape.packetBytes);
  const found: Run = { intervalsMs: [], ahead: [], standing: [] };
  plan.begin(0);
  const queue: number[] = [];
  let nowMs = 0;
  let endMs = 0;
  let inner = 0;
  let perMs = 0;
  let lookMs = LOOK_MS;
  /** What the clock has let go, parts of an interval too. */
  let goes = 0;
  const pass = (untilMs: number): void => {
    inner += perMs * (untilMs - nowMs);
    while (endMs <= untilMs && queue.length > 0) {
      const units = queue.shift()!;
      const lengthMs = (units / SLOT_UNITS) * meanMs * (1 - plan.bend) * (1 + slow);
      found.intervalsMs.push(lengthMs);
      endMs = Math.max(endMs, nowMs) + lengthMs;
    }
    nowMs = untilMs;
    const lastMs = found.intervalsMs.at(-1) ?? 1;
    goes = found.intervalsMs.length - Math.max(0, endMs - nowMs) / lastMs;
  };
  for (let beats = 0; nowMs < seconds * 1000; beats++) {
    pass(Math.max(nowMs, plan.dueMs) + lateMs(late));
    if (nowMs >= lookMs) {
      plan.ask(nowMs);
      plan.follow(found.intervalsMs.length, queue.length, nowMs);
      plan.observe(found.intervalsMs.length, nowMs);
      lookMs = nowMs + LOOK_MS;
    }
    found.standing.push(queue.length);
    found.ahead.push(inner - goes);
    perMs = plan.step(nowMs)! / shape.packetBytes / 1000;
    const fresh = plan.take();
    queue.push(...fresh.slice(beats % 100 === 50 ? lost : 0));
  }
  return found;
}

const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);

for (const [rateKBps, sdPercent, packetBytes, seconds] of [
  [5, 30, 512, 2000],
  [40, 30, 512, 300],
  [40, 1, 1400, 600],
  [100, 40, 256, 100],
  [400, 30, 512, 60],
  [1000, 10, 512, 60],
] as const) {
  const shape = shapeOf(rateKBps, sdPercent, packetBytes);
  const meanMs = slotMs(rateKBps, packetBytes);

  test(`${rateKBps} KB/s, sd ${sdPercent} %: each draw is an interval, and neighbours know nothing of each other`, (t) => {
    const { intervalsMs } = run({ shape, seconds });
    t.true(Math.abs(meanOf(intervalsMs) / meanMs - 1) < 0.003, `${meanOf(intervalsMs)}`);
    const sd = sdOf(intervalsMs) / meanMs;
    // Holding the average takes its part where little is drawn.
    t.true(Math.abs(sd / (sdPercent / 100) - 1) < (sdPercent === 1 ? 0.08 : 0.04), `${sd}`);
    const z = intervalsMs.map((ms) => ms / meanMs - 1);
    const products = z.slice(1).map((value, index) => value * z[index]!);
    if (sdPercent > 1) t.true(Math.abs(meanOf(products)) / sd ** 2 < 0.03, 'no correlation');
  });

  test(`${rateKBps} KB/s, sd ${sdPercent} %: the queue before lets go what leaves, a slot more or less`, (t) => {
    const { ahead } = run({ shape, seconds: seconds / 10 });
    t.true(spread(ahead.slice(1)) < 2, `${spread(ahead.slice(1))}`);
  });
}

test('the rate of a minute is within 0.2 %, in all but few', (t) => {
  const { intervalsMs } = run({ shape: shapeOf(40), seconds: 60 * 200 });
  const counts: number[] = [];
  let endMs = 0;
  for (const ms of intervalsMs) {
    endMs += ms;
    const minute = Math.floor(endMs / 60_000);
    counts[minute] = (counts[minute] ?? 0) + 1;
  }
  const whole = counts.slice(1, -1);
  const far = whole.filter((count) => Math.abs((count * 12.8) / 60_000 - 1) > 0.002).length;
  t.true(whole.length > 190 && far <= 4, `${far} of ${whole.length}`);
});

test('late by a timer’s milliseconds or a busy machine’s tens, it is never far off, and spacers always stand', (t) => {
  for (const rateKBps of [40, 400]) {
    const { ahead, standing } = run({
      ...{ shape: shapeOf(rateKBps), seconds: 60 },
      lateMs: (random) => (random() < 0.05 ? 60 * random() : random()),
    });
    // Wrong for a moment, for as long as it was late.
    t.true(spread(ahead.slice(1)) < 2 + (60 * rateKBps) / 512, `${spread(ahead.slice(1))}`);
    t.true(sdOf(ahead.slice(1)) < 0.7, `${sdOf(ahead.slice(1))}`);
    t.true(Math.min(...standing.slice(1)) > (250 * rateKBps) / 512);
  }
});

test('a clock whose timers are late is hurried, and followed', (t) => {
  const shape = shapeOf(40);
  const { intervalsMs, standing } = run({ shape, seconds: 600, slow: 0.01 });
  const late = intervalsMs.slice(intervalsMs.length / 2);
  t.true(Math.abs(meanOf(late) / 12.8 - 1) < 0.003, `${meanOf(late)}`);
  t.true(Math.max(...standing) < 120);
});

test('spacers that are lost are found missing, and others take their place', (t) => {
  const { standing } = run({ shape: shapeOf(400), seconds: 60, lost: 20 });
  t.true(Math.min(...standing.slice(20)) > 200, `${Math.min(...standing.slice(20))}`);
});

test('others’ spacers in the place of its own are told apart, and it begins again with none', (t) => {
  const plan = new SlotPlan(shapeOf(40), 2, seededRandom(1));
  t.is(plan.dueMs, Number.POSITIVE_INFINITY);
  t.is(plan.step(0), null);
  plan.begin(100);
  t.true(plan.step(100)! > 0);
  const first = plan.take().length;
  t.true(first > 60);
  plan.ask(500);
  t.true(plan.follow(31, first - 31, 500));
  plan.ask(900);
  t.false(plan.follow(3, 40, 900));
  plan.pause();
  t.is(plan.step(1000), null);
  plan.begin(1000);
  t.true(plan.step(1000)! > 0);
  t.true(plan.take().length > 60);
});

test('a stream is stepped seldom enough to sleep, and often enough that what stands before the clock does not run out', (t) => {
  for (const [rateKBps, standing, sdPercent, beatMs] of [
    [5, 1, 30, 200],
    [10, 1, 30, 80],
    [40, 1, 30, 40],
    [40, 2, 30, 80],
    [40, 2, 1, 120],
    [100, 2, 30, 40],
    [400, 8, 30, 40],
  ] as const) {
    const plan = new SlotPlan(shapeOf(rateKBps, sdPercent), standing, seededRandom(1));
    t.is(plan.beatMs, beatMs, `${rateKBps} KB/s, ${standing} standing`);
  }
});

test('all streams are stepped at the same moments', (t) => {
  const due = [5, 40, 400].map((rateKBps) => {
    const plan = new SlotPlan(shapeOf(rateKBps), 2, seededRandom(1));
    plan.begin(123.4);
    plan.step(123.4);
    return plan.dueMs;
  });
  t.deepEqual(due, [400, 240, 160]);
});
