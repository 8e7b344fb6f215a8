// What may be handed to a queue, and when more leaves than may.
import test from 'ava';
import { DepartureMeter } from '../../src/core/pacing/departure-meter.ts';
import { SendBudget } from '../../src/core/pacing/send-budget.ts';

/** Packets handed over within so long by somebody who always has more. */
function handOver(budget: SendBudget, fromMs: number, toMs: number): number {
  let count = 0;
  for (let nowMs = fromMs; nowMs < toMs; nowMs++) {
    while (budget.waitMs(nowMs) === 0) {
      budget.take(nowMs);
      count++;
    }
  }
  return count;
}

test('what stands ready goes at once, and then no burst', (t) => {
  const budget = new SendBudget({ packetsPerS: 78.125, first: 160, atOnceMs: 50, least: 1 }, 0);
  t.is(handOver(budget, 0, 1), 160);
  for (const fromMs of [1, 101, 5001]) {
    t.true(handOver(budget, fromMs, fromMs + 100) <= 15, `at ${fromMs} ms`);
  }
});

test('a second makes up for more than a second of the stream', (t) => {
  for (const packetsPerS of [0.5, 78.125, 9766]) {
    const budget = new SendBudget({ packetsPerS, atOnceMs: 50, least: 1 }, 0);
    const count = handOver(budget, 0, 60_000);
    t.true(count > 60 * packetsPerS * 1.15, `${count} at ${packetsPerS}`);
    t.true(count < 60 * packetsPerS * 1.25 + 2, `${count} at ${packetsPerS}`);
  }
});

test('after a pause no more is handed over at once than before', (t) => {
  const budget = new SendBudget({ packetsPerS: 78.125, atOnceMs: 50, least: 2 }, 0);
  handOver(budget, 0, 1000);
  t.true(handOver(budget, 61_000, 61_100) <= 15);
});

test('a stream at its rate is not crowded, whatever its intervals; twice as much soon is', (t) => {
  const meter = new DepartureMeter();
  t.false(meter.isCrowded(0, 78.125, 0));
  for (let count = 1; count <= 1000; count++) {
    const jitterMs = count % 2 === 0 ? 5 : -5;
    t.false(meter.isCrowded(count, 78.125, count * 12.8 + jitterMs), `${count}`);
  }
  let extra = 0;
  while (!meter.isCrowded(1000 + 2 * extra, 78.125, 12_800 + extra * 12.8)) extra++;
  t.true(extra < 8, `${extra} slots`);
  t.false(meter.isCrowded(null, 78.125, 20_000), 'nothing can be counted');
  t.false(meter.isCrowded(5000, 78.125, 20_001), 'counted anew');
});
