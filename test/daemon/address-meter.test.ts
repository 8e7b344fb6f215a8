// What each inner address sent and received, second by second.
import test from 'ava';
import type { QueueCounters } from '../../src/core/framing/queues.ts';
import { AddressMeter } from '../../src/core/home/address-meter.ts';

function sent(bytesIn: number, more: Partial<QueueCounters> = {}): QueueCounters {
  return { bytesIn, droppedLate: 0, droppedFull: 0, ...more } as QueueCounters;
}

/** Every inner address is told by itself. */
const nobody = () => null;

test('rates are differences over time; bytes and drops are totals', (t) => {
  const meter = new AddressMeter();
  meter.push(new Map([['10.214.2.7', sent(1000)]]), new Map(), nobody, 0, 100);
  meter.push(
    new Map([['10.214.2.7', sent(4000, { droppedLate: 2, droppedFull: 1 })]]),
    new Map([['10.214.2.7', 500]]),
    nobody,
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
  meter.push(new Map(), new Map([['a', 10]]), nobody, 0, 0);
  t.false(meter.traffic(0)[0]?.recent);
  meter.push(new Map([['a', sent(1)]]), new Map([['a', 10]]), nobody, 1000, 1);
  t.true(meter.traffic(120_999)[0]?.recent);
  t.false(meter.traffic(121_000)[0]?.recent);
});

test('an address that is counted no more has no rate left, and a counter made anew begins at zero', (t) => {
  const meter = new AddressMeter();
  meter.push(new Map([['a', sent(0)]]), new Map(), nobody, 0, 0);
  meter.push(new Map([['a', sent(5000)]]), new Map(), nobody, 1000, 1);
  t.is(meter.traffic(1000)[0]?.txKBps, 5);
  meter.push(new Map(), new Map(), nobody, 2000, 2);
  t.like(meter.traffic(2000)[0], { txKBps: 0, txBytes: 5000 });
  meter.push(new Map([['a', sent(100)]]), new Map(), nobody, 3000, 3);
  t.like(meter.traffic(3000)[0], { txKBps: 0.1, txBytes: 5100 });
  meter.push(new Map([['a', sent(300)]]), new Map(), nobody, 4000, 4);
  t.is(meter.traffic(4000)[0]?.txKBps, 0.2);
});

test('a second without traffic is no sample, and old samples go', (t) => {
  const meter = new AddressMeter();
  for (let s = 1; s <= 25_000; s++)
    meter.push(new Map([['a', sent(s >> 1)]]), new Map(), nobody, s * 1000, s);
  t.true(meter.samples.length <= 20_000 && meter.samples.length >= 12_000);
  t.true(meter.samples.every(({ uploadBytes }) => uploadBytes === 1));
  for (let s = 25_001; s <= 40_000; s++)
    meter.push(new Map([['a', sent(s * 2)]]), new Map(), nobody, s * 1000, s);
  t.is(meter.samples.length, 20_000);
  t.is(meter.samples.at(-1)?.timeS, 40_000);
});

test('bytes are those of whoever has the inner address at the moment', (t) => {
  const meter = new AddressMeter();
  const first = (inner: string) => (inner === '10.214.2.12' ? '192.168.9.11' : null);
  meter.push(new Map([['10.214.2.12', sent(700)]]), new Map(), first, 0, 0);
  meter.push(
    new Map([
      ['10.214.2.12', sent(1000)],
      ['10.214.2.254', sent(50)],
    ]),
    new Map([['10.214.2.12', 40]]),
    () => '192.168.10.5',
    1000,
    1,
  );
  const seen = meter.traffic(1000).map(({ address, txBytes, rxBytes, txKBps }) => {
    return [address, txBytes, rxBytes, txKBps];
  });
  t.deepEqual(seen, [
    ['192.168.9.11', 700, 0, 0],
    ['192.168.10.5', 350, 40, 0.35],
  ]);
  t.deepEqual(
    meter.samples.map(({ device }) => device),
    ['192.168.9.11', '192.168.10.5', '192.168.10.5'],
  );
});
