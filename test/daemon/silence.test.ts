// How long nothing was reported: counted by seconds in which somebody listened.
import test from 'ava';
import { SlotMeter } from '../../src/core/home/slot-meter.ts';
import { Silence } from '../../src/core/machine/silence.ts';

test('seconds add up, and one that was held up counts as one', (t) => {
  let silence = Silence.from(0);
  for (const nowMs of [1000, 2000, 62_000, 62_001]) silence = silence.goOn(nowMs);
  t.is(silence.lengthMs, 1000 + 1000 + 1500 + 1);
  t.is(Silence.from(Number.NEGATIVE_INFINITY).goOn(5).lengthMs, 1500);
});

test('of rates that may have been the one nearest to what was asked is taken', (t) => {
  // Asked at 0 and read at once; asked at 2 s and read a second later.
  const meter = SlotMeter.EMPTY.with(0, 0).with(240, 3000, 2000);
  t.is(meter.nearestPerSecond(1900, 100), 100);
  t.is(meter.nearestPerSecond(1900, 50), 80, 'no slower than that');
  t.is(meter.nearestPerSecond(1900, 200), 120, 'no faster than that');
  t.is(meter.nearestPerSecond(2100, 100), null, 'the window may not have been filled');
});
