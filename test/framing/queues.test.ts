// Fairness, bounds and counters of the device queues.

import test from 'ava';
import fc from 'fast-check';
import { DeviceQueues, type QueueCounters } from '../../src/core/framing/queues.ts';

/** A new array each time, so that packets can be told apart. */
function packet(bytes: number): Uint8Array {
  return new Uint8Array(bytes);
}

function assertBalanced(
  t: { is(a: number, b: number): void },
  counters: Readonly<QueueCounters>,
): void {
  const { packetsIn, packetsOut, droppedLate, droppedFull, depthPackets } = counters;
  t.is(packetsIn, packetsOut + droppedLate + droppedFull + depthPackets);
}

test('one key: first in, first out, with its wait', (t) => {
  const queues = new DeviceQueues();
  const [a, b] = [packet(100), packet(1500)];
  t.true(queues.enqueue('plug', a, 10));
  t.true(queues.enqueue('plug', b, 20));
  t.is(queues.oldestWaitMs(25), 15);
  t.deepEqual(queues.dequeue(30), { key: 'plug', packet: a, waitedMs: 20 });
  t.deepEqual(queues.dequeue(60), { key: 'plug', packet: b, waitedMs: 40 });
  t.is(queues.dequeue(60), null);
  t.deepEqual(queues.countersByKey().get('plug'), {
    packetsIn: 2,
    bytesIn: 1600,
    packetsOut: 2,
    bytesOut: 1600,
    droppedLate: 0,
    droppedFull: 0,
    delaySumMs: 60,
    delayMaxMs: 40,
    depthPackets: 0,
    depthBytes: 0,
  });
});

test('a plug beside a flooding camera waits for little more than the packet in turn', (t) => {
  const queues = new DeviceQueues({ keyCapBytes: 200_000 });
  const bytesPerMs = 40;
  let waitMaxMs = 0;
  let plugOut = 0;
  let freeAtMs = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs++) {
    for (let i = 0; i < 2; i++) queues.enqueue('camera', packet(1400), nowMs);
    if (nowMs % 700 === 350) queues.enqueue('plug', packet(120), nowMs);
    while (freeAtMs <= nowMs) {
      const taken = queues.dequeue(nowMs)!;
      freeAtMs = Math.max(freeAtMs, nowMs) + taken.packet.length / bytesPerMs;
      if (taken.key !== 'plug') continue;
      plugOut += 1;
      waitMaxMs = Math.max(waitMaxMs, taken.waitedMs);
    }
  }
  t.is(plugOut, 86);
  t.true(waitMaxMs <= 1400 / bytesPerMs + 1, `waited ${waitMaxMs} ms`);
  const { camera } = Object.fromEntries(queues.countersByKey());
  t.true(camera!.droppedFull > 0 && camera!.delayMaxMs > 1000, 'the camera did flood');
});

test('a key that sends more than its share waits at most a turn of each other key', (t) => {
  const queues = new DeviceQueues();
  const cameras = Array.from({ length: 10 }, (_, i) => `camera ${i}`);
  for (const key of cameras) for (let i = 0; i < 100; i++) queues.enqueue(key, packet(1400), 0);
  queues.enqueue('plug', packet(200), 0);
  let otherBytes = 0;
  let worstBytes = 0;
  for (let i = 0; i < 500; i++) {
    const taken = queues.dequeue(0)!;
    if (taken.key === 'plug') {
      worstBytes = Math.max(worstBytes, otherBytes);
      otherBytes = 0;
      // The next one comes while it still stands in line: no second turn ahead of the cameras.
      queues.enqueue('plug', packet(200), 0);
    } else {
      otherBytes += taken.packet.length;
    }
  }
  t.true(
    worstBytes <= 10 * (1500 + 1400),
    `${worstBytes} bytes of others between two of the plug's`,
  );
  t.true(worstBytes > 0);
});

test('a key gains nothing by pausing whenever its queue is empty', (t) => {
  const queues = new DeviceQueues();
  for (let camera = 0; camera < 10; camera++) {
    for (let i = 0; i < 100; i++) queues.enqueue(`camera ${camera}`, packet(1400), 0);
  }
  queues.enqueue('plug', packet(1400), 0);
  let plugOut = 0;
  let waiting = true;
  for (let i = 0; i < 550; i++) {
    const { key } = queues.dequeue(0)!;
    if (key === 'plug') {
      plugOut += 1;
      waiting = false;
    } else if (!waiting) {
      queues.enqueue('plug', packet(1400), 0);
      waiting = true;
    }
  }
  t.true(plugOut <= 55, `${plugOut} of 550 packets, where a fair share is 50`);
  t.true(plugOut >= 20);
});

test('bytes, not packets, are shared equally', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 20, max: 1500 }), { minLength: 2, maxLength: 6 }),
      (sizes) => {
        const queues = new DeviceQueues();
        sizes.forEach((size, i) => {
          for (let sent = 0; sent < 60_000; sent += size) queues.enqueue(`${i}`, packet(size), 0);
        });
        const sent = sizes.map(() => 0);
        const total = 20_000 * sizes.length;
        for (let bytes = 0; bytes < total; ) {
          const taken = queues.dequeue(0)!;
          sent[Number(taken.key)]! += taken.packet.length;
          bytes += taken.packet.length;
        }
        t.true(Math.max(...sent) - Math.min(...sent) <= 1500 + 2 * 1500);
      },
    ),
    { numRuns: 50 },
  );
});

test('packets older than max_delay are dropped from the front', (t) => {
  const queues = new DeviceQueues({ maxDelayMs: 100 });
  for (const atMs of [0, 50, 90, 150]) queues.enqueue('echo', packet(60), atMs);
  t.is(queues.dequeue(151)?.waitedMs, 61);
  t.is(queues.totals.droppedLate, 2);
  t.is(queues.expire(250), 0);
  t.is(queues.expire(251), 1);
  t.false(queues.hasPackets(251));
  t.is(queues.dequeue(251), null);
  assertBalanced(t, queues.totals);
});

test('hasPackets is true exactly when dequeue gives a packet', (t) => {
  const queues = new DeviceQueues({ maxDelayMs: 100 });
  t.false(queues.hasPackets(0));
  queues.enqueue('echo', packet(60), 0);
  queues.enqueue('plug', packet(60), 30);
  t.true(queues.hasPackets(100));
  t.true(queues.hasPackets(130));
  t.is(queues.totals.droppedLate, 1);
  t.false(queues.hasPackets(131));
  t.is(queues.dequeue(131), null);
});

test('a key at its cap is refused, others are not', (t) => {
  const queues = new DeviceQueues({ keyCapBytes: 3000 });
  t.true(queues.enqueue('camera', packet(1500), 0));
  t.true(queues.enqueue('camera', packet(1500), 0));
  t.false(queues.enqueue('camera', packet(1), 0));
  t.true(queues.enqueue('plug', packet(1500), 0));
  t.is(queues.countersByKey().get('camera')?.droppedFull, 1);
  assertBalanced(t, queues.totals);
});

test('at the total cap the fattest queue gives way to the others, and to nobody when it grows', (t) => {
  const queues = new DeviceQueues({ totalCapBytes: 10_000 });
  for (let i = 0; i < 7; i++) t.true(queues.enqueue('camera', packet(1400), i));
  t.false(queues.enqueue('camera', packet(1400), 8));
  t.true(queues.enqueue('plug', packet(300), 9));
  t.is(queues.countersByKey().get('camera')?.depthPackets, 6);
  t.is(queues.countersByKey().get('camera')?.droppedFull, 2);
  t.is(queues.dequeue(9)?.waitedMs, 8, 'the oldest was pushed out');
  t.false(queues.enqueue('plug', packet(10_001), 9));
  t.is(queues.totals.depthPackets, 6, 'nothing made room in vain');
  assertBalanced(t, queues.totals);
});

test('new limits apply to what waits already', (t) => {
  const queues = new DeviceQueues();
  queues.enqueue('echo', packet(600), 0);
  queues.setLimits({ maxDelayMs: 20 });
  t.false(queues.hasPackets(21));
  queues.setLimits({ keyCapBytes: 500 });
  t.false(queues.enqueue('echo', packet(600), 21));
  queues.setLimits({ keyCapBytes: 600, totalCapBytes: 500 });
  t.false(queues.enqueue('echo', packet(600), 21));
  queues.setLimits({ totalCapBytes: 600 });
  t.true(queues.enqueue('echo', packet(600), 21));
});

test('idle keys hold no queue; the longest idle is forgotten first; busy ones never', (t) => {
  const queues = new DeviceQueues({ maxKeys: 3 });
  for (const key of ['a', 'b', 'c']) queues.enqueue(key, packet(60), 0);
  t.false(queues.enqueue('d', packet(60), 0));
  t.is(queues.totals.droppedFull, 1);
  while (queues.dequeue(0));
  t.is(queues.activeKeys, 0);
  queues.enqueue('a', packet(60), 1);
  t.true(queues.enqueue('d', packet(60), 1));
  t.deepEqual([...queues.countersByKey().keys()], ['c', 'a', 'd']);
  t.is(queues.expire(1e9), 2);
  t.is(queues.activeKeys, 0);
  t.is(queues.totals.packetsIn, 6);
});

type Step =
  | { do: 'enqueue'; key: string; bytes: number }
  | { do: 'dequeue' | 'expire' }
  | { do: 'limits'; maxDelayMs: number; keyCapBytes: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('enqueue' as const),
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      bytes: fc.integer({ min: 1, max: 4000 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('dequeue' as const, 'expire' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('limits' as const),
      maxDelayMs: fc.integer({ min: 0, max: 60 }),
      keyCapBytes: fc.integer({ min: 0, max: 9000 }),
    }),
  },
);

test('any sequence of steps keeps order, bounds and sums', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(20)), { maxLength: 120 }), (steps) => {
      const totalCapBytes = 20_000;
      const queues = new DeviceQueues({ maxKeys: 4, totalCapBytes, maxDelayMs: 40 });
      const waiting = new Map<string, Uint8Array[]>();
      let maxDelayMs = 40;
      let nowMs = 0;
      for (const [current, passedMs] of steps) {
        nowMs += passedMs;
        if (current.do === 'enqueue') {
          const added = packet(current.bytes);
          if (queues.enqueue(current.key, added, nowMs)) {
            waiting.set(current.key, [...(waiting.get(current.key) ?? []), added]);
          }
        } else if (current.do === 'limits') {
          ({ maxDelayMs } = current);
          queues.setLimits(current);
        } else if (current.do === 'dequeue') {
          const had = queues.hasPackets(nowMs);
          const taken = queues.dequeue(nowMs);
          t.is(taken !== null, had);
          if (taken) {
            t.true(taken.waitedMs <= maxDelayMs);
            const line = waiting.get(taken.key)!;
            const at = line.indexOf(taken.packet);
            t.true(at >= 0, 'came once, and after no later one of its key');
            waiting.set(taken.key, line.slice(at + 1));
          }
        } else {
          queues.expire(nowMs);
          t.true(queues.oldestWaitMs(nowMs) <= maxDelayMs);
        }
        assertBalanced(t, queues.totals);
        t.true(queues.totals.depthBytes <= totalCapBytes && queues.totals.depthBytes >= 0);
        t.true(queues.activeKeys <= 4 && queues.countersByKey().size <= 4);
        for (const counters of queues.countersByKey().values()) assertBalanced(t, counters);
      }
      while (queues.dequeue(nowMs));
      t.is(queues.totals.depthPackets, 0);
      t.is(queues.totals.depthBytes, 0);
      t.is(queues.activeKeys, 0);
    }),
    { numRuns: 200 },
  );
});
