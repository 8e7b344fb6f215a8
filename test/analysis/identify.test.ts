// Telling devices apart: windows, neighbours, folds, labels and flows.
import test from 'ava';
import fc from 'fast-check';
import { linkTypes } from '../../src/core/capture/link-layer.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import { LineError } from '../../src/core/text/line-error.ts';
import { validateRates, wilsonInterval } from '../../src/research/analysis/cross-validation.ts';
import { contiguousFolds, stratifiedFolds } from '../../src/research/analysis/folds.ts';
import { cutWindows, RateSeries } from '../../src/research/analysis/identify/features.ts';
import { FlowTable } from '../../src/research/analysis/identify/flows.ts';
import {
  gatherWindows,
  type IdentifiedDevice,
  identifyDevices,
  judgeByRates,
  MOST_WINDOWS,
  type ObservedCapture,
} from '../../src/research/analysis/identify/identify.ts';
import { fitNearestNeighbours } from '../../src/research/analysis/identify/knn.ts';
import { judgeOverTime } from '../../src/research/analysis/identify/over-time/over-time.ts';
import { loadVendors, searchVendors } from '../../src/research/analysis/identify/vendors.ts';
import { defaultLabels, labelByNames, parseLabels } from '../../src/research/analysis/labels.ts';
import { deviceCatalogue } from '../../src/research/devices/catalogue.ts';
import { planHousehold } from '../../src/research/lab/emulators/household.ts';
import { openSamples } from '../../src/shell/capture/csv.ts';
import { openCapture } from '../../src/shell/capture/reader.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import {
  deviceMac,
  dnsMessage,
  encodeName,
  ethernetFrame,
  routerMac,
  udpPacket,
} from '../capture/packets.ts';
import { runs } from '../property-runs.ts';

const judging = { classifier: 'neighbours' as const, neighbours: 3, folds: 10, seed: 1 };

test('windows hold mean and deviation of each direction, and silence counts', (t) => {
  const series = new RateSeries(1);
  series.add({ timeS: 100.2, bytes: 300, direction: 'up' });
  series.add({ timeS: 102.9, bytes: 100, direction: 'up' });
  series.add({ timeS: 101.5, bytes: 40, direction: 'down' });
  series.add({ timeS: 109.5, bytes: 60, direction: 'down' });
  const windows = cutWindows(series, { fromS: 100, toS: 112, windowS: 4, sampleS: 2 });
  // Samples of the first window: up 150, 50 B/s; down 20, 0. The second is silent; the third: down 30 and 0.
  t.deepEqual(windows, [
    { startS: 100, features: [100, 50, 10, 10] },
    { startS: 108, features: [0, 0, 15, 15] },
  ]);
  const all = cutWindows(series, { fromS: 100, toS: 112, windowS: 4, sampleS: 2, keepEmpty: true });
  t.deepEqual(all[1], { startS: 104, features: [0, 0, 0, 0] });
  t.deepEqual(cutWindows(series, { fromS: 100, toS: 112, windowS: 4, sampleS: 4 }), []);
  t.is(cutWindows(series, { fromS: 100, toS: 111.9, windowS: 4, sampleS: 2 }).length, 1);
});

test('a series that took over another’s bins and the other go on apart, over many blocks', (t) => {
  const first = new RateSeries(1);
  for (let k = 0; k < 20_000; k++) first.add({ timeS: 3 * k, bytes: k, direction: 'up' });
  const second = new RateSeries(1);
  second.addSeries(first);
  first.add({ timeS: 59_997, bytes: 1000, direction: 'down' });
  second.add({ timeS: 60_000, bytes: 7, direction: 'up' });
  second.add({ timeS: 1, bytes: 5, direction: 'down' });
  const [one, other] = [first.cut(0, 70_000), second.cut(0, 70_000)];
  t.is(one.bins.length, 20_000);
  t.is(other.bins.length, 20_002);
  t.is(one.down.at(-1), 1000);
  t.is(other.down.at(-2), 0);
  t.deepEqual(
    [other.bins[1], other.down[1], other.bins.at(-1), other.up.at(-1)],
    [1, 5, 60_000, 7],
  );
  t.deepEqual([one.bins[9000], one.up[9000]], [27_000, 9000]);
  t.is(first.cut(26_999, 3).bins.length, 1);
  t.is(first.nextTraffic(26_998), 27_000);
});

test('a series holds the same whatever the order packets come in', (t) => {
  const samples = fc.array(
    fc.record({
      timeS: fc.integer({ min: 0, max: 400 }).map((tenths) => tenths / 10),
      bytes: fc.nat(1500),
      direction: fc.constantFrom('up' as const, 'down' as const),
    }),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(samples, (unsorted) => {
        const rates = (list: typeof unsorted) => {
          const series = new RateSeries(0.5);
          for (const sample of list) series.add(sample);
          const { up, down } = series.rates(0, 1, 41);
          return [...up, ...down].map((rate) => Math.round(rate));
        };
        const expected = new Array<number>(82).fill(0);
        for (const { timeS, bytes, direction } of unsorted) {
          expected[Math.floor(timeS) + (direction === 'up' ? 0 : 41)]! += bytes;
        }
        const sorted = [...unsorted].sort((a, b) => a.timeS - b.timeS);
        return `${rates(unsorted)}` === `${expected}` && `${rates(sorted)}` === `${expected}`;
      }),
    ),
  );
});

test('nearest neighbours agree with looking at every distance', (t) => {
  const row = fc.tuple(
    fc.integer({ min: 0, max: 20 }),
    fc.integer({ min: 0, max: 2000 }),
    fc.constant(5),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(row, fc.constantFrom<string[]>('a', 'b', 'c')), {
          minLength: 3,
          maxLength: 120,
        }),
        row,
        (train, query) => {
          const rows = train.map(([features]) => features);
          const labels = train.map(([, label]) => label);
          const spread = [0, 1, 2].map((c) => {
            const mean = rows.reduce((sum, one) => sum + one[c]!, 0) / rows.length;
            return (
              Math.sqrt(rows.reduce((sum, one) => sum + (one[c]! - mean) ** 2, 0) / rows.length) ||
              1
            );
          });
          const distance = (one: number[]) =>
            one.reduce((sum, value, c) => sum + ((value - query[c]!) / spread[c]!) ** 2, 0);
          const distances = rows.map(distance);
          const third = [...distances].sort((a, b) => a - b)[2]!;
          // Which of several rows at the third distance is taken is open: any label that could win will do.
          const near = labels.filter((_, i) => distances[i]! <= third * (1 + 1e-9) + 1e-12);
          const told = fitNearestNeighbours(rows, labels, 3).predict(query);
          if (near.length > 3) return near.includes(told);
          const counts = near.map((label) => near.filter((other) => other === label).length);
          const most = Math.max(...counts);
          const own = Math.min(...distances.filter((_, i) => labels[i] === told));
          const isNearest = own <= Math.min(...distances) * (1 + 1e-9) + 1e-12;
          return counts[near.indexOf(told)] === most && (most > 1 || isNearest);
        },
      ),
      { numRuns: runs(500) },
    ),
  );
});

test('among equals the nearest decides, and scale does not', (t) => {
  const rows = [
    [0, 0],
    [1, 0],
    [2, 0],
    [100, 0],
  ];
  t.is(fitNearestNeighbours(rows, ['a', 'b', 'c', 'd'], 3).predict([0.9, 7]), 'b');
  const scaled = [
    [0, 1000],
    [0.001, 900],
    [1, 950],
    [1.001, 1050],
  ];
  t.is(fitNearestNeighbours(scaled, ['a', 'a', 'b', 'b'], 2).predict([0.999, 975]), 'b');
});

test('rows that look the same all vote, in whatever order they stand', (t) => {
  // Seven idle windows look alike; two devices have four and three of them.
  const rows = [[0], [0], [0], [0], [0], [0], [0], [5], [9]];
  const labels = ['b', 'b', 'b', 'a', 'a', 'a', 'a', 'b', 'b'];
  const told = (order: number[]) =>
    fitNearestNeighbours(
      order.map((i) => rows[i]!),
      order.map((i) => labels[i]!),
      3,
    ).predict([0]);
  const order = rows.map((_, i) => i);
  t.is(told(order), 'a');
  t.is(told([...order].reverse()), 'a');
  // One nearer row and many tied behind it, which share two places: three in four of them are of c.
  const behind = fitNearestNeighbours([[0], [1], [1], [1], [-1]], ['a', 'c', 'c', 'b', 'c'], 3);
  t.is(behind.predict([0.01]), 'c');
});

test('a forest tells what rates tell, and is the same for a seed', (t) => {
  const random = seededRandom(6);
  const rows = Array.from({ length: 300 }, (_, i) => [
    i % 3 === 0 ? 5 + random() : random(),
    i % 3 === 1 ? 5 + random() : random(),
    random(),
  ]);
  const labels = rows.map((_, i) => 'abc'[i % 3]!);
  const validate = () =>
    validateRates(rows, labels, { ...judging, classifier: 'forest', random: seededRandom(1) });
  t.true(validate().accuracy > 0.95);
  t.deepEqual(validate().confusion, validate().confusion);
  const shuffled = labels.map((_, i) => labels[(i * 7 + Math.floor(i / 3)) % labels.length]!);
  const nothing = validateRates(
    rows.map(() => [random(), random()]),
    shuffled,
    { ...judging, classifier: 'forest', random },
  );
  t.true(Math.abs(nothing.accuracy - 1 / 3) < 0.12, String(nothing.accuracy));
});

test('folds are even, by label and in all', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c', 'd')),
      fc.integer({ min: 2, max: 10 }),
      (labels, folds) => {
        const count = (foldOf: number[], label?: string) =>
          Array.from(
            { length: folds },
            (_, fold) =>
              foldOf.filter((of, i) => of === fold && (label === undefined || labels[i] === label))
                .length,
          );
        const even = (counts: number[]) => Math.max(...counts) - Math.min(...counts) <= 1;
        const shuffled = stratifiedFolds(labels, folds, seededRandom(1));
        const stretches = contiguousFolds(labels, folds);
        const ascending = stretches.every((fold, i) => {
          const before = labels.lastIndexOf(labels[i]!, i - 1);
          return i === 0 || before < 0 || stretches[before]! <= fold;
        });
        return (
          even(count(shuffled)) &&
          ascending &&
          [...new Set(labels)].every(
            (label) => even(count(shuffled, label)) && even(count(stretches, label)),
          )
        );
      },
    ),
  );
  t.deepEqual(
    stratifiedFolds(['a', 'a', 'a', 'a'], 2, seededRandom(3)),
    stratifiedFolds(['a', 'a', 'a', 'a'], 2, seededRandom(3)),
  );
});

test('labels that mean nothing are told no better than by guessing', (t) => {
  const random = seededRandom(5);
  const rows = Array.from({ length: 600 }, () => [random(), random()]);
  const labels = rows.map((_, i) => (i % 2 ? 'a' : 'b'));
  const { accuracy, interval, baseline } = validateRates(rows, labels, { ...judging, random });
  t.true(Math.abs(accuracy - 0.5) < 0.09, `${accuracy}`);
  t.true(interval[0] < accuracy && accuracy < interval[1]);
  t.is(baseline, 0.5);
});

test('the Wilson interval has its published values', (t) => {
  const rounded = (right: number, rows: number) =>
    wilsonInterval(right, rows).map((share) => share.toFixed(4));
  // Newcombe (1998), Table I, method 3.
  t.deepEqual(rounded(81, 263), ['0.2553', '0.3662']);
  t.deepEqual(rounded(0, 20), ['0.0000', '0.1611']);
});

async function realDevices(): Promise<IdentifiedDevice[]> {
  const captures: ObservedCapture[] = [];
  for (const name of [
    'tuya-plug',
    'blink-hub',
    'xiaobai-camera-1',
    'xiaobai-camera-2',
    'xiaodu-plug',
  ]) {
    const series = new RateSeries(1);
    const file = `test/fixtures/identify/${name}.csv`;
    let toS = 0;
    for await (const sample of openSamples(nodeSystem, file)) {
      series.add(sample);
      toS = sample.timeS + 1;
    }
    const key = name.replace(/-\d$/, '');
    const counts = { packets: 1, upBytes: 0, downBytes: 0 };
    const streams = [{ key, mac: null, addresses: [], names: [], ...counts, series }];
    captures.push({ file, fromS: 0, toS, streams });
  }
  return identifyDevices(captures, defaultLabels(), null);
}

test('rates alone tell four real devices apart, over a range of windows and samples', async (t) => {
  const devices = await realDevices();
  for (const windowS of [60, 120]) {
    for (const sampleS of [1, 2, 5, 10]) {
      const { shuffled } = judgeByRates(devices, windowS, sampleS, judging)!;
      t.is(shuffled.labels.length, 4);
      t.true(shuffled.accuracy >= 0.95, `w=${windowS} s=${sampleS}: ${shuffled.accuracy}`);
    }
  }
});

/** What one message of an emulator's plan is on the wire, near enough: full segments, an acknowledgement each. */
function addMessage(
  series: RateSeries,
  timeS: number,
  bytes: number,
  direction: 'up' | 'down',
  isTcp: boolean,
): void {
  for (let left = bytes; left > 0; left -= 1448) {
    series.add({ timeS, bytes: Math.min(left, 1448) + (isTcp ? 52 : 28), direction });
    if (isTcp) series.add({ timeS, bytes: 52, direction: direction === 'up' ? 'down' : 'up' });
  }
}

test('rates alone tell the emulated household apart', (t) => {
  const durationS = 4 * 3600;
  const series = new Map<string, RateSeries>(
    deviceCatalogue.map(({ id }) => [id, new RateSeries(1)]),
  );
  for (const { device, atS, upBytes, downBytes, protocol } of planHousehold({ seed: 1, durationS })
    .exchanges) {
    addMessage(series.get(device)!, atS, upBytes, 'up', protocol === 'tcp');
    addMessage(series.get(device)!, atS, downBytes, 'down', protocol === 'tcp');
  }
  const counts = { packets: 1, upBytes: 0, downBytes: 0 };
  const streams = Array.from(series, ([key, own]) => ({
    key,
    mac: null,
    addresses: [],
    names: [],
    ...counts,
    series: own,
  }));
  const devices = identifyDevices(
    [{ file: 'x', fromS: 0, toS: durationS, streams }],
    defaultLabels(),
    null,
  );
  for (const [windowS, sampleS] of [
    [60, 1],
    [60, 10],
    [120, 5],
    [300, 10],
  ] as const) {
    const { shuffled } = judgeByRates(devices, windowS, sampleS, judging)!;
    t.is(shuffled.labels.length, 7);
    t.true(shuffled.accuracy >= 0.95, `w=${windowS} s=${sampleS}: ${shuffled.accuracy}`);
  }
});

test('a device with fewer windows than folds is left out and named', async (t) => {
  const devices = await realDevices();
  const few = devices.map((device) =>
    device.key === 'blink-hub'
      ? { ...device, stretches: [{ ...device.stretches[0]!, toS: 300 }] }
      : device,
  );
  t.deepEqual(gatherWindows(few, 60, 1, 10).leftOut, [{ label: 'blink-hub', windows: 5 }]);
  t.is(judgeByRates(few, 60, 1, judging)!.shuffled.labels.length, 3);
  t.is(judgeByRates(devices.slice(0, 1), 60, 1, judging), null);
  t.is(judgeByRates(devices, 10, 10, judging), null);
});

/** Two devices for four days: one says as much all the time, the other something else on the last day, every other minute. */
function daysOfTwo(): { devices: IdentifiedDevice[]; durationS: number } {
  const durationS = 4 * 86_400;
  const steady = new RateSeries(1);
  const changing = new RateSeries(1);
  for (let timeS = 0; timeS < durationS; timeS += 20) {
    steady.add({ timeS, bytes: 100, direction: 'up' });
    const bytes = timeS < 3 * 86_400 ? 500 : 900;
    if (timeS % 120 < 60) changing.add({ timeS, bytes, direction: 'down' });
  }
  const counts = { packets: 1, upBytes: 0, downBytes: 0, mac: null, addresses: [], names: [] };
  const devices = identifyDevices(
    [
      {
        file: 'x',
        fromS: 0,
        toS: durationS,
        streams: [
          { key: 'steady', ...counts, series: steady },
          { key: 'changing', ...counts, series: changing },
        ],
      },
    ],
    defaultLabels(),
    null,
  );
  return { devices, durationS };
}

test('of days of windows some thousands are judged, each label’s share of them, from all of its time', (t) => {
  const { devices, durationS } = daysOfTwo();
  const { rows, labels, windows } = gatherWindows(devices, 60, 20, 10);
  t.is(windows, (durationS / 60) * 1.5);
  t.is(rows.length, MOST_WINDOWS);
  t.is(labels.filter((label) => label === 'steady').length, Math.round((MOST_WINDOWS * 2) / 3));
  const own = rows.filter((_, i) => labels[i] === 'changing').map(([, , mean]) => mean);
  const late = own.filter((mean) => mean === 45).length / own.length;
  t.true(Math.abs(late - 1 / 4) < 0.01, `${late} of them are of the last of four days`);
  t.deepEqual(
    own,
    own.toSorted((a, b) => a! - b!),
  );
  const few = gatherWindows(devices, 600, 20, 10);
  t.deepEqual([few.rows.length, few.windows], [(2 * durationS) / 600, (2 * durationS) / 600]);
});

test('over time, of days of windows the first of each stretch are judged', (t) => {
  const { devices } = daysOfTwo();
  const found = judgeOverTime(devices, 60, 20, { features: 'rates', seed: 1 })!;
  t.is(found.stretches, 10);
  t.true(found.windows >= MOST_WINDOWS && found.windows < MOST_WINDOWS + 10, `${found.windows}`);
  t.is(found.overTime, 1);
});

test('every device of the paper is told by each of its telling names', (t) => {
  const { dns } = defaultLabels();
  const shared = ['pool.ntp.org', 'nist.gov', 'spotify.com', 'ntp.amazon.com'];
  for (const { name, dnsNames } of deviceCatalogue) {
    for (const host of dnsNames) {
      const expected = shared.some((domain) => host.endsWith(domain)) ? undefined : name;
      t.is(labelByNames([host], dns)?.label, expected, host);
    }
  }
});

test('names match whole labels, and most names win', (t) => {
  const dns = [
    { suffix: 'hello.is', label: 'Sense' },
    { suffix: 'dropcam.com', label: 'Nest' },
  ];
  t.is(labelByNames(['othello.is'], dns), null);
  t.deepEqual(labelByNames(['hello.is', 'a.dropcam.com', 'b.dropcam.com'], dns), {
    label: 'Nest',
    names: ['a.dropcam.com', 'b.dropcam.com'],
  });
});

test('a label file adds to what is known and goes before it', (t) => {
  const text =
    '# who is who\nkind,value,label\ndns,*.Dropcam.com.,My camera\nmac,18-B4-30-00-00-01,Cam, front\nip,10.0.0.1,Plug\nfile,a.pcap,Echo\n';
  const labels = parseLabels(text, 'l.csv', defaultLabels());
  t.is(labelByNames(['nexus.dropcam.com'], labels.dns)!.label, 'My camera');
  t.is(labelByNames(['time.hello.is'], labels.dns)!.label, 'Sense sleep monitor');
  t.is(labels.mac.get('18:b4:30:00:00:01'), 'Cam, front');
  t.is(labels.ip.get('10.0.0.1'), 'Plug');
  t.deepEqual(labels.file, [{ suffix: 'a.pcap', label: 'Echo' }]);
});

const wrongLabels: [line: string, message: RegExp][] = [
  ['mac,18:b4,Cam', /^l\.csv: line 2: "18:b4" is not a MAC address$/],
  ['colour,red,Cam', /^l\.csv: line 2: kind "colour" is not one of dns, mac, ip, file$/],
  ['dns,x.example', /^l\.csv: line 2: "dns,x\.example" is not kind,value,label/],
];

test('a wrong line of a label file is named', (t) => {
  for (const [line, message] of wrongLabels) {
    t.throws(() => parseLabels(`# first\n${line}\n`, 'l.csv', defaultLabels()), {
      instanceOf: LineError,
      message,
    });
  }
});

test('makers by the longest prefix, none for addresses made up', (t) => {
  const vendors = searchVendors(
    Buffer.from('70B3D5 IEEE\n70B3D5123 Small maker\n18B430 Nest Labs Inc.\n000001 18B43000 no\n'),
  );
  t.is(vendors.find('70:b3:d5:12:34:56'), 'Small maker');
  t.is(vendors.find('70:b3:d5:ff:ff:ff'), 'IEEE');
  t.is(vendors.find(deviceMac), 'Nest Labs Inc.');
  t.is(vendors.find('1a:b4:30:00:00:01'), null);
  t.is(vendors.find('00:00:00:00:00:00'), null);
});

test("the registry knows the makers of the paper's devices", async (t) => {
  const vendors = await loadVendors();
  t.truthy(vendors);
  for (const { macPrefix, maker } of deviceCatalogue) {
    const found = vendors!.find(`${macPrefix}:00:00:01`);
    const words = maker.toLowerCase().split(/[^a-z]+/);
    t.true(
      found !== null && words.some((word) => word.length > 3 && found.toLowerCase().includes(word)),
      `${macPrefix}: ${found}`,
    );
  }
});

const resolver = '203.0.113.53';

function conversation(home: string, mac = deviceMac) {
  const fromHome = (destination: string, payload: Uint8Array, destinationPort = 443) =>
    ethernetFrame(udpPacket({ source: home, destination, destinationPort, payload }), {
      source: mac,
    });
  const toHome = (source: string, payload: Uint8Array, sourcePort = 443) =>
    ethernetFrame(
      udpPacket({ source, destination: home, sourcePort, destinationPort: 40000, payload }),
      {
        source: routerMac,
        destination: mac,
      },
    );
  const name = 'sense-in.hello.is';
  return [
    fromHome(resolver, dnsMessage(name), 53),
    toHome(
      resolver,
      dnsMessage(name, [
        [name, 5, encodeName('lb.example')],
        ['lb.example', 1, [198, 51, 100, 7]],
      ]),
      53,
    ),
    fromHome('198.51.100.7', new Uint8Array(72)),
    toHome('198.51.100.7', new Uint8Array(172)),
    fromHome('198.51.100.8', new Uint8Array(22)),
  ];
}

function observe(frames: Uint8Array[], home?: string[]): FlowTable {
  const table = new FlowTable(1, home);
  frames.forEach((data, i) => {
    table.add({
      index: i,
      timeS: i,
      linkType: linkTypes.ethernet,
      data,
      originalBytes: data.length,
    });
  });
  return table;
}

test('in the home, streams are devices by MAC address, with the names they looked up', (t) => {
  const frames = [
    ...conversation('192.168.8.11'),
    ethernetFrame(udpPacket({ source: '192.168.8.12' }), { source: '02:00:00:00:00:12' }),
    ethernetFrame(udpPacket({ source: '192.168.8.12', destination: '192.168.8.1' })),
    ethernetFrame(new Uint8Array(28), { type: [8, 6] }),
  ];
  const table = observe(frames);
  t.is(table.guessView(), 'lan');
  t.is(table.localPackets, 2);
  const [device, other] = table.streams('lan');
  t.deepEqual(
    [device!.key, device!.packets, device!.flows, device!.addresses],
    [deviceMac, 5, 3, ['192.168.8.11']],
  );
  t.deepEqual(device!.names, ['sense-in.hello.is', 'lb.example']);
  const dns = [28 + dnsMessage('sense-in.hello.is').length, 0];
  t.deepEqual([device!.upBytes, device!.downBytes > 200], [dns[0]! + 100 + 50, true]);
  t.deepEqual(
    device!.remotes.map(({ address, services }) => [address, services]),
    [
      [resolver, ['17/53']],
      ['198.51.100.7', ['17/443']],
      ['198.51.100.8', ['17/443']],
    ],
  );
  t.deepEqual(
    [other!.key, other!.packets, other!.names],
    ['02:00:00:00:00:12', 1, ['lb.example', 'sense-in.hello.is']],
  );
});

for (const [name, home] of [
  ['found by what all streams have in common', undefined],
  ['as given', ['100.64.8.2']],
] as const) {
  test(`behind NAT, streams are remote addresses; the home's own is ${name}`, (t) => {
    const table = observe(conversation('100.64.8.2', routerMac), home && [...home]);
    t.is(table.guessView(), 'wan');
    const streams = new Map(table.streams('wan').map((stream) => [stream.key, stream]));
    const cloud = streams.get('198.51.100.7')!;
    t.deepEqual(
      [cloud.mac, cloud.addresses, cloud.upBytes, cloud.downBytes],
      [null, ['100.64.8.2'], 100, 200],
    );
    t.deepEqual(cloud.names, ['lb.example', 'sense-in.hello.is']);
    const { up, down } = cloud.series.rates(0, 1, 5);
    t.deepEqual(
      [[...up], [...down]],
      [
        [0, 0, 100, 0, 0],
        [0, 0, 0, 200, 0],
      ],
    );
    t.deepEqual([...streams.keys()].sort(), ['198.51.100.7', '198.51.100.8']);
    t.deepEqual(streams.get('198.51.100.8')!.names, []);
    t.deepEqual([...table.book.all()], ['sense-in.hello.is']);
  });
}

test('a real plug is known by its names and by its maker', async (t) => {
  const table = new FlowTable(1);
  for await (const packet of openCapture(
    nodeSystem,
    'test/fixtures/capture/tp-link-plug-setup.pcap',
  ))
    table.add(packet);
  const capture = {
    file: 'x',
    fromS: table.firstS,
    toS: table.lastS,
    streams: table.streams('lan'),
  };
  const [plug, ...others] = identifyDevices([capture], defaultLabels(), await loadVendors());
  t.is(others.length, 0);
  t.is(plug!.mac, '50:c7:bf:00:c7:03');
  t.is(plug!.dnsLabel, 'TP-Link smart plug');
  t.deepEqual(plug!.dnsEvidence, ['devs.tplinkcloud.com']);
  t.regex(plug!.vendor!, /TP-LINK/i);
});

test('a device is joined over captures, and what the user says goes before what names say', (t) => {
  const captures = ['a.pcap', 'b.pcap'].map((file) => {
    const table = observe(conversation('192.168.8.11'));
    return { file, fromS: 0, toS: 5, streams: table.streams('lan') };
  });
  const byNames = identifyDevices(captures, defaultLabels(), null);
  t.deepEqual(
    byNames.map(({ label, basis, packets }) => [label, basis, packets]),
    [['Sense sleep monitor', 'DNS', 10]],
  );
  const byMac = identifyDevices(
    captures,
    parseLabels(`mac,${deviceMac},Bedroom`, 'l', defaultLabels()),
    null,
  );
  t.deepEqual(
    byMac.map(({ label, basis, dnsLabel }) => [label, basis, dnsLabel]),
    [['Bedroom', 'label file', 'Sense sleep monitor']],
  );
  const byFile = identifyDevices(
    captures,
    parseLabels('file,b.pcap,Other', 'l', defaultLabels()),
    null,
  );
  t.deepEqual(byFile.map(({ label, packets }) => [label, packets]).sort(), [
    ['Other', 5],
    ['Sense sleep monitor', 5],
  ]);
});
