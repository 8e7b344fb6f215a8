// Whether devices may go on, judged by real listings of tc, and by the same with one thing changed.
import { readFileSync } from 'node:fs';
import test from 'ava';
import {
  findDownloadFaults,
  findQueueFaults,
  findStreamFaults,
  measureStream,
  meterWindowMs,
} from '../../src/core/home/verification.ts';
import { type Notice, notice } from '../../src/core/notices/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { STRAY_CLASS_MINOR } from '../../src/core/plan/names.ts';
import { type Shape, slotsPerSecond } from '../../src/core/stream/stream.ts';
import { TcListingReader } from '../stand-ins/tc-listing-reader.ts';

function listingOf(text: string) {
  const reader = new TcListingReader();
  for (const line of text.split('\n')) reader.push(line);
  return reader.take();
}

const textsOf = (faults: Notice[]) => faults.map((fault) => wordsOf(fault));

const home = readFileSync('test/fixtures/tc/home.txt', 'utf8');
const endpoint = readFileSync('test/fixtures/tc/endpoint.txt', 'utf8');
const endpointMinors = [STRAY_CLASS_MINOR, 2, 254];

test('a queue as it was made has no fault', (t) => {
  t.deepEqual(findQueueFaults({ listing: listingOf(home), minors: [0x10] }), []);
  const listing = listingOf(endpoint);
  t.deepEqual(findQueueFaults({ listing, minors: endpointMinors }, [STRAY_CLASS_MINOR]), []);
});

const changes: [what: string, change: (text: string) => string, fault: string][] = [
  ['nothing is listed', () => '', 'the queue that keeps the schedule can’t be read'],
  [
    'another root qdisc',
    () => 'qdisc fq_codel 8001: root refcnt 2 limit 10240p',
    'the queue that keeps the schedule was replaced by fq_codel',
  ],
  [
    'another htb',
    (text) => text.replace('qdisc htb 1: root', 'qdisc htb 8001: root'),
    'the queue that keeps the schedule was replaced by htb',
  ],
  [
    'a second class',
    (text) =>
      `${text.replace('class htb 1:10', 'class htb 1:11 root leaf 8002: prio 0\n\nclass htb 1:10')}`,
    'the queue has a class 1:11 that is not ours',
  ],
  [
    'the class is gone',
    (text) => text.replace(/^class.*$/m, ''),
    'the queue’s class 1:10 is missing',
  ],
  [
    'another leaf',
    (text) => text.replace('qdisc pfifo_fast 1010:', 'qdisc bfifo 1010:'),
    'the priorities in the queue’s class 1:10 were changed',
  ],
  [
    'a leaf made anew',
    (text) => text.replace('qdisc pfifo_fast 1010:', 'qdisc pfifo_fast 8003:'),
    'the priorities in the queue’s class 1:10 were changed',
  ],
  [
    'no leaf',
    (text) => text.replace(/^qdisc pfifo_fast.*$/m, ''),
    'the priorities in the queue’s class 1:10 were changed',
  ],
];

for (const [what, change, fault] of changes) {
  test(`fault: ${what}`, (t) => {
    const listing = listingOf(change(home));
    t.deepEqual(textsOf(findQueueFaults({ listing, minors: [0x10] })), [fault]);
  });
}

test('a home that nobody serves and one that is not served are both told', (t) => {
  const listing = listingOf(endpoint);
  t.deepEqual(
    textsOf(findQueueFaults({ listing, minors: [STRAY_CLASS_MINOR, 2, 3] }, [STRAY_CLASS_MINOR])),
    ['the queue has a class 1:fe that is not ours', 'the queue’s class 1:3 is missing'],
  );
});

const shape: Shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 };
const plain = { ...shape, rateKBps: 0 };

test('a stream of which less than half goes on is not called one that stopped', (t) => {
  for (const [found, option] of [
    [findStreamFaults(shape, 30, null, true), 'upload_rate'],
    [findDownloadFaults(shape, 30, true), 'download_rate'],
  ] as const) {
    t.regex(
      textsOf(found)[0]!,
      new RegExp(`40 KB/s .*; .* try 16 KB/s: run "uci set iotshaper.main.${option}=16;`),
    );
  }
  t.deepEqual(findDownloadFaults(shape, 40, true), []);
});

const streams: [perSecond: number | null, upload: string[], download: string[]][] = [
  [
    null,
    ['the stream to the endpoint has only just begun'],
    ['the endpoint’s stream has only just begun'],
  ],
  [0, ['the stream to the endpoint stalls'], ['the endpoint stopped sending its stream']],
  [38, ['the stream to the endpoint stalls'], ['the endpoint stopped sending its stream']],
  [40, [], []],
  [78.125, [], []],
  [103, [], []],
  [105, ['packets leave faster than the schedule'], []],
  [1e6, ['packets leave faster than the schedule'], []],
];

for (const [perSecond, upload, download] of streams) {
  test(`at ${perSecond} of 78.125 slots a second`, (t) => {
    t.deepEqual(textsOf(findStreamFaults(shape, perSecond)), upload);
    t.deepEqual(textsOf(findDownloadFaults(shape, perSecond)), download);
    t.deepEqual(findStreamFaults(plain, perSecond), []);
    t.deepEqual(findDownloadFaults(plain, perSecond), []);
  });
}

test('an endpoint’s stream is called by its home', (t) => {
  t.deepEqual(textsOf(findStreamFaults(shape, 0, 'cottage')), [
    'the stream to home cottage stalls',
  ]);
  t.deepEqual(textsOf(findStreamFaults(shape, null, 'cottage')), [
    'the stream to home cottage has only just begun',
  ]);
});

test('slots asked for, and how long they are counted', (t) => {
  t.is(slotsPerSecond(shape), 78.125);
  t.is(slotsPerSecond(plain), 0);
  t.is(meterWindowMs(shape), 1900);
  t.is(meterWindowMs(plain), 1900);
  t.is(meterWindowMs({ ...shape, rateKBps: 0.25, packetBytes: 1400 }), 33_600);
});

test('a stream that has only just begun is found in order by twenty slots and a second, and broken by the whole window alone', (t) => {
  /** As counted over so long, and the longest window that is filled. */
  const measured = (of: Shape, share: number, forMs: number, starts = true) =>
    measureStream(of, (ms) => (ms <= forMs ? share * slotsPerSecond(of) : null), starts);
  t.is(measured(shape, 1, 1899, false), null);
  t.is(measured(shape, 1, 849), null);
  t.is(measured(shape, 1, 850), 78.125);
  for (const share of [0, 0.49, 1.21]) {
    t.is(measured(shape, share, 1899), null);
    t.is(measured(shape, share, 1900), share * 78.125);
  }
  const slow = { ...shape, rateKBps: 8 };
  t.is(measured(slow, 1, 1279), null);
  t.is(measured(slow, 1, 1280), 15.625);
  const slower = { ...shape, rateKBps: 1 };
  t.is(measured(slower, 1, meterWindowMs(slower) - 1), null, 'no sooner than else');
  t.is(measured(slower, 1, 3072), 1000 / 512);
});

test('a slow stream may vary as few slots do by chance', (t) => {
  const slow = { ...shape, rateKBps: 2.5 };
  const target = 2500 / 512;
  t.deepEqual(findStreamFaults(slow, target * 1.5), []);
  t.deepEqual(findStreamFaults(slow, target * 3), [notice('stream-too-fast')]);
  t.deepEqual(findStreamFaults(slow, target * 0.2), [notice('stream-stalls')]);
});
