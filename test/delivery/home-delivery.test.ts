// What a home says of devices that get nothing, and when it claims that they do.
import test from 'ava';
import { parseForeignChains } from '../../src/core/delivery/foreign-chains.ts';
import { noPassages, withCounts } from '../../src/core/delivery/passage.ts';
import {
  type DeliveryEvidence,
  judgeDelivery,
} from '../../src/core/home/delivery/home-delivery.ts';
import { wholeBytesBy } from '../../src/core/home/delivery/path-size.ts';
import { NO_PROBES } from '../../src/core/home/delivery/probing.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { homePassages } from '../../src/core/plan/nft/nft-passage.ts';
import type { Shape } from '../../src/core/stream/stream.ts';

const shape: Shape = { mode: 'vit', rateKBps: 100, packetBytes: 1400, sdPercent: 30 };
const NOW_MS = 10_000;

/** Counters that grow once a second, for so many seconds. */
function passages(grows: (second: number) => Partial<Record<string, [number, number]>>) {
  let known = noPassages(homePassages);
  for (let second = 0; second <= 10; second++) {
    const counts = homePassages.map((name) => {
      const [entered = 0, left = 0] = grows(second)[name] ?? [];
      return [name, { entered, left }];
    });
    known = withCounts(known, Object.fromEntries(counts), second * 1000);
  }
  return known;
}

const well: DeliveryEvidence = {
  nowMs: NOW_MS,
  netdev: 'iot0',
  passages: passages((second) => ({ device4: [second, second], answer4: [second, second] })),
  suspects: [],
  redirected: [],
  probes: NO_PROBES,
  streams: { upload: shape, download: shape },
  up: { shape, perSecond: [71, 71], latelyPerSecond: [71, 71] },
  down: { shape, perSecond: [71], latelyPerSecond: [71] },
  wholeBytes: 1448,
  endpointWholeBytes: null,
  endpointTroubles: [],
  warnedOf: [],
};

function slow(...perSecond: number[]) {
  return { shape, perSecond, latelyPerSecond: perSecond };
}

test('devices that are answered are served, without a question of the service’s own', (t) => {
  t.deepEqual(judgeDelivery(well), {
    ...{ troubles: [], short: [], partly: [], warnings: [] },
    isServed: true,
  });
});

test('devices that say nothing are not known to be served before a question was answered', (t) => {
  const silent = { ...well, passages: noPassages(homePassages) };
  t.false(judgeDelivery(silent).isServed);
  const probes = { ...NO_PROBES, answeredMs: NOW_MS - 1000 };
  t.true(judgeDelivery({ ...silent, probes }).isServed);
});

const chains = parseForeignChains(
  'table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n',
);

const troubles: [what: string, change: Partial<DeliveryEvidence>, code: string][] = [
  [
    'drops devices',
    { passages: passages((second) => ({ device4: [second, 0] })) },
    'devices-dropped',
  ],
  [
    'drops devices by a known chain',
    { passages: passages((second) => ({ device4: [second, 0] })), suspects: chains },
    'devices-dropped-by',
  ],
  [
    'drops answers',
    { passages: passages((second) => ({ answer4: [second, 0] })) },
    'answers-dropped',
  ],
  [
    'drops IPv6, of which the known chain knows nothing',
    { passages: passages((second) => ({ device6: [second, 0] })), suspects: chains },
    'devices-dropped',
  ],
  ['does not forward', { endpointTroubles: ['forward', 'resolver'] }, 'endpoint-forwards-nothing'],
  ['answers no names', { endpointTroubles: ['resolver'] }, 'endpoint-resolver-without-port'],
  ['answers nothing', { probes: { ...NO_PROBES, missedEcho: 3 } }, 'probe-unanswered'],
];

for (const [what, change, code] of troubles) {
  test(`what ${what} is the trouble`, (t) => {
    const [trouble] = judgeDelivery({ ...well, ...change }).troubles;
    t.is(trouble?.code, code as never);
  });
}

test('a line that is too slow is told as that, also where it loses the service’s own questions', (t) => {
  const probes = { ...NO_PROBES, missedEcho: 3 };
  for (const change of [{ up: slow(40, 40) }, { up: slow(40, 40), probes }]) {
    const { troubles, short } = judgeDelivery({ ...well, ...change });
    t.deepEqual(troubles, []);
    t.deepEqual(
      short.map(({ code }) => code),
      ['upload-short'],
    );
  }
});

test('what a redirect takes to this router is named by its ports', (t) => {
  const { partly, warnings, troubles } = judgeDelivery({ ...well, redirected: ['80', '853'] });
  t.deepEqual(troubles, []);
  t.deepEqual(warnings, partly);
  t.regex(wordsOf(partly[0]!), /on port 80 and 853 to a program of the router/);
});

test('a profile that another router uses, too, is told in the place of a line that seems too slow', (t) => {
  const evidence = { ...well, endpointTroubles: ['shared', 'later'] as const, down: slow(50) };
  const { partly, short, troubles } = judgeDelivery(evidence);
  t.deepEqual([...short, ...troubles], []);
  t.regex(wordsOf(partly[0]!), /^another router uses .* run "iotshaper endpoint add-home/);
});

test('what leaves the endpoint whole by IPv4 is less by IPv6', (t) => {
  t.is(wholeBytesBy(false, 1368), 1368);
  t.is(wholeBytesBy(true, 1368), 1348);
  t.is(wholeBytesBy(true, null), null);
});

test('packets in pieces are a warning with a size that fits, at whichever end', (t) => {
  const [here] = judgeDelivery({ ...well, wholeBytes: 1368 }).warnings;
  t.is(here?.code, 'packets-in-pieces');
  t.regex(wordsOf(here!), /1368 bytes would fit .*packet_size=1368;/);
  const [there] = judgeDelivery({ ...well, endpointWholeBytes: 1300 }).warnings;
  t.is(there?.code, 'packets-in-pieces-down');
  t.deepEqual(
    judgeDelivery({ ...well, down: slow(50) }).warnings.map(({ code }) => code),
    ['download-short'],
  );
});
