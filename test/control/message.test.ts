// The control message: whole there and back, one slot's size, deaf to anything else.
import test from 'ava';
import fc from 'fast-check';
import {
  type ControlMessage,
  decodeControl,
  encodeControl,
  type Hello,
  type Welcome,
} from '../../src/control/message.ts';

const hello: Hello = {
  kind: 'hello',
  sequence: 7,
  version: '0.1.0',
  download: { rateKBps: 40, packetBytes: 512, sdPercent: 30 },
  maxDelayMs: 10_000,
};

const welcome: Welcome = {
  kind: 'welcome',
  sequence: 7,
  version: '0.1.0',
  inner: {
    prefix4: '10.214.2.0/24',
    prefix6: 'fd12:3456:789a:2::/64',
    resolver4: '10.214.0.1',
    resolver6: 'fd12:3456:789a::1',
  },
  queuePackets: 3,
  queueMs: 12,
  dropped: 0,
};

const sequences = fc.integer({ min: 0, max: 2 ** 31 });
const versions = fc.stringMatching(/^[0-9A-Za-z.+-]{0,24}$/);

const hellos: fc.Arbitrary<Hello> = fc.record({
  kind: fc.constant('hello' as const),
  sequence: sequences,
  version: versions,
  download: fc.record({
    rateKBps: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0.25, max: 10_000, noNaN: true, noDefaultInfinity: true }),
    ),
    packetBytes: fc.integer({ min: 256, max: 1400 }),
    sdPercent: fc
      .double({ min: 0, max: 40, noNaN: true })
      .map((sd) => (Object.is(sd, -0) ? 0 : sd)),
  }),
  maxDelayMs: fc.integer({ min: 100, max: 60_000 }),
});

const welcomes: fc.Arbitrary<Welcome> = fc
  .record({
    six: fc.boolean(),
    host: fc.integer({ min: 2, max: 254 }),
    version: versions,
    sequence: sequences,
    counts: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
  })
  .map(({ six, host, version, sequence, counts: [queuePackets, queueMs, dropped] }) => ({
    kind: 'welcome',
    sequence,
    version,
    inner: {
      prefix4: `10.214.${host}.0/24`,
      prefix6: six ? `fd12:3456:789a:${host.toString(16)}::/64` : null,
      resolver4: '10.214.0.1',
      resolver6: six ? 'fd12:3456:789a::1' : null,
    },
    queuePackets,
    queueMs,
    dropped,
  }));

test('every message comes back as it went, in the smallest packet and the largest', (t) => {
  for (const packetBytes of [256, 1400]) {
    fc.assert(
      fc.property(fc.oneof(hellos, welcomes), (message) => {
        const datagram = encodeControl(message, packetBytes);
        t.is(datagram.length, packetBytes - 28);
        t.deepEqual(decodeControl(datagram), message);
      }),
      { numRuns: 300 },
    );
  }
});

test('the longest legal values fit a packet of 256 bytes', (t) => {
  const longest: ControlMessage[] = [
    {
      ...hello,
      sequence: 2 ** 31,
      version: '10.10.10-rc.10+20261231.abcdef0',
      download: { rateKBps: 1234.567890123456, packetBytes: 1400, sdPercent: 12.34567890123456 },
      maxDelayMs: 60_000,
    },
    {
      ...welcome,
      sequence: 2 ** 31,
      version: '10.10.10-rc.10+20261231.abcdef0',
      inner: {
        prefix4: '10.214.254.0/24',
        prefix6: 'fdff:ffff:ffff:fe::/64',
        resolver4: '10.214.0.1',
        resolver6: 'fdff:ffff:ffff::1',
      },
      queuePackets: 1e6,
      queueMs: 60_000,
      dropped: Number.MAX_SAFE_INTEGER,
    },
  ];
  for (const message of longest) t.deepEqual(decodeControl(encodeControl(message, 256)), message);
});

test('a message that does not fit is refused, not cut', (t) => {
  t.throws(() => encodeControl({ ...hello, version: 'x'.repeat(300) }, 256), {
    instanceOf: RangeError,
    message: /does not fit a packet of 256/,
  });
});

test('what is behind the text makes no difference', (t) => {
  const datagram = encodeControl(hello, 512);
  datagram.fill(0xff, datagram.indexOf(0, 2));
  t.deepEqual(decodeControl(datagram), hello);
});

test('random bytes are no message, and never throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => decodeControl(bytes) === null),
  );
  t.is(decodeControl(new Uint8Array(484)), null);
});

/** A datagram of any JSON value. */
function datagramOf(value: unknown): Uint8Array {
  const text = Buffer.from(JSON.stringify(value));
  return Buffer.concat([Buffer.from([text.length >> 8, text.length & 255]), text, Buffer.alloc(9)]);
}

test('any other JSON is no message', (t) => {
  t.notThrows(() =>
    fc.assert(fc.property(fc.jsonValue(), (value) => decodeControl(datagramOf(value)) === null)),
  );
});

test('every cut and every flipped bit gives null or a sound message', (t) => {
  for (const message of [hello, welcome]) {
    const datagram = encodeControl(message, 256);
    const end = datagram.indexOf(0, 2);
    for (let length = 0; length < end; length++) {
      t.is(decodeControl(datagram.subarray(0, length)), null, `cut at ${length}`);
    }
    for (let bit = 0; bit < end * 8; bit++) {
      const flipped = datagram.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const found = decodeControl(flipped);
      if (found !== null) t.deepEqual(decodeControl(encodeControl(found, 512)), found);
    }
  }
});

const h = ['h', 1, '1', 40, 512, 30, 10_000];
const w = ['w', 1, '1', '10.214.2.0/24', null, '10.214.0.1', null, 0, 0, 0];
const bad: [wire: unknown[], index: number, values: unknown[]][] = [
  [h, 0, ['x', null, 'w', 'H']],
  [h, 1, [-1, 2 ** 31 + 1, '1', null]],
  [h, 2, [1, null, 'x'.repeat(33)]],
  [h, 3, [-1, 0.1, 10_001, '40', null]],
  [h, 4, [255, 1401, 512.5, '512']],
  [h, 5, [-1, 41, null]],
  [h, 6, [0, 3_600_001, '1']],
  [
    w,
    3,
    [
      '10.214.2.1/24',
      '10.214.2.0/16',
      '10.214.256.0/24',
      '10.214.2.0',
      '10.214.2.0/24/24',
      'x',
      null,
    ],
  ],
  [
    w,
    4,
    ['fd00::/48', 'fd00::1/64', 'FD00::/64', 'fd00:0::/64', 'fd00::1::/64', '10.0.0.0/64', 7, ''],
  ],
  [w, 5, ['10.214.0.256', '10.214.0.1/32', '1', 'fd00::1', null, '10.214.0.1; drop']],
  [w, 6, ['fd00::g', 'fd00::1/64', '1.2.3.4', '::1%lo', '::ffff:1.2.3.4', 0]],
  [w, 7, [-1, '1', null]],
  [w, 8, [-1, {}]],
  [w, 9, [-1, 2 ** 53]],
];

for (const [wire, index, values] of bad) {
  test(`field ${index} of ${wire[0]} is checked`, (t) => {
    t.not(decodeControl(datagramOf(wire)), null);
    for (const value of values) {
      t.is(decodeControl(datagramOf(wire.with(index, value))), null, JSON.stringify(value));
    }
    t.is(decodeControl(datagramOf(wire.slice(0, index))), null);
  });
}
