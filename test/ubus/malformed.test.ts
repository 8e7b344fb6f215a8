// What is no message, no attribute or no field is refused with its exact error, and nothing follows.

import test from 'ava';
import { decodeAttributes } from '../../src/shell/ubus/attributes.ts';
import { CodecError } from '../../src/shell/ubus/blob.ts';
import { decodeBlobmsg, encodeBlobmsg } from '../../src/shell/ubus/blobmsg.ts';
import { FrameParser } from '../../src/shell/ubus/frame.ts';

const hello = '000000000f9ea5a200000004';
const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

const badFrame = test.macro({
  title: (name) => `stream: ${name}`,
  exec(t, hex: string, message: string) {
    for (const split of [0, 3, 12, 20]) {
      const parser = new FrameParser();
      const stream = bytes(hello + hex + hello);
      const parsed = [stream.subarray(0, split), stream.subarray(split)].map((part) =>
        parser.push(part),
      );
      t.is(parsed.flatMap(({ frames }) => frames).length, 1, 'what stood before it arrives');
      t.is(parsed[1]!.error?.message, message);
      const after = parser.push(bytes(hello));
      t.deepEqual(after.frames, [], 'nothing follows');
      t.is(after.error?.message, message);
    }
  },
});

test('version', badFrame, '01 02 0001 00000000 00000004', 'message version 1, expected 0');
test(
  'length below the header',
  badFrame,
  '00 02 0001 00000000 00000003',
  'message length 3 is less than its own header (4)',
);
test(
  'too long',
  badFrame,
  '00 02 0001 00000000 00100001',
  'message of 1048577 bytes exceeds the 1048576 libubus accepts',
);
test(
  'extended',
  badFrame,
  '00 02 0001 00000000 80000004',
  'extended attribute where a message begins',
);
test(
  'attribute id',
  badFrame,
  '00 02 0001 00000000 07000004',
  'attribute 7 where a message begins, expected 0',
);

test('a message of exactly the longest length is taken', (t) => {
  const stream = Buffer.alloc(8 + 1_048_576);
  stream.writeUInt32BE(1_048_576, 8);
  const { frames, error } = new FrameParser().push(stream);
  t.is(error, null);
  t.is(frames[0]?.body.length, 1_048_572);
});

test('the longest message, byte by byte, costs no more than its bytes', (t) => {
  const stream = Buffer.alloc(8 + 1_048_576);
  stream.writeUInt32BE(1_048_576, 8);
  const parser = new FrameParser();
  const frames = [...stream].flatMap((byte) => parser.push(Uint8Array.of(byte)).frames);
  t.is(frames.length, 1);
});

test('an incomplete message is waited for', (t) => {
  t.deepEqual(new FrameParser().push(bytes('00 02 0001 00000000 00000010 01000008')), {
    frames: [],
    error: null,
  });
});

const badBody = test.macro({
  title: (name) => `attributes: ${name}`,
  exec(t, hex: string, message: string) {
    t.is(
      t.throws(() => decodeAttributes(bytes(hex)), { instanceOf: CodecError })?.message,
      message,
    );
  },
});

test('stray bytes', badBody, '0000', 'byte 0: 2 stray bytes where an attribute should be');
test(
  'stray bytes after a sound one',
  badBody,
  '01000008 00000000 ff',
  'byte 8: 1 stray bytes where an attribute should be',
);
test(
  'shorter than its header',
  badBody,
  '01000003 00000000',
  'byte 0: attribute length 3 is less than its own header (4)',
);
test(
  'runs past the message',
  badBody,
  '01000008 00000000 0100000c 00000000',
  'byte 8: attribute of 12 bytes runs past its container (8 left)',
);
test('extended', badBody, '81000008 00000000', "byte 0: extended attribute 1 in a message's head");
test(
  'last one without its padding',
  badBody,
  '09000005 01',
  'byte 0: attribute of 8 bytes runs past its container (5 left)',
);
test('status of two bytes', badBody, '01000006 00000000', 'byte 0: status of 2 bytes, expected 4');
test('active of four bytes', badBody, '09000008 00000001', 'byte 0: active of 4 bytes, expected 1');
test(
  'path without NUL',
  badBody,
  '02000008 64656d6f',
  'byte 0: objectPath: string without its terminating NUL',
);
test('empty path', badBody, '02000004', 'byte 0: objectPath: string without its terminating NUL');
test(
  'path with a NUL inside',
  badBody,
  '02000008 64006d00',
  'byte 0: objectPath: string with a NUL inside',
);
test(
  'subscriber of one byte',
  badBody,
  '0b00000c 00000005 01000000',
  'byte 0: subscribers of 1 bytes, expected 4',
);

test('attributes newer than ours are passed over, the last of two alike wins', (t) => {
  const body = bytes('7f000008 00000000 01000008 00000001 01000008 00000002');
  t.deepEqual(decodeAttributes(body), { status: 2 });
});

const badField = test.macro({
  title: (name) => `blobmsg: ${name}`,
  exec(t, hex: string, message: string) {
    t.is(t.throws(() => decodeBlobmsg(bytes(hex)), { instanceOf: CodecError })?.message, message);
  },
});

test(
  'not a named field',
  badField,
  '05000008 00000001',
  'byte 0: blobmsg field without the flag of a named one',
);
test('unknown type', badField, '89000008 00000000', 'byte 0: unknown blobmsg type 9');
test('no room for a name', badField, '85000004', 'byte 0: blobmsg field too short for a name');
test(
  'name longer than the field',
  badField,
  '85000008 00ff6100',
  'byte 0: name of 255 bytes in a field of 8 bytes',
);
test(
  'name without NUL',
  badField,
  '8500000c 00016161 00000001',
  'byte 0: name: string without its terminating NUL',
);
test(
  'integer of three bytes',
  badField,
  '8500000b 00016100 00000100',
  'byte 0: int32 of 3 bytes, expected 4',
);
test(
  'boolean of two bytes',
  badField,
  '8700000a 00016100 01010000',
  'byte 0: int8 of 2 bytes, expected 1',
);
test(
  'double of four bytes',
  badField,
  '8800000c 00016100 3fd00000',
  'byte 0: double of 4 bytes, expected 8',
);
test(
  'int64 of four bytes',
  badField,
  '8400000c 00016100 00000001',
  'byte 0: int64 of 4 bytes, expected 8',
);
test(
  'string without NUL',
  badField,
  '8300000c 00016100 61626364',
  'byte 0: string without its terminating NUL',
);
test(
  'fault in a table inside an array',
  badField,
  '81000020 00016100 82000018 00000000 85000010 00016b00 00000001 00000000',
  'byte 16: int32 of 8 bytes, expected 4',
);

test('nesting has an end, both ways', (t) => {
  let hex = '';
  for (let depth = 0; depth < 40; depth++) {
    const length = hex.length / 2 + 8;
    hex = `81${length.toString(16).padStart(6, '0')}00000000${hex}`;
  }
  t.throws(() => decodeBlobmsg(bytes(hex)), { message: /nested deeper than 32 levels/ });
  let field: Parameters<typeof encodeBlobmsg>[0][number] = { name: '', type: 'array', value: [] };
  for (let depth = 0; depth < 40; depth++) field = { name: '', type: 'array', value: [field] };
  t.throws(() => encodeBlobmsg([field]), { message: /nested deeper than 32 levels/ });
});

const unencodable = test.macro({
  title: (name) => `refused on the way out: ${name}`,
  exec(t, fields: Parameters<typeof encodeBlobmsg>[0], message: string) {
    t.is(t.throws(() => encodeBlobmsg(fields), { instanceOf: CodecError })?.message, message);
  },
});

test(
  'int32 too large',
  unencodable,
  [{ name: 'n', type: 'int32', value: 2 ** 31 }],
  'field "n": int32 must be a whole number from -2147483648 to 2147483647, got 2147483648',
);
test(
  'int64 too large',
  unencodable,
  [{ name: 'n', type: 'int64', value: 2n ** 63n }],
  'field "n": 9223372036854775808 does not fit int64',
);
test(
  'NUL in a string',
  unencodable,
  [{ name: 's', type: 'string', value: 'a\0b' }],
  'field "s": string with a NUL inside',
);
test(
  'longer than a message',
  unencodable,
  [{ name: 's', type: 'string', value: 'x'.repeat(1_048_576) }],
  'message would exceed the 1048576 bytes ubusd accepts',
);
test(
  'name longer than its length field',
  unencodable,
  [{ name: 'x'.repeat(65_536), type: 'string', value: '' }],
  'name of 65536 bytes, at most 65535 fit',
);
