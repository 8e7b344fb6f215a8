// The clock of a class against a simulated HTB whose timers fire late.
import test from 'ava';
import { RatePacer } from '../../src/core/pacing/rate-pacer.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import { slotMs } from '../../src/core/stream/stream.ts';
import { meanOf, sdOf } from '../moments.ts';
import { type HtbOptions, intervals, simulateHtb } from './htb.ts';

interface Load {
  name: string;
  lateMs: (random: () => number) => number;
}

const loads: Load[] = [
  { name: 'idle', lateMs: (random) => 0.05 + 0.05 * random() },
  { name: 'usual', lateMs: (random) => 0.05 + 0.25 * random() },
  {
    name: 'busy',
    lateMs: (random) => 0.05 + 0.25 * random() + (random() < 0.02 ? 1.5 * random() : 0),
  },
];

function options(
  rateKBps: number,
  packetBytes: number,
  sdPercent: number,
  seconds: number,
  load: Load,
  seed = 1,
): HtbOptions {
  const late = seededRandom(seed, 7);
  return {
    shape: { rateKBps, packetBytes, mode: sdPercent === 0 ? 'constant' : 'vit', sdPercent },
    seconds,
    random: seededRandom(seed),
    lateMs: () => load.lateMs(late),
    changeLateMs: () => 0.2 + 1.2 * late(),
  };
}

/** Rate, size, sd, simulated seconds; slow streams need longer for as many slots. */
const streams: [rateKBps: number, packetBytes: number, sdPercent: number, seconds: number][] = [
  [40, 512, 30, 60],
  [40, 512, 10, 60],
  [120, 512, 30, 60],
  [400, 512, 30, 60],
  [1000, 1400, 30, 60],
  [5, 512, 30, 600],
  [10, 256, 40, 600],
];

for (const load of loads) {
  for (const [rateKBps, packetBytes, sdPercent, seconds] of streams) {
    const name = `${rateKBps} KB/s of ${packetBytes} bytes, sd ${sdPercent} %, ${load.name}`;
    test(`${name}: mean within 0.3 %, sd within 5 %`, (t) => {
      const meanMs = slotMs(rateKBps, packetBytes);
      const run = simulateHtb(options(rateKBps, packetBytes, sdPercent, seconds, load));
      const found = intervals(run.departures);
      const meanOff = meanOf(found) / meanMs - 1;
      t.true(Math.abs(meanOff) < 0.003, `mean ${(100 * meanOff).toFixed(2)} % off`);
      const sdOff = sdOf(found) / ((meanMs * sdPercent) / 100) - 1;
      t.true(Math.abs(sdOff) < 0.05, `sd ${(100 * sdOff).toFixed(1)} % off`);
    });
  }

  test(`constant at 40 KB/s, ${load.name}: mean within 0.1 %`, (t) => {
    const { departures } = simulateHtb(options(40, 512, 0, 60, load));
    t.true(Math.abs(meanOf(intervals(departures)) / 12.8 - 1) < 0.001);
  });
}

test('neighbouring intervals stay independent through the queue', (t) => {
  const { departures } = simulateHtb(options(40, 512, 30, 600, loads[1]!));
  const z = intervals(departures).map((interval) => (interval - 12.8) / 3.84);
  const products = z.slice(1).map((value, index) => value * z[index]!);
  t.true(Math.abs(meanOf(products)) < 0.02, `correlation ${meanOf(products)}`);
});

test('nearly every drawn interval is met by one departure', (t) => {
  const { departures, changes } = simulateHtb(options(40, 512, 30, 600, loads[2]!));
  let met = 0;
  let at = 0;
  for (const [index, { atMs }] of changes.entries()) {
    const endMs = changes[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
    let here = 0;
    while (at < departures.length && departures[at]! < endMs) {
      if (departures[at]! >= atMs) here++;
      at++;
    }
    if (here === 1) met++;
  }
  t.true(met / changes.length > 0.95, `${met} of ${changes.length}`);
});

test('a long stop is forgotten, not made up', (t) => {
  const stall: [number, number] = [20_100, 30_100];
  const run = simulateHtb({ ...options(40, 512, 30, 60, loads[0]!), stall });
  const after = intervals(run.departures.filter((atMs) => atMs >= stall[1]));
  t.true(Math.abs(meanOf(after) / 12.8 - 1) < 0.005, `${meanOf(after)}`);
});

test('a short stop is made up, by no more than 8 %', (t) => {
  const stall: [number, number] = [20_200, 20_700];
  const run = simulateHtb({ ...options(40, 512, 0, 60, loads[0]!), stall });
  t.true(Math.abs(run.departures.length / (60_000 / 12.8) - 1) < 0.001);
  const most = Math.max(...run.changes.map(({ bytesPerSecond }) => bytesPerSecond));
  t.true(most > 41_000 && most <= 40_000 / 0.92 + 1, `${most}`);
});

test('a constant rate is set once, and again only after a count', (t) => {
  const pacer = new RatePacer(
    { rateKBps: 40, packetBytes: 512, mode: 'constant', sdPercent: 0 },
    seededRandom(1),
    5,
  );
  t.is(pacer.dueMs, 5);
  t.is(pacer.step(4), null);
  t.is(pacer.step(5), 40_000);
  t.is(pacer.dueMs, Number.POSITIVE_INFINITY);
  t.is(pacer.step(1e9), null);
  // On schedule: 0 at the first count, 12.8 ms each.
  pacer.observe(0, 1000);
  t.is(pacer.dueMs, Number.POSITIVE_INFINITY);
  pacer.observe(100, 2280);
  t.is(pacer.step(2280), 40_000);
  // Ten short.
  pacer.observe(190, 3560);
  t.true(pacer.step(3560)! > 40_000);
  // Ten ahead.
  pacer.observe(310, 4840);
  t.true(pacer.step(4840)! < 40_000);
});

test('a counter that starts over is taken as a new beginning', (t) => {
  const pacer = new RatePacer(
    { rateKBps: 40, packetBytes: 512, mode: 'constant', sdPercent: 0 },
    seededRandom(1),
    0,
  );
  pacer.step(0);
  pacer.observe(10_000, 1000);
  pacer.observe(3, 2000);
  pacer.observe(103, 3280);
  t.is(pacer.step(3280), 40_000);
});

test('changes are due when the drawn interval is over, and late ones do not pile up', (t) => {
  const pacer = new RatePacer(
    { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 },
    seededRandom(1),
    0,
  );
  let dueMs = 0;
  for (let i = 0; i < 100; i++) {
    const bytesPerSecond = pacer.step(dueMs + 1)!;
    t.true(Math.abs(pacer.dueMs - dueMs - 512_000 / bytesPerSecond) < 0.01);
    dueMs = pacer.dueMs;
  }
  pacer.step(dueMs + 500);
  t.true(pacer.dueMs > dueMs + 500);
});
