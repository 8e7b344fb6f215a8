// For any fields: what is written is read back. Bytes of any kind are tried in test/fuzz.

import test from 'ava';
import fc from 'fast-check';
import {
  type Attributes,
  decodeAttributes,
  encodeAttributes,
} from '../../src/shell/ubus/attributes.ts';
import {
  type BlobmsgField,
  type BlobmsgValue,
  decodeBlobmsg,
  encodeBlobmsg,
} from '../../src/shell/ubus/blobmsg.ts';
import { encodeFrame, type Frame, FrameParser } from '../../src/shell/ubus/frame.ts';
import { fromBlobmsg, toBlobmsg } from '../../src/shell/ubus/values.ts';
import { anyCharacter } from '../any-character.ts';
import { runs } from '../property-runs.ts';

const text = fc
  .string({ unit: anyCharacter, maxLength: 40 })
  .filter((value) => !value.includes('\0'));
const integer = (low: number, high: number) => fc.integer({ min: low, max: high });

const { fields } = fc.letrec<{ fields: BlobmsgField[]; value: BlobmsgValue }>((tie) => ({
  fields: fc.array(
    fc.tuple(text, tie('value')).map(([name, value]) => ({ name, ...value })),
    { maxLength: 6, depthIdentifier: 'nest' },
  ),
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'nest' },
    fc.record({ type: fc.constant('string' as const), value: text }),
    fc.record({
      type: fc.constant('int64' as const),
      value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    }),
    fc.record({ type: fc.constant('int32' as const), value: integer(-(2 ** 31), 2 ** 31 - 1) }),
    fc.record({ type: fc.constant('int16' as const), value: integer(-(2 ** 15), 2 ** 15 - 1) }),
    fc.record({ type: fc.constant('int8' as const), value: integer(0, 255) }),
    fc.record({ type: fc.constant('double' as const), value: fc.double() }),
    fc.record({
      type: fc.constant('unspec' as const),
      value: fc.uint8Array({ maxLength: 9 }).map((bytes) => Uint8Array.from(bytes)),
    }),
    fc.record({ type: fc.constantFrom('array' as const, 'table' as const), value: tie('fields') }),
  ),
}));

test('any fields are read back as they were written', (t) => {
  fc.assert(
    fc.property(fields, (some) => {
      t.deepEqual(decodeBlobmsg(encodeBlobmsg(some)), some);
    }),
    { numRuns: runs(1000) },
  );
});

test('any attributes are read back as they were written', (t) => {
  const attributes: fc.Arbitrary<Attributes> = fc.record(
    {
      status: fc.nat(13),
      objectPath: text,
      objectId: integer(0, 2 ** 32 - 1),
      method: text,
      active: fc.boolean(),
      subscribers: fc.array(integer(0, 2 ** 32 - 1), { maxLength: 20 }),
      user: text,
      data: fields.map(encodeBlobmsg),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(attributes, (some) => {
      t.deepEqual({ ...decodeAttributes(encodeAttributes(some)) }, { ...some });
    }),
    { numRuns: runs(1000) },
  );
});

test('any messages, cut anywhere, arrive as they were sent', (t) => {
  const frame: fc.Arbitrary<Frame> = fc.record({
    type: integer(0, 255),
    seq: integer(0, 0xffff),
    peer: integer(0, 2 ** 32 - 1),
    body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.nat(400), { maxLength: 30 }),
      (frames, cuts) => {
        const stream = Buffer.concat(frames.map(encodeFrame));
        const parser = new FrameParser();
        const got: Frame[] = [];
        let at = 0;
        for (const size of [...cuts, stream.length]) {
          got.push(...parser.push(stream.subarray(at, at + size)).frames);
          at = Math.min(at + size, stream.length);
        }
        t.deepEqual(got, frames);
      },
    ),
    { numRuns: runs(500) },
  );
});

test('any JSON without null is the same after the bus', (t) => {
  const key = text;
  const plain = fc.object({
    key,
    maxDepth: 3,
    values: [
      text,
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    ],
  });
  fc.assert(
    fc.property(plain, (value) => {
      const back = fromBlobmsg(decodeBlobmsg(encodeBlobmsg(toBlobmsg(value))));
      t.is(JSON.stringify(back), JSON.stringify(value));
    }),
    { numRuns: runs(1000) },
  );
});
