// Slots a second from a counter that is read now and then.
import test from 'ava';
import fc from 'fast-check';
import { SlotMeter } from '../../src/core/home/slot-meter.ts';

test('nothing is said before the window is filled', (t) => {
  let meter = SlotMeter.EMPTY;
  t.is(meter.perSecond(1), null);
  meter = meter.with(100, 0);
  t.is(meter.perSecond(1), null);
  t.is(meter.latestPerSecond, 0);
  meter = meter.with(180, 1000);
  t.is(meter.perSecond(1900), null);
  t.is(meter.latestPerSecond, 80);
  meter = meter.with(250, 2000);
  t.is(meter.perSecond(1900), 75);
  t.is(meter.latestPerSecond, 70);
});

test('what was counted last is of a second, however close readings are', (t) => {
  let meter = SlotMeter.EMPTY;
  for (let at = 0; at <= 4; at++) meter = meter.with(20 * at, 330 * at);
  // The last fell into the last of them.
  meter = meter.with(80, 5 * 330);
  t.is(Math.round(meter.latestPerSecond), 40);
});

test('a counter that is away or smaller than before starts over', (t) => {
  let meter = SlotMeter.EMPTY;
  meter = meter.with(100, 0);
  meter = meter.with(200, 1000);
  meter = meter.with(null, 2000);
  t.is(meter.perSecond(1), null);
  meter = meter.with(300, 3000);
  t.is(meter.perSecond(1), null);
  meter = meter.with(5, 4000);
  t.is(meter.perSecond(1), null);
  meter = meter.with(15, 5000);
  t.is(meter.perSecond(1000), 10);
  meter = SlotMeter.EMPTY;
  t.is(meter.perSecond(1), null);
});

test('the slowest stream’s window fits what is kept', (t) => {
  let meter = SlotMeter.EMPTY;
  for (let s = 0; s <= 100; s++) meter = meter.with(Math.floor(s / 5.6), 1000 * s);
  t.true(Math.abs(meter.perSecond(33_600)! - 1 / 5.6) < 0.03);
  t.is(meter.perSecond(200_000), null);
});

test('a steady counter is measured exactly, whenever it is read', (t) => {
  const pauses = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 3, maxLength: 60 });
  t.notThrows(() =>
    fc.assert(
      fc.property(pauses, fc.integer({ min: 1, max: 5000 }), (steps, windowMs) => {
        let meter = SlotMeter.EMPTY;
        let atMs = 0;
        for (const step of steps) {
          atMs += step;
          meter = meter.with(3 * atMs, atMs);
        }
        const found = meter.perSecond(windowMs);
        const spanMs = atMs - steps[0]!;
        return spanMs >= windowMs ? Math.abs(found! - 3000) < 1e-9 : found === null;
      }),
    ),
  );
});
