// What comes in and never leaves is found from two counters, and nothing else is.
import test from 'ava';
import fc from 'fast-check';
import { parseForeignChains, suspectOf } from '../../src/core/delivery/foreign-chains.ts';
import { Passage, type PassageCount } from '../../src/core/delivery/passage.ts';
import { runs } from '../property-runs.ts';

/** A reading a second. */
function read(readings: readonly [entered: number, left: number][]): Passage {
  return readings.reduce(
    (passage, [entered, left], second) => passage.with({ entered, left }, second * 1000),
    Passage.UNKNOWN,
  );
}

const cases: [what: string, readings: [number, number][], isShut: boolean][] = [
  [
    'nothing comes in',
    [
      [5, 5],
      [5, 5],
      [5, 5],
      [5, 5],
      [5, 5],
      [5, 5],
    ],
    false,
  ],
  [
    'all of it leaves',
    [
      [0, 0],
      [5, 5],
      [9, 9],
      [12, 12],
      [20, 20],
    ],
    false,
  ],
  [
    'none leaves for seconds',
    [
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 0],
    ],
    true,
  ],
  [
    'none leaves, but they came in one burst',
    [
      [0, 0],
      [9, 0],
      [9, 0],
      [9, 0],
      [9, 0],
    ],
    false,
  ],
  [
    'two came in',
    [
      [0, 0],
      [1, 0],
      [1, 0],
      [1, 0],
      [2, 0],
    ],
    false,
  ],
  [
    'one leaves in the end',
    [
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 1],
    ],
    false,
  ],
  [
    'the counters are made anew',
    [
      [0, 0],
      [5, 0],
      [9, 0],
      [1, 0],
      [1, 0],
    ],
    false,
  ],
  [
    'what was there before has left',
    [
      [70, 60],
      [70, 60],
      [70, 60],
      [70, 60],
    ],
    false,
  ],
];

for (const [what, readings, isShut] of cases) {
  test(`a passage where ${what} is ${isShut ? 'shut' : 'not shut'}`, (t) => {
    t.is(read(readings).isShut((readings.length - 1) * 1000), isShut);
  });
}

test('what was found is not believed for ever', (t) => {
  const shut = read([
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 0],
  ]);
  t.true(shut.isShut(60_000));
  t.false(shut.isShut(600_000));
  t.is(Passage.UNKNOWN.quietMs(0), Number.POSITIVE_INFINITY);
  t.is(
    read([
      [0, 0],
      [1, 1],
    ]).quietMs(4000),
    3000,
  );
});

test('a passage by which something left since the last reading is never shut', (t) => {
  const step = fc.record({ entered: fc.nat(5), left: fc.nat(2), ms: fc.nat(5000) });
  fc.assert(
    fc.property(fc.array(step), step, (steps, last) => {
      let passage = Passage.UNKNOWN.with({ entered: 0, left: 0 }, 0);
      let [count, nowMs]: [PassageCount, number] = [{ entered: 0, left: 0 }, 0];
      for (const { entered, left, ms } of [...steps, { ...last, left: last.left + 1 }]) {
        count = { entered: count.entered + entered, left: count.left + left };
        nowMs += ms;
        passage = passage.with(count, nowMs);
      }
      t.false(passage.isShut(nowMs));
      t.is(passage.quietMs(nowMs), 0);
    }),
    { numRuns: runs(500) },
  );
});

const listing = `table inet fw4 {
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
}
table inet iotshaper {
	chain forward {
		type filter hook forward priority filter - 5; policy drop;
	}
}
table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
	chain INPUT {
		type filter hook input priority filter; policy accept;
	}
}
`;

test('the chain of another program that drops by default is named, OpenWrt’s own last', (t) => {
  const chains = parseForeignChains(listing);
  t.deepEqual(chains, [
    { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', byDefault: true },
    { family: 'inet', table: 'fw4', name: 'forward', hook: 'forward', byDefault: true },
  ]);
  t.is(suspectOf(chains, 'forward')?.table, 'filter');
  t.is(suspectOf(chains, 'forward', 6)?.table, 'fw4');
  t.is(suspectOf(chains, 'input'), null);
  t.deepEqual(parseForeignChains('no such thing'), []);
});
