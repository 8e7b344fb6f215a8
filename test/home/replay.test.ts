// The home's machine in random lives: no device may send unless all was judged good, whatever fails; and every condition counts.
import test from 'ava';
import type { HomeEvidence } from '../../src/core/home/judgement.ts';
import { judgeHome } from '../../src/core/home/judgement.ts';
import { LEAF_KIND } from '../../src/core/plan/tc.ts';
import { slotsPerSecond } from '../../src/core/stream/stream.ts';
import { replay } from './replay.ts';

const STEPS = 150;

test('in random lives devices send only while all was seen to hold, and it recovers from everything', (t) => {
  const states = new Set<string>();
  for (let seed = 1; seed <= 150; seed++) {
    const life = replay({ seed, steps: STEPS });
    t.deepEqual(life.violations, []);
    for (const state of life.states) states.add(state);
  }
  t.deepEqual([...states].sort(), ['blocked', 'off', 'shaping', 'starting']);
});

test('whichever work fails, once, nothing gets out and it recovers', (t) => {
  const { works } = replay({ seed: 7, steps: STEPS });
  t.true(works > 300, `${works} works`);
  for (let failing = 0; failing < works; failing++) {
    t.deepEqual(replay({ seed: 7, steps: STEPS, failing }).violations, []);
  }
});

/** The evidence with one condition taken out of the judge's sight. */
const blind: Record<string, (evidence: HomeEvidence) => Partial<HomeEvidence>> = {
  'the tunnel': () => ({ tunnelState: 'up' }),
  'what keeps it from being known who is a device': () => ({ blocking: [] }),
  'that the queue can be read': ({ listing }) =>
    listing?.qdiscs.length === 0 ? { listing: null, alive: true } : {},
  'which queue it is': ({ listing }) =>
    listing?.qdiscs[0]?.kind === 'fq_codel' ? { listing: null, alive: true } : {},
  'classes that are not ours': ({ listing }) =>
    listing ? { listing: { ...listing, classes: listing.classes.slice(0, 1) } } : {},
  'the class': ({ listing }) =>
    listing?.qdiscs[0]?.kind === 'htb' && listing.classes.length === 0
      ? { listing: null, alive: true }
      : {},
  'its leaf': ({ listing }) =>
    listing
      ? {
          listing: {
            ...listing,
            qdiscs: listing.qdiscs.map((qdisc) =>
              qdisc.kind === 'sfq' ? { ...qdisc, kind: LEAF_KIND } : qdisc,
            ),
          },
        }
      : {},
  'the rules': () => ({ rulesIntact: true }),
  'packets that are sent elsewhere': () => ({ astray: false }),
  'a stream that stalls': ({ sentPerSecond, upload }) => ({
    sentPerSecond: sentPerSecond && Math.max(sentPerSecond, slotsPerSecond(upload)),
  }),
  'a stream that runs': ({ sentPerSecond, upload }) => ({
    sentPerSecond: sentPerSecond && Math.min(sentPerSecond, slotsPerSecond(upload)),
  }),
  'the stream that comes': ({ download }) => ({ receivedPerSecond: slotsPerSecond(download) }),
  'an endpoint that no longer answers': ({ answerSilentMs }) => ({
    answerSilentMs: Math.min(answerSilentMs, 1000),
  }),
  'what shapes being alive': () => ({ isReported: true }),
};

for (const [what, hide] of Object.entries(blind)) {
  test(`a judge that does not look at ${what} is found out`, (t) => {
    const judge = (evidence: HomeEvidence) => judgeHome({ ...evidence, ...hide(evidence) });
    let found = false;
    for (let seed = 1; seed <= 400 && !found; seed++) {
      found = replay({ seed, steps: STEPS, judge }).violations.length > 0;
    }
    t.true(found);
  });
}
