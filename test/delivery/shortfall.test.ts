// A line too slow for the rate is found from what both ends count over a minute, with a rate that would fit.
import test from 'ava';
import { smallerSizes, wholeBytesOf } from '../../src/core/home/delivery/path-size.ts';
import { Arrivals, findShortfall, shareOf } from '../../src/core/home/delivery/shortfall.ts';
import type { Notice } from '../../src/core/notices/notice.ts';
import type { Shape } from '../../src/core/stream/stream.ts';

const shape: Shape = { mode: 'vit', rateKBps: 100, packetBytes: 512, sdPercent: 30 };

const rows: [what: string, perSecond: (number | null)[], fits: number | null][] = [
  ['all gets through', [195, 194], null],
  ['nothing is known', [null, null], null],
  ['the line takes two thirds', [130, null], 63],
  ['the far end gets half of what leaves', [195, 97], 47],
  ['96 of 100 get through', [188, 188], null],
  ['94 of 100 get through', [195, 183], 89],
];

for (const [what, perSecond, fits] of rows) {
  test(`where ${what}, ${fits ?? 'no rate'} is proposed`, (t) => {
    const found = findShortfall('up', { shape, perSecond, latelyPerSecond: perSecond });
    t.is(found?.values.fits ?? null, fits);
    t.is(found?.code ?? null, fits === null ? null : 'upload-short');
  });
}

test('what the line carries now counts, and is not told anew every second', (t) => {
  const [whole, half] = [[195], [98]];
  const find = (perSecond: number[], latelyPerSecond: number[], before: Notice[] = []) =>
    findShortfall('up', { shape, perSecond, latelyPerSecond }, before);
  t.is(find([183], half)?.values.fits, 47, 'the minute was better than what is now');
  t.is(find(whole, half), null, 'too short to tell');
  t.is(find([183], whole), null, 'over again');
  const found = find(half, half)!;
  for (const share of [94, 100, 107]) t.is(find([share], [share], [found]), found);
  t.is(find([125], [125], [found])?.values.fits, 60);
  t.is(
    find([187], [187], [{ ...found, values: { ...found.values, percent: 94 } }])?.values.percent,
    94,
  );
  t.is(find([190], [190], [found]), null);
  t.is(find(half, half, [{ ...found, values: { ...found.values, rate: 60 } }])?.values.rate, 100);
});

test('few slots, and a plain tunnel, tell nothing', (t) => {
  t.is(shareOf({ ...shape, rateKBps: 1 }, [1]), null);
  t.is(shareOf({ ...shape, rateKBps: 0 }, [1]), null);
});

test('what the far end counts comes round, is made anew, and may be untold', (t) => {
  let arrivals = Arrivals.NONE;
  const round = 2 ** 24;
  for (let second = 0; second <= 60; second += 2) {
    arrivals = arrivals.with((round - 100 + second * 80) % round, second * 1000);
  }
  t.is(arrivals.perSecond(58_000), 80);
  t.is(arrivals.with(5, 62_000).perSecond(1000), null, 'made anew');
  t.is(arrivals.with(null, 62_000).perSecond(1000), null);
});

test('what fits a line depends on what is around the packet', (t) => {
  t.is(wholeBytesOf(1420, false), 1368);
  t.is(wholeBytesOf(1280, true), 1208);
  t.deepEqual(smallerSizes(1000), [768, 512, 256]);
  t.deepEqual(smallerSizes(256), []);
});
