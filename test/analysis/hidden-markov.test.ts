// Tests of the observer over time: a chain that is learnt, and windows that those around them decide.
import test from 'ava';
import {
  BURST_BIN_S,
  burstFeatureNames,
  describeBursts,
} from '../../src/research/analysis/identify/burst-features.ts';
import { RateSeries } from '../../src/research/analysis/identify/features.ts';
import {
  decodeSequence,
  learnChain,
} from '../../src/research/analysis/identify/over-time/hidden-markov.ts';

test('how labels follow each other is learnt, with one step more of each', (t) => {
  const chain = learnChain([
    ['a', 'a', 'a', 'b'],
    ['b', 'b'],
  ]);
  t.deepEqual(chain.labels, ['a', 'b']);
  t.deepEqual([...chain.prior], [0.5, 0.5]);
  t.deepEqual(
    [...chain.steps[0]!],
    [2.5 / 4, 1.5 / 4].map((share) => (share * 4) / 4),
  );
  t.deepEqual([...chain.steps[1]!], [0.25, 0.75]);
});

test('a doubtful window is what those around it are; a sure one stays', (t) => {
  const chain = learnChain([['a', 'a', 'a', 'a', 'a', 'b', 'b', 'b', 'b', 'b']]);
  const sure = { a: [0.95, 0.05], b: [0.05, 0.95] };
  const shares = [sure.a, [0.45, 0.55], sure.a, sure.b, [0.55, 0.45], sure.b];
  t.deepEqual(decodeSequence(chain, shares), ['a', 'a', 'a', 'b', 'b', 'b']);
  t.deepEqual(decodeSequence(chain, [sure.a, [0.001, 0.999], sure.a])[1], 'b');
  t.deepEqual(decodeSequence(chain, []), []);
});

test('bursts, turns and pauses of a window', (t) => {
  const series = new RateSeries(BURST_BIN_S);
  const at = (timeS: number, bytes: number, direction: 'up' | 'down') =>
    series.add({ timeS: 100 + timeS, bytes, direction });
  at(0.05, 300, 'up');
  at(0.15, 900, 'down');
  at(0.25, 100, 'up');
  at(4.05, 2000, 'down');
  at(20, 1, 'up');
  const described = describeBursts(series, 100, 10);
  t.is(described.length, burstFeatureNames.length);
  const of = (name: string) => described[burstFeatureNames.indexOf(name)]!;
  t.is(of('bytes up').toFixed(4), Math.log2(401).toFixed(4));
  t.is(of('share up').toFixed(4), (400 / 3300).toFixed(4));
  t.deepEqual([of('bins up'), of('bins down'), of('turns'), of('bursts')], [2, 2, 3, 2]);
  t.is(of('begun by the device'), 0.5);
  t.is(of('the longest').toFixed(3), '0.300');
  t.is(of('pause between').toFixed(3), '3.800');
  t.is(of('bytes of a bin down, 1').toFixed(3), Math.log2(2001).toFixed(3));
  t.deepEqual(describeBursts(series, 200, 10).slice(0, 8), new Array(8).fill(0));
});
