// Which homes may be sent to: in good order all, else those whose own stream and whose queue are as made.
import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import {
  type EndpointEvidence,
  type EndpointVerdict,
  judgeEndpoint,
  type StreamEvidence,
} from '../../src/core/endpoint/judgement.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { runs } from '../property-runs.ts';
import { TcListingReader } from '../stand-ins/tc-listing-reader.ts';

const reader = new TcListingReader();
for (const line of readFileSync('test/fixtures/tc/endpoint.txt', 'utf8').split('\n')) {
  reader.push(line);
}
const listing = reader.take();
const shape: Shape = { mode: 'vit', rateKBps: 40, packetBytes: 512, sdPercent: 30 };
const plain: Shape = { ...shape, rateKBps: 0 };

function stream(host: number, change: Partial<StreamEvidence> = {}): StreamEvidence {
  return {
    ...{ host, name: `home${host}`, shape, perSecond: 78, settling: false },
    ...{ clockedPerSecond: null, clockDoubts: 0, ...change },
  };
}

/** Nobody may be sent to, and nothing is to be made again. */
const nothing: EndpointVerdict = {
  ...{ open: [], faults: [], rebuild: false, broken: [] },
  ...{ clockGone: false, clockBroken: [], clockDoubted: [] },
};

/** Homes 2 and 254 have their classes. */
const good: EndpointEvidence = {
  listing,
  minors: [2, 254],
  clock: null,
  streams: [stream(2), stream(254, { shape: plain, perSecond: null })],
};

test('in good order all homes may be sent to', (t) => {
  t.deepEqual(judgeEndpoint(good), { ...nothing, open: [2, 254] });
});

const [, ...someClasses] = listing.classes;
const [root, ...leaves] = listing.qdiscs;

const queueFaults: [what: string, broken: Partial<EndpointEvidence>, code: string][] = [
  ['that can’t be read', { listing: { classes: [], qdiscs: [] } }, 'queue-unread'],
  ['without a class', { listing: { ...listing, classes: someClasses } }, 'queue-class-missing'],
  ['with a class too many', { minors: [2] }, 'queue-class-foreign'],
  ['without a leaf', { listing: { ...listing, qdiscs: [root!] } }, 'queue-priorities-changed'],
  [
    'of another kind',
    { listing: { ...listing, qdiscs: [{ ...root!, kind: 'fq' }, ...leaves] } },
    'queue-replaced',
  ],
];

for (const [what, broken, code] of queueFaults) {
  test(`a queue ${what} stops all homes`, (t) => {
    const verdict = judgeEndpoint({ ...good, ...broken });
    t.like(verdict, { open: [], rebuild: true, broken: [] });
    t.deepEqual(verdict.faults.map((fault): string => fault.code).slice(0, 1), [code]);
  });
}

const streams: [
  what: string,
  change: Partial<StreamEvidence>,
  isOpen: boolean,
  code: string | null,
][] = [
  ['that stalls', { perSecond: 10 }, false, 'home-stream-stalls'],
  ['that runs', { perSecond: 200 }, false, 'stream-too-fast'],
  ['that stalls while it settles', { perSecond: 10, settling: true }, false, 'home-stream-stalls'],
  ['that has only just begun', { perSecond: null }, false, null],
  ['that has only just begun to be another', { perSecond: null, settling: true }, true, null],
  ['without slots', { shape: plain, perSecond: null }, true, null],
];

for (const [what, change, isOpen, code] of streams) {
  test(`a stream ${what} ${isOpen ? 'is let go on' : 'stops its home alone'}`, (t) => {
    const { open, faults, rebuild, broken } = judgeEndpoint({
      ...good,
      streams: [stream(2, change), stream(254)],
    });
    t.deepEqual(open, isOpen ? [2, 254] : [254]);
    t.deepEqual(
      faults.map((fault) => fault.code),
      code === null ? [] : [code],
    );
    t.false(rebuild, 'the other is in good order');
    t.deepEqual(broken, code === null ? [] : [2]);
  });
}

test('where every stream is broken each of them is, and not the queue, which was looked at', (t) => {
  const stalled = [stream(2, { perSecond: 10 }), stream(254, { perSecond: 10 })];
  t.like(judgeEndpoint({ ...good, streams: stalled }), {
    ...{ open: [], rebuild: false, broken: [2, 254] },
  });
});

test('no other home’s stream opens one that is wrong, and none stops one that is right', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.nat(streams.length - 1), { maxLength: 8 }), (which) => {
        const all = which.map((index, place) => stream(place + 2, streams[index]![1]));
        const open = which.flatMap((index, place) => (streams[index]![2] ? [place + 2] : []));
        const verdict = judgeEndpoint({ ...good, streams: all });
        return JSON.stringify(verdict.open) === JSON.stringify(open);
      }),
      { numRuns: runs(300) },
    ),
  );
});
