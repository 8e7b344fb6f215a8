// Whether devices may send: in good order they may, and each condition alone stops them.
import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { type HomeEvidence, judgeHome } from '../../src/core/home/judgement.ts';
import { notice } from '../../src/core/notices/notice.ts';
import { sentencesOf, wordsOf } from '../../src/core/notices/words.ts';
import { TcListingReader } from '../stand-ins/tc-listing-reader.ts';

const reader = new TcListingReader();
for (const line of readFileSync('test/fixtures/tc/home.txt', 'utf8').split('\n')) reader.push(line);
const listing = reader.take();
const shape = { mode: 'vit' as const, rateKBps: 40, packetBytes: 512, sdPercent: 30 };

const good: HomeEvidence = {
  tunnelState: 'up',
  trouble: null,
  blocking: [],
  listing,
  isReported: true,
  isSilent: false,
  rulesIntact: true,
  smallerBytes: null,
  clock: null,
  clockMade: null,
  chains: null,
  clockedPerSecond: null,
  astray: false,
  upload: shape,
  download: shape,
  sentPerSecond: 78,
  receivedPerSecond: 78,
  isSending: true,
  isReceiving: true,
  refusal: null,
  isShared: false,
  answerSilentMs: 1000,
  settling: false,
  alive: false,
};

test('what the endpoint refuses stops devices, whatever else goes on', (t) => {
  const refusal = notice('refused-wait', { why: notice('limit-other') });
  t.like(judgeHome({ ...good, refusal }), { faults: [refusal], repair: false });
  t.is(judgeHome({ ...good, refusal, receivedPerSecond: 0 }).faults[0], refusal);
});

test('in good order devices may send', (t) => {
  const verdict = {
    faults: [],
    repair: false,
    streamBroken: false,
    clockBroken: false,
    clockBypassed: false,
  };
  t.deepEqual(judgeHome(good), verdict);
  t.deepEqual(judgeHome({ ...good, alive: true, listing: null }), verdict);
});

const way = { netdev: 'wan', index: 2, isEthernet: true, address: '203.0.113.10', port: 1194 };
const clockReader = new TcListingReader();
for (const name of ['clock', 'home']) {
  const text = readFileSync(`test/fixtures/tc/${name}.txt`, 'utf8');
  for (const line of text.split('\n')) clockReader.push(line);
}
const clocked = clockReader.take();
const { clock: clockListing } = clocked;

/** The same with a clock behind OpenVPN. */
const goodClock: HomeEvidence = {
  ...good,
  listing: clocked,
  clock: way,
  clockMade: way,
  clockedPerSecond: 78,
};

test('with a clock behind OpenVPN in good order devices may send', (t) => {
  t.deepEqual(judgeHome(goodClock).faults, []);
  t.false(judgeHome(goodClock).repair);
});

test('a clock behind OpenVPN of which nothing was counted yet lets no device begin to send, and stops none that does', (t) => {
  const uncounted = { ...goodClock, clockedPerSecond: null };
  t.like(judgeHome(uncounted), { faults: [notice('stream-begun')], repair: false });
  t.deepEqual(judgeHome({ ...uncounted, alive: true }).faults, []);
});

const withClock = (change: Partial<NonNullable<typeof clockListing>>): Partial<HomeEvidence> => ({
  listing: { ...clocked, clock: { ...clockListing!, ...change } },
});

const clockBreaks: [what: string, broken: Partial<HomeEvidence>, code: string][] = [
  ['is not made', { clockMade: null }, 'outer-clock-gone'],
  ['stands on another way', { clockMade: { ...way, index: 3 } }, 'outer-clock-gone'],
  ['is not listed', { listing }, 'outer-clock-gone'],
  ['has no class', withClock({ classes: [] }), 'outer-clock-gone'],
  ['has another queue', withClock({ qdiscs: [] }), 'outer-clock-gone'],
  [
    'has no chain that leads there',
    { chains: { intact: false, ledPackets: 0 } },
    'outer-clock-gone',
  ],
  [
    'lets nothing go though it is led there',
    { clockedPerSecond: 0, chains: { intact: true, ledPackets: 500 } },
    'stream-stalls',
  ],
  ['lets too much go', { clockedPerSecond: 200 }, 'stream-too-fast'],
];

for (const [what, broken, code] of clockBreaks) {
  test(`a clock behind OpenVPN that ${what} stops devices`, (t) => {
    const { faults, repair } = judgeHome({ ...goodClock, ...broken });
    t.deepEqual(
      faults.map((fault) => fault.code),
      [code] as never,
    );
    t.true(repair);
  });
}

test('a clock that next to nothing comes to is done without', (t) => {
  const chains = { intact: true, ledPackets: 1 };
  const verdict = judgeHome({ ...goodClock, clockedPerSecond: 0, chains });
  t.deepEqual(verdict.faults, []);
  t.true(verdict.clockBypassed);
  const stalls = { clockedPerSecond: 0, chains, sentPerSecond: 0 };
  t.false(judgeHome({ ...goodClock, ...stalls }).clockBypassed, 'nothing leaves at all');
});

/** Each as it breaks one condition of all, whatever else holds. */
const breaks: [what: string, broken: Partial<HomeEvidence>, repair: boolean][] = [
  ['no tunnel', { tunnelState: 'down' }, false],
  ['a tunnel that is being set up', { tunnelState: 'connecting' }, false],
  ['a tunnel that is set up anew', { tunnelState: 'reconnecting' }, false],
  [
    'a network that is gone',
    { blocking: [notice('network-gone', { path: 'p', netdev: 'br-iot' })] },
    false,
  ],
  ['a queue without classes', { listing: { ...listing, classes: [] } }, true],
  ['a queue that was replaced', { listing: { classes: [], qdiscs: [] } }, true],
  ['a queue nobody looked at', { listing: null, alive: false }, false],
  ['what shapes is silent', { isReported: false, isSilent: true }, true],
  ['a service that was held up itself, and heard nothing', { isReported: false }, false],
  ['rules that were changed', { rulesIntact: false }, true],
  ['packets that others sent elsewhere', { astray: true }, false],
  ['a stream that stalls', { sentPerSecond: 10 }, true],
  ['a stream that runs', { sentPerSecond: 200 }, true],
  ['a stream that was not measured', { sentPerSecond: null, settling: false }, false],
  ['an endpoint without a stream', { receivedPerSecond: 0, settling: false }, false],
  [
    'an endpoint whose stream was not measured',
    { receivedPerSecond: null, settling: false },
    false,
  ],
  ['an endpoint that never answered', { answerSilentMs: Number.POSITIVE_INFINITY }, false],
  ['an endpoint that no longer answers', { answerSilentMs: 31_000 }, false],
];

for (const [what, broken, repair] of breaks) {
  test(`${what} stops devices`, (t) => {
    const { faults, ...verdict } = judgeHome({ ...good, ...broken });
    t.is(faults.length > 0, true);
    t.is(verdict.repair, repair, sentencesOf(faults));
    for (const fault of faults) t.regex(wordsOf(fault), /^\S.*\S$/);
  });
}

test('a stream that another router with the same profile has taken is told by that', (t) => {
  const taken = { ...good, receivedPerSecond: 0, isReceiving: false };
  const codes = (evidence: HomeEvidence) => judgeHome(evidence).faults.map(({ code }) => code);
  t.deepEqual(codes(taken), ['endpoint-stream-stopped']);
  t.deepEqual(codes({ ...taken, isShared: true }), ['profile-shared']);
  t.deepEqual(codes({ ...good, isShared: true }), []);
});

test('what was changed is made anew whatever else stops devices', (t) => {
  const gone = { blocking: [notice('network-gone', { path: 'p', netdev: 'br-iot' })] };
  for (const other of [gone, { tunnelState: 'down' as const }, { ...gone, astray: true }]) {
    const evidence = { ...good, ...other };
    t.is(judgeHome({ ...evidence, rulesIntact: false }).repair, true);
    // A queue is made on a tunnel.
    const isUp = evidence.tunnelState === 'up';
    t.is(judgeHome({ ...evidence, isReported: false, isSilent: true }).repair, isUp);
    t.is(judgeHome({ ...evidence, sentPerSecond: 0 }).streamBroken, isUp);
  }
});

test('no mixture of faults lets devices send', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(breaks.length - 1), { minLength: 1 }),
        fc.boolean(),
        fc.boolean(),
        (which, settling, alive) => {
          const broken = which.map((index) => breaks[index]![1]);
          const evidence: HomeEvidence = Object.assign({ ...good, settling, alive }, ...broken);
          // A later fault may excuse an earlier one of the same kind; what is left is judged by its own.
          return judgeHome({ ...evidence, ...broken.at(-1) }).faults.length > 0;
        },
      ),
      { numRuns: 500 },
    ),
  );
});
