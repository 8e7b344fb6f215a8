// The home's machine in random lives: no device may send unless all was judged good, whatever fails; and every condition counts.
import test from 'ava';
import type { HomeEvidence } from '../../src/core/home/judgement.ts';
import { judgeHome } from '../../src/core/home/judgement.ts';
import { type Shape, slotsPerSecond } from '../../src/core/stream/stream.ts';
import { runs, some } from '../property-runs.ts';
import { type Judge, replay } from './replay.ts';
import type { Faults } from './world.ts';

const STEPS = 120;
const LIVES = 60;

test('in random lives devices send only while all was seen to hold, and it recovers from everything', (t) => {
  const states = new Set<string>();
  for (let seed = 1; seed <= runs(LIVES); seed++) {
    const life = replay({ seed, steps: STEPS });
    t.deepEqual(life.violations, []);
    for (const state of life.states) states.add(state);
  }
  t.deepEqual([...states].sort(), ['blocked', 'error', 'off', 'shaping', 'starting']);
});

test('whichever work fails, once, nothing gets out and it recovers', (t) => {
  const { works } = replay({ seed: 7, steps: 30 });
  t.true(works > 80, `${works} works`);
  for (const failing of some([...Array(works).keys()])) {
    t.deepEqual(replay({ seed: 7, steps: 30, failing }).violations, []);
  }
});

interface Blindness {
  /** The evidence with one condition taken out of the judge's sight. */
  hide: (evidence: HomeEvidence) => Partial<HomeEvidence>;
  /** What breaks in these lives. */
  faults: readonly Partial<Faults>[];
  /** A life that found it out before, lived first: where few do, the others take their time. */
  seed?: number;
}

const unseen: Partial<HomeEvidence> = { listing: null, alive: true };
const atLeast = (rate: number | null, shape: Shape) =>
  rate && Math.max(rate, slotsPerSecond(shape));
const atMost = (rate: number | null, shape: Shape) => rate && Math.min(rate, slotsPerSecond(shape));

const blindnesses: Record<string, Blindness> = {
  'the tunnel': {
    hide: () => ({ tunnelState: 'up' }),
    faults: [{ tunnelDown: true }],
    seed: 83,
  },
  'who is a device': { hide: () => ({ blocking: [] }), faults: [{ networkGone: true }] },
  'the way of their packets': { hide: () => ({ blocking: [] }), faults: [{ foreignRule: true }] },
  'whether the queue can be read': {
    hide: ({ listing }) => (listing?.qdiscs.length === 0 ? unseen : {}),
    faults: [{ queue: 'unreadable' }],
  },
  'which queue it is': {
    hide: ({ listing }) => (listing?.qdiscs[0]?.kind === 'fq_codel' ? unseen : {}),
    faults: [{ queue: 'replaced' }],
  },
  'classes that are not ours': {
    hide: ({ listing }) =>
      listing ? { listing: { ...listing, classes: listing.classes.slice(0, 1) } } : {},
    faults: [{ queue: 'with a foreign class' }],
  },
  'the class': {
    hide: ({ listing }) => (listing?.classes.length === 0 ? unseen : {}),
    faults: [{ queue: 'without its class' }],
  },
  'its leaf': {
    hide: ({ listing }) => (listing?.qdiscs[1]?.kind === 'sfq' ? unseen : {}),
    faults: [{ queue: 'with another leaf' }],
  },
  'the rules': { hide: () => ({ rulesIntact: true }), faults: [{ rulesChanged: true }] },
  'packets that are sent elsewhere': {
    hide: () => ({ astray: false }),
    faults: [{ astray: true }],
  },
  'a stream that stalls': {
    hide: ({ sentPerSecond, upload }) => ({ sentPerSecond: atLeast(sentPerSecond, upload) }),
    faults: [{ sendShare: 0.1 }],
  },
  'a stream that runs': {
    hide: ({ sentPerSecond, upload }) => ({ sentPerSecond: atMost(sentPerSecond, upload) }),
    faults: [{ sendShare: 2.5 }],
  },
  'a stream that nobody has measured': {
    hide: ({ sentPerSecond, upload }) => ({
      sentPerSecond: sentPerSecond ?? slotsPerSecond(upload),
    }),
    faults: [{ sendShare: 0.1 }],
  },
  'the stream that comes': {
    hide: ({ download }) => ({ receivedPerSecond: slotsPerSecond(download) }),
    faults: [{ receiveShare: 0 }],
  },
  'an endpoint that no longer answers': {
    hide: ({ answerSilentMs }) =>
      answerSilentMs < Number.POSITIVE_INFINITY ? { answerSilentMs: 0 } : {},
    faults: [{ endpointSilent: true }],
    seed: 22,
  },
  'an endpoint that has never answered': {
    hide: ({ answerSilentMs }) =>
      answerSilentMs === Number.POSITIVE_INFINITY ? { answerSilentMs: 0 } : {},
    faults: [{ endpointSilent: true }],
  },
  'a queue nobody has looked at': {
    hide: ({ listing }) => (listing ? {} : { alive: true }),
    faults: [{ shaperDead: true }],
  },
  'what shapes': {
    hide: () => ({ isReported: true, isSilent: false }),
    faults: [{ shaperDead: true }],
  },
};

/** Whether any of the lives has a violation, the one with `first` lived first. */
function isFoundOut(judge: Judge, faults: readonly Partial<Faults>[], first = 1): boolean {
  return [first, ...Array.from({ length: LIVES }, (_, k) => k + 1)].some(
    (seed) => replay({ seed, steps: STEPS, judge, faults }).violations.length > 0,
  );
}

for (const [what, { hide, faults, seed }] of Object.entries(blindnesses)) {
  test(`a judge that does not look at ${what} is found out`, (t) => {
    const judge = (evidence: HomeEvidence) => judgeHome({ ...evidence, ...hide(evidence) });
    t.true(isFoundOut(judge, faults, seed));
  });
}

test('a judge that has rules put back only where nothing else stops devices is found out', (t) => {
  const judge: Judge = (evidence) => {
    const isHeldBack = evidence.blocking.length > 0 || evidence.tunnelState !== 'up';
    const verdict = judgeHome(evidence);
    return { ...verdict, repair: verdict.repair && !isHeldBack };
  };
  const faults = [{ rulesChanged: true }, { tunnelDown: true }];
  t.true(isFoundOut(judge, faults));
});
