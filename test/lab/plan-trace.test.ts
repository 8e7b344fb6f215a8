// Plans as traces: every byte is there once, with its headers, in the order of time.
import test from 'ava';
import fc from 'fast-check';
import { planHousehold } from '../../src/research/lab/emulators/household.ts';
import type { Exchange } from '../../src/research/lab/emulators/plan.ts';
import { renderTraceCsv, traceOfPlan } from '../../src/research/lab/traffic/plan-trace.ts';
import { readSamples } from '../../src/shell/capture/csv.ts';

const exchange = (over: Partial<Exchange>): Exchange => ({
  atS: 1,
  device: 'echo',
  protocol: 'tcp',
  name: 'pindorama.amazon.com',
  port: 443,
  upBytes: 100,
  downBytes: 0,
  ...over,
});

test('a message over TCP is cut into segments, each second one acknowledged', (t) => {
  t.deepEqual(traceOfPlan([exchange({ upBytes: 3000 })]), [
    { timeS: 1, bytes: 1500, direction: 'up' },
    { timeS: 1, bytes: 1500, direction: 'up' },
    { timeS: 1, bytes: 156, direction: 'up' },
    { timeS: 1.03, bytes: 52, direction: 'down' },
    { timeS: 1.03, bytes: 52, direction: 'down' },
  ]);
});

test('an answer comes a round trip later', (t) => {
  t.deepEqual(traceOfPlan([exchange({ protocol: 'udp', upBytes: 48, downBytes: 1500 })]), [
    { timeS: 1, bytes: 76, direction: 'up' },
    { timeS: 1.03, bytes: 1428, direction: 'down' },
    { timeS: 1.03, bytes: 128, direction: 'down' },
  ]);
});

test('all bytes are there, in order, and no packet is longer than a link carries', (t) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          atS: fc.double({ min: 0, max: 100, noNaN: true }),
          upBytes: fc.integer({ min: 16, max: 10_000 }),
          downBytes: fc.oneof(fc.constant(0), fc.integer({ min: 16, max: 10_000 })),
        }),
      ),
      (given) => {
        const trace = traceOfPlan(given.map((one) => exchange(one)));
        t.true(trace.every(({ bytes }) => bytes <= 1500 && bytes >= 52));
        t.true(trace.every(({ timeS }, i) => i === 0 || trace[i - 1]!.timeS <= timeS));
        const payload = trace.reduce((sum, { bytes }) => sum + bytes - 52, 0);
        t.is(
          payload,
          given.reduce((sum, { upBytes, downBytes }) => sum + upBytes + downBytes, 0),
        );
      },
    ),
  );
});

test('the CSV is read back as it was', async (t) => {
  const trace = traceOfPlan(planHousehold({ seed: 2, durationS: 60 }).exchanges);
  const read = [];
  for await (const sample of readSamples(renderTraceCsv(trace).split('\n'), 'plan'))
    read.push(sample);
  t.is(read.length, trace.length);
  t.true(
    read.every(
      ({ bytes, direction }, i) => bytes === trace[i]!.bytes && direction === trace[i]!.direction,
    ),
  );
  t.true(read.every(({ timeS }, i) => Math.abs(timeS - trace[i]!.timeS) < 1e-6));
});

test('a device does the same alone as in its household', (t) => {
  const all = planHousehold({ seed: 4, durationS: 60 });
  const alone = planHousehold({ seed: 4, durationS: 60, devices: ['echo'] });
  t.deepEqual(
    alone.exchanges,
    all.exchanges.filter(({ device }) => device === 'echo'),
  );
  t.deepEqual(
    alone.events,
    all.events.filter(({ device }) => device === 'echo'),
  );
  t.true(alone.events.length > 0);
});
