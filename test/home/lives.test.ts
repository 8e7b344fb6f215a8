// The whole home service in random lives on a machine of models, in a time of its own: what must hold at every instant.
import test from 'ava';
import type { HomeEvidence } from '../../src/core/home/judgement.ts';
import { judgeHome } from '../../src/core/home/judgement.ts';
import { some } from '../property-runs.ts';
import type { Failing } from '../stand-ins/fake-system/door.ts';
import { effectsOfLife, liveHome } from '../stand-ins/fake-system/home-life.ts';

const LIVES = 2;
const STEPS = 30;

test('in random lives no device sends past the tunnel, and it recovers from everything within seconds', async (t) => {
  const states = new Set<string>();
  for (let seed = 1; seed <= LIVES; seed++) {
    const failingShare = seed % 2 === 0 ? 0.3 : 0;
    const life = await liveHome({ seed, steps: STEPS, failingShare });
    t.deepEqual(life.violations, []);
    for (const state of life.states) states.add(state);
  }
  t.true(states.has('shaping') && states.has('blocked'), [...states].join(' '));
});

test('whatever it asks of the machine fails once, nothing gets out, and it recovers', async (t) => {
  // One that hangs takes its time to live: `make soak` has them, and every effect in every way.
  const ways: readonly Failing[] = ['before', 'after'];
  const byKind = await effectsOfLife(1);
  t.true(byKind.size > 25, [...byKind.keys()].join('\n'));
  let at = 0;
  for (const [kind, numbers] of some([...byKind])) {
    const failing = { number: numbers[at % numbers.length]!, how: ways[at % ways.length]! };
    at++;
    const { violations } = await liveHome({ seed: 1, steps: 0, failing });
    t.deepEqual(violations, [], `${kind}, number ${failing.number}, fails ${failing.how}`);
  }
});

/** A judge that has lost sight of one condition, and what only that one tells of. */
const blindnesses: Record<
  string,
  [hide: (seen: HomeEvidence) => Partial<HomeEvidence>, trouble: string]
> = {
  'who is a device': [() => ({ blocking: [] }), 'networkGone'],
  'classes that are not ours': [
    ({ listing }) =>
      listing ? { listing: { ...listing, classes: listing.classes.slice(0, 1) } } : {},
    'addClass',
  ],
  'the leaf of its class': [
    ({ listing }) => (listing?.qdiscs.length === 1 ? { listing: null, alive: true } : {}),
    'dropLeaves',
  ],
  'the clock behind OpenVPN': [() => ({ clock: null, clockedPerSecond: null }), 'changeClock'],
  'the rules': [() => ({ rulesIntact: true }), 'editChain'],
  'a stream that stalls': [
    ({ sentPerSecond, clockedPerSecond }) => ({
      ...(sentPerSecond === null ? {} : { sentPerSecond: 15.6 }),
      ...(clockedPerSecond === null ? {} : { clockedPerSecond: 15.6 }),
    }),
    'coverStops',
  ],
  'the stream that comes': [() => ({ receivedPerSecond: 15.6 }), 'downloadStops'],
};

for (const [what, [hide, trouble]] of Object.entries(blindnesses)) {
  test(`the service is found out where it does not look at ${what}`, async (t) => {
    const judge = (seen: HomeEvidence) => judgeHome({ ...seen, ...hide(seen) });
    const only = [trouble];
    const found = async (seed: number): Promise<boolean> =>
      (await liveHome({ seed, steps: 12, only, judge })).violations.length > 0;
    t.true((await found(1)) || (await found(2)) || (await found(3)));
  });
}
