// What each inner address sent and received, second by second.
import test from 'ava';
import type { QueueCounters } from '../../src/core/framing/queues.ts';
import { AddressMeter } from '../../src/core/home/address-meter.ts';

function sent(bytesIn: number, more: Partial<QueueCounters> = {}): QueueCounters {
  return { bytesIn, droppedLate: 0, droppedFull: 0, ...more } as QueueCounters;
}

test('rates are differences over time; bytes and drops are totals', (t) => {
  const meter = new AddressMeter();
  meter.push(new Map([['10.214.2.7', sent(1000)]]), new Map(), 0, 100);
  meter.push(
    new Map([['10.214.2.7', sent(4000, { droppedLate: 2, droppedFull: 1 })]]),
    new Map([['10.214.2.7', 500]]),
    2000,
    102,
  );
  t.deepEqual(meter.traffic(2000), [
    {
      address: '10.214.2.7',
      txBytes: 4000,
      rxBytes: 500,
      txKBps: 1.5,
      rxKBps: 0.25,
      dropped: 3,
      recent: true,
    },
  ]);
  t.deepEqual(meter.samples, [
    { timeS: 100, device: '10.214.2.7', uploadBytes: 1000, downloadBytes: 0 },
    { timeS: 102, device: '10.214.2.7', uploadBytes: 3000, downloadBytes: 500 },
  ]);
});

test('only what a device sends makes it recent, for two minutes', (t) => {
  const meter = new AddressMeter();
  meter.push(new Map(), new Map([['a', 10]]), 0, 0);
  t.false(meter.traffic(0)[0]?.recent);
  meter.push(new Map([['a', sent(1)]]), new Map([['a', 10]]), 1000, 1);
  t.true(meter.traffic(120_999)[0]?.recent);
  t.false(meter.traffic(121_000)[0]?.recent);
});

test('an address that is counted no more has no rate left, a counter made anew none below zero', (t) => {
  const meter = new AddressMeter();
  meter.push(new Map([['a', sent(0)]]), new Map(), 0, 0);
  meter.push(new Map([['a', sent(5000)]]), new Map(), 1000, 1);
  t.is(meter.traffic(1000)[0]?.txKBps, 5);
  meter.push(new Map(), new Map(), 2000, 2);
  t.like(meter.traffic(2000)[0], { txKBps: 0, txBytes: 5000 });
  meter.push(new Map([['a', sent(100)]]), new Map(), 3000, 3);
  t.is(meter.traffic(3000)[0]?.txKBps, 0);
  meter.push(new Map([['a', sent(300)]]), new Map(), 4000, 4);
  t.is(meter.traffic(4000)[0]?.txKBps, 0.2);
});

test('a second without traffic is no sample, and old samples go', (t) => {
  const meter = new AddressMeter();
  for (let s = 1; s <= 25_000; s++)
    meter.push(new Map([['a', sent(s >> 1)]]), new Map(), s * 1000, s);
  t.true(meter.samples.length <= 20_000 && meter.samples.length >= 12_000);
  t.true(meter.samples.every(({ uploadBytes }) => uploadBytes === 1));
  for (let s = 25_001; s <= 40_000; s++)
    meter.push(new Map([['a', sent(s * 2)]]), new Map(), s * 1000, s);
  t.is(meter.samples.length, 20_000);
  t.is(meter.samples.at(-1)?.timeS, 40_000);
});
