// An audit without end: fair bets, leaks found, nulls left alone, and what it says.
import test from 'ava';
import { seededRandom } from '../../src/core/random/random.ts';
import { cutBatches } from '../../src/research/analysis/running/batches.ts';
import {
  Bettors,
  NO_SYMBOL,
  SYMBOLS,
  SymbolTable,
} from '../../src/research/analysis/running/e-process.ts';
import {
  RunningAudit,
  type RunningState,
} from '../../src/research/analysis/running/running-audit.ts';
import { renderRunning } from '../../src/research/analysis/running/running-text.ts';
import {
  featuresDown,
  featuresUp,
  SlotFinder,
  thin,
} from '../../src/research/analysis/running/slots.ts';
import { RunningWire, type RunningWireOptions } from './running-wires.ts';

/** What is said after each of so many batches. */
function watch(options: RunningWireOptions, batches: number): RunningState[] {
  const wire = new RunningWire({ meanMs: 50, everyS: 4, ...options });
  const audit = new RunningAudit({ random: seededRandom(options.seed, 71), moves: 99 });
  return Array.from({ length: batches }, () => {
    audit.add(wire.next(120));
    return audit.state();
  });
}

test('a slot in a hundred that leaves half a millisecond late is found, and says by what', (t) => {
  const planted = { share: 0.01, laterMs: 0.5 };
  const state = watch({ seed: 1, mode: 'constant', planted }, 6).at(-1)!;
  t.true(state.foundAtHours !== null && state.foundAtHours <= 0.2, `${state.foundAtHours}`);
  t.regex(state.foundBy, /up$/);
  t.regex(renderRunning(state, { error: 0.01, cpuS: 1 }), /^LEAK: found after \d+ min, by the /);
});

test('wires that depend on nothing are none, and the bound shrinks', (t) => {
  for (const mode of ['constant', 'vit'] as const) {
    const states = watch({ seed: 1, mode }, 8);
    const [early, late] = [states[2]!, states[7]!];
    t.is(late.foundAtHours, null);
    t.true(late.shift!.withinMs < early.shift!.withinMs);
    t.true(Math.abs(late.shift!.estimateMs) < late.shift!.withinMs);
    t.regex(
      renderRunning(late, { error: 0.01, cpuS: 1 }),
      /^no leak found so far, after 16 min; slots that leave [\d.]+ [µm]s sooner or later/,
    );
  }
});

test('bets are fair: over all moves in the place of what was seen, wealth is 1 in the mean', (t) => {
  const random = seededRandom(5);
  const symbols = Uint8Array.from({ length: 500 }, () => Math.floor(random() * SYMBOLS));
  const values = Float64Array.from({ length: SYMBOLS + 1 }, (_, i) => i - 4);
  const places = Array.from({ length: 20 }, () =>
    Int32Array.from({ length: 30 }, () => Math.floor(random() * 500)),
  );
  const sum = places.reduce((all, observed) => {
    const bettors = new Bettors();
    bettors.bet({ symbols, observed, moved: places.filter((one) => one !== observed) }, values);
    return all + bettors.wealths.reduce((a, b) => a + b, 0) / bettors.wealths.length;
  }, 0);
  t.true(Math.abs(sum / places.length - 1) < 1e-9, `${sum}`);
});

test('what is remarkable of a slot, and where activity falls', (t) => {
  const slotS = Float64Array.from({ length: 40 }, (_, k) => k / 100 + (k === 20 ? 0.001 : 0));
  const [before, after, sixteen] = featuresUp(slotS).map(({ values }) => values);
  t.true(Number.isNaN(before![0]!) && Number.isNaN(sixteen![24]!));
  t.deepEqual(
    [before![20], after![20], sixteen![20]].map((ms) => Math.round(10 * ms!)),
    [110, 90, 1590],
  );
  const [second] = featuresDown(slotS).map(({ values }) => values);
  t.is(Math.round(10 * second![18]!), 110);
  const finder = new SlotFinder(slotS);
  t.is(finder.at(0.2005), 20);
  t.is(finder.at(0.2015), 21);
  t.deepEqual([...finder.carryingMoved(Float64Array.of(0.05, 0.385), 2)], [7, 1]);
  t.deepEqual([...finder.broughtMoved(finder.brought(Float64Array.of(0.0505)), 38)], [3]);
  t.deepEqual([...thin(Float64Array.of(0, 0.4, 1.1), 1)], [0, 1.1]);
});

test('symbols are cut by what came before, and what is missing has none', (t) => {
  const table = new SymbolTable();
  t.is(table.encode(Float64Array.of(1)), null);
  table.learn(Float64Array.from({ length: 1000 }, (_, i) => i));
  t.deepEqual([...table.encode(Float64Array.of(-5, 500, 2000, Number.NaN))!], [0, 5, 9, NO_SYMBOL]);
});

test('a recording is cut into batches; its rest counts where it is half of one', (t) => {
  const wire = Array.from({ length: 160 }, (_, i) => ({
    timeS: i,
    bytes: 564,
    direction: i % 2 ? ('down' as const) : ('up' as const),
  }));
  const batches = cutBatches(wire, [{ timeS: 5 }, { timeS: 70, direction: 'down' }], 60);
  t.deepEqual(
    batches.map(({ upSlotS, sentS, receivedS }) => [
      upSlotS.length,
      sentS.length,
      receivedS.length,
    ]),
    [
      [30, 1, 0],
      [30, 0, 1],
      [20, 0, 0],
    ],
  );
});
