// The control message: whole there and back, one slot’s size, deaf to anything that is not proven.
import test from 'ava';
import fc from 'fast-check';
import { endpointTroubles } from '../../src/core/control/endpoint-troubles.ts';
import {
  type Challenge,
  type ControlMessage,
  decodeControl,
  encodeControl,
  type Hello,
  NO_NONCE,
  NONCE_BYTES,
  RECEIVED_WRAPS,
  type Refused,
  type Welcome,
} from '../../src/core/control/message.ts';
import { PROOF_BYTES, Proof } from '../../src/core/control/proof.ts';
import { refusalCodes } from '../../src/core/control/refusal.ts';
import { modeNames, modes } from '../../src/core/pacing/modes.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { hmacSha256 } from '../../src/shell/control/hmac.ts';
import { runs } from '../property-runs.ts';
import { keyOf, proofOf } from './proofs.ts';

const proof = proofOf(1);
const turn = { homeNonce: 'ab'.repeat(NONCE_BYTES), endpointNonce: NO_NONCE, sequence: 7 };

const hello: Hello = {
  kind: 'hello',
  ...turn,
  version: '0.1.0',
  download: { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 },
  maxDelayMs: 10_000,
  standingSlots: null,
};

const challenge: Challenge = {
  kind: 'challenge',
  ...turn,
  endpointNonce: '0123456789ab'.repeat(2),
};

const welcome: Welcome = {
  kind: 'welcome',
  ...turn,
  endpointNonce: '0123456789ab'.repeat(2),
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
  received: 16_777_215,
  troubles: ['forward', 'resolver'],
  wholeBytes: 1368,
};

const nonces = fc
  .uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const turns = {
  homeNonce: nonces,
  endpointNonce: nonces,
  sequence: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
};
const versions = fc.stringMatching(/^[0-9A-Za-z.+-]{0,32}$/);

const hellos: fc.Arbitrary<Hello> = fc.record({
  kind: fc.constant('hello' as const),
  ...turns,
  version: versions,
  download: fc.record({
    rateKBps: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0.25, max: 10_000, noNaN: true, noDefaultInfinity: true }),
    ),
    packetBytes: fc.integer({ min: 256, max: 1400 }),
    mode: fc.constantFrom(...modeNames),
    sdPercent: fc
      .double({ min: 0, max: 40, noNaN: true })
      .map((sd) => (Object.is(sd, -0) ? 0 : sd)),
  }),
  maxDelayMs: fc.integer({ min: 100, max: 60_000 }),
  standingSlots: fc.option(fc.integer({ min: 0, max: 200 })),
});

const challenges: fc.Arbitrary<Challenge> = fc.record({
  kind: fc.constant('challenge' as const),
  ...turns,
});

const refusals: fc.Arbitrary<Refused> = fc.record({
  kind: fc.constant('refused' as const),
  ...turns,
  version: versions,
  refusal: fc.record({
    code: fc.constantFrom(...refusalCodes),
    asked: fc.double({ min: 0, max: 1e6, noNaN: true }).map((one) => one + 0),
    allowed: fc.double({ min: 0, max: 1e6, noNaN: true }).map((one) => one + 0),
  }),
});

const welcomes: fc.Arbitrary<Welcome> = fc
  .record({
    six: fc.boolean(),
    host: fc.integer({ min: 2, max: 254 }),
    version: versions,
    turn: fc.record(turns),
    counts: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
    received: fc.option(fc.integer({ min: 1, max: RECEIVED_WRAPS - 1 })),
    troubles: fc.subarray([...endpointTroubles]),
    wholeBytes: fc.option(fc.integer({ min: 256, max: 1400 })),
  })
  .map(
    ({
      six,
      host,
      version,
      turn: drawn,
      counts: [queuePackets, queueMs, dropped],
      ...arrival
    }) => ({
      kind: 'welcome',
      ...drawn,
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
      ...arrival,
    }),
  );

test('every message comes back as it went, in the smallest packet and the largest', (t) => {
  for (const packetBytes of [256, 1400]) {
    fc.assert(
      fc.property(fc.oneof(hellos, challenges, welcomes, refusals), (message) => {
        const datagram = encodeControl(message, packetBytes, proof);
        t.is(datagram.length, packetBytes - 28);
        t.deepEqual(decodeControl(datagram, proof), message);
      }),
      { numRuns: runs(300) },
    );
  }
});

test('the longest legal values fit a packet of 256 bytes', (t) => {
  const longest: ControlMessage[] = [
    {
      ...hello,
      homeNonce: 'ff'.repeat(NONCE_BYTES),
      endpointNonce: 'ff'.repeat(NONCE_BYTES),
      sequence: 2 ** 32 - 1,
      version: '10.10.10-rc.10+20261231.abcdef01',
      download: {
        rateKBps: 1234.5678901234567,
        packetBytes: 1400,
        mode: 'constant',
        sdPercent: 1.234567890123456e-300,
      },
      maxDelayMs: 1234567.8901234567,
    },
    { ...challenge, sequence: 2 ** 32 - 1 },
    {
      ...welcome,
      homeNonce: 'ff'.repeat(NONCE_BYTES),
      sequence: 2 ** 32 - 1,
      version: '10.10.10-rc.10+20261231.abcdef01',
      inner: {
        prefix4: '255.255.255.0/24',
        prefix6: 'fdff:ffff:ffff:ffff::/64',
        resolver4: '255.255.255.255',
        resolver6: 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      },
      queuePackets: 2 ** 32 - 1,
      queueMs: 2 ** 32 - 1,
      dropped: 2 ** 32 - 1,
    },
  ];
  for (const message of longest)
    t.deepEqual(decodeControl(encodeControl(message, 256, proof), proof), message);
});

test('figures too large to be told are told as the largest', (t) => {
  const full = { ...welcome, dropped: Number.MAX_SAFE_INTEGER, queueMs: 12.4 };
  const found = decodeControl(encodeControl(full, 256, proof), proof);
  t.like(found, { dropped: 2 ** 32 - 1, queueMs: 12 });
});

test('a message that does not fit is refused, not cut', (t) => {
  t.throws(() => encodeControl({ ...hello, version: 'x'.repeat(300) }, 256, proof), {
    instanceOf: RangeError,
    message: /does not fit a packet of 256/,
  });
});

test('a datagram of zeros is no message', (t) => {
  t.is(decodeControl(new Uint8Array(484), proof), null);
});

test('every cut and every flipped bit of a message is refused, the pad included', (t) => {
  for (const message of [hello, challenge, welcome]) {
    const datagram = encodeControl(message, 256, proof);
    for (let length = 0; length < datagram.length; length++) {
      t.is(decodeControl(datagram.subarray(0, length), proof), null, `cut at ${length}`);
    }
    t.is(decodeControl(Buffer.concat([datagram, Buffer.alloc(1)]), proof), null);
    for (let bit = 0; bit < datagram.length * 8; bit++) {
      const flipped = datagram.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      t.is(decodeControl(flipped, proof), null, `bit ${bit} of a ${message.kind}`);
    }
  }
});

test('a message of another key or another home is refused', (t) => {
  for (const message of [hello, challenge, welcome]) {
    const datagram = encodeControl(message, 512, proof);
    t.deepEqual(decodeControl(datagram, proofOf(1)), message);
    t.is(decodeControl(datagram, proofOf(2)), null);
    t.is(decodeControl(datagram, proofOf(1, '10.213.0.3')), null);
  }
});

test('the proof is HMAC-SHA-256 over whose it is and all behind it', (t) => {
  const datagram = encodeControl(hello, 256, proof);
  const data = Buffer.concat([
    Buffer.from('iotshaper control 1 10.213.0.2\n'),
    datagram.subarray(PROOF_BYTES),
  ]);
  t.deepEqual(
    Buffer.from(datagram.subarray(0, PROOF_BYTES)),
    Buffer.from(hmacSha256(keyOf(1), data)).subarray(0, PROOF_BYTES),
  );
  // RFC 4231, test case 2.
  const [key, text] = [Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?')];
  t.is(
    Buffer.from(hmacSha256(key, text)).toString('hex'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

for (const bytes of [0, 16, 31, 33]) {
  test(`a key of ${bytes} bytes is none`, (t) => {
    t.throws(() => new Proof(hmacSha256, new Uint8Array(bytes), '10.213.0.2'), {
      instanceOf: RangeError,
      message: /remove-home and add-home .* upload the new profile/,
    });
  });
}

/** A well-proven datagram of any JSON value. */
function datagramOf(kind: string, value: unknown): Uint8Array {
  const text = Buffer.from(JSON.stringify(value));
  const datagram = Buffer.alloc(PROOF_BYTES + 31 + text.length + 9);
  datagram.write(kind, PROOF_BYTES);
  datagram.writeUInt16BE(text.length, PROOF_BYTES + 29);
  datagram.set(text, PROOF_BYTES + 31);
  proof.seal(datagram);
  return datagram;
}

const decode = (kind: string, value: unknown) => decodeControl(datagramOf(kind, value), proof);

test('any other JSON is no message', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.constantFrom('h', 'w'), fc.jsonValue(), (kind, value) => {
        return decode(kind, value) === null;
      }),
    ),
  );
  t.is(decode('c', {}), null);
  t.is(decode('c', [])?.kind, 'challenge');
});

const h = ['1', 40, 512, 30, 10_000];
const w = ['1', '10.214.2.0/24', null, '10.214.0.1', null, 0, 0, 0];
const bad: [kind: string, wire: unknown[], index: number, values: unknown[]][] = [
  ['h', h, 0, [1, null, 'x'.repeat(33), 'a b', 'a\n', '"']],
  ['h', h, 1, [-1, 0.1, 10_001, '40', null]],
  ['h', h, 2, [255, 1401, 512.5, '512']],
  ['h', h, 3, [-1, 41, null]],
  ['h', h, 4, [0, 3_600_001, '1']],
  ['h', [...h, 'vit'], 5, [1, null, {}]],
  ['w', w, 0, [1, null, 'x'.repeat(33), '<b>']],
  [
    'w',
    w,
    1,
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
    'w',
    w,
    2,
    ['fd00::/48', 'fd00::1/64', 'FD00::/64', 'fd00:0::/64', 'fd00::1::/64', '10.0.0.0/64', 7, ''],
  ],
  ['w', w, 3, ['10.214.0.256', '10.214.0.1/32', '1', 'fd00::1', null, '10.214.0.1; drop']],
  ['w', w, 4, ['fd00::g', 'fd00::1/64', '1.2.3.4', '::1%lo', '::ffff:1.2.3.4', 0]],
  ['w', w, 5, [-1, '1', null]],
  ['w', w, 6, [-1, {}]],
  ['w', w, 7, [-1, 2 ** 32]],
];

for (const [kind, wire, index, values] of bad) {
  test(`field ${index} of ${kind} is checked`, (t) => {
    t.not(decode(kind, wire), null);
    for (const other of ['x', 'H', '\0', kind === 'h' ? 'w' : 'h']) t.is(decode(other, wire), null);
    for (const value of values) {
      t.is(decode(kind, wire.with(index, value)), null, JSON.stringify(value));
    }
    // The mode is left out where it says nothing new.
    if (kind === 'w' || index < h.length) t.is(decode(kind, wire.slice(0, index)), null);
  });
}

test('a mode is named only where an end of before these names would take another', (t) => {
  const textOf = (download: Shape) => {
    const datagram = Buffer.from(encodeControl({ ...hello, download }, 512, proof));
    const length = datagram.readUInt16BE(PROOF_BYTES + 29);
    return datagram.toString('utf8', PROOF_BYTES + 31, PROOF_BYTES + 31 + length);
  };
  const shape = { rateKBps: 40, packetBytes: 512 };
  t.is(textOf({ ...shape, mode: 'vit', sdPercent: 30 }), '["0.1.0",40,512,30,10000]');
  t.is(textOf({ ...shape, mode: 'constant', sdPercent: 0 }), '["0.1.0",40,512,0,10000]');
  for (const mode of modeNames.filter((name) => name !== 'vit' && modes[name].varies))
    t.is(textOf({ ...shape, mode, sdPercent: 30 }), `["0.1.0",40,512,30,10000,"${mode}"]`);
});

test('a hello without a mode, or with one not known here, is read by its deviation', (t) => {
  const modeOf = (wire: unknown[]) => {
    const message = decode('h', wire);
    return message?.kind === 'hello' ? message.download.mode : null;
  };
  t.is(modeOf(h), 'vit');
  t.is(modeOf(h.with(3, 0)), 'constant');
  t.is(modeOf([...h, 'poisson']), 'vit');
  t.is(modeOf([...h, 'constructor']), 'vit');
  t.is(modeOf([...h.with(3, 0), 'poisson']), 'constant');
  for (const mode of modeNames) t.is(modeOf([...h, mode]), mode);
});

test('a reason that only a newer endpoint knows is one still, and what is no reason is nothing', (t) => {
  const said: Refused = {
    ...{ kind: 'refused', ...turn, version: '9' },
    refusal: { code: 'month', asked: 2, allowed: 1 },
  };
  const retold = (change: (text: string) => string): ControlMessage | null => {
    const datagram = encodeControl(said, 256, proof);
    const text = Buffer.from(datagram).toString('latin1');
    const changed = Buffer.from(change(text), 'latin1');
    proof.seal(changed);
    return decodeControl(changed, proof);
  };
  t.like(
    retold((text) => text.replace('month', 'weeks')),
    { refusal: { code: 'other', asked: 2 } },
  );
  t.is(
    retold((text) => text.replace('2,', '-,')),
    null,
  );
  t.is(
    retold((text) => text.replace('"month"', '1234567')),
    null,
  );
});
