// Plain values become the blobmsg types a person expects to see, and come back the same.

import { inspect } from 'node:util';
import test from 'ava';
import { CodecError } from '../../src/shell/ubus/blob.ts';
import { decodeBlobmsg, encodeBlobmsg } from '../../src/shell/ubus/blobmsg.ts';
import { fromBlobmsg, toBlobmsg } from '../../src/shell/ubus/values.ts';

const becomes = test.macro({
  title: (_, value: unknown, type: string, _back?: unknown) =>
    `${typeof value} ${inspect(value)} becomes ${type}`,
  exec(t, value: unknown, type: string, back: unknown = value) {
    const [field] = decodeBlobmsg(encodeBlobmsg(toBlobmsg({ value })));
    t.is(field?.type, type as never);
    t.deepEqual(fromBlobmsg([field!]), { value: back });
  },
});

test(becomes, 0, 'int32');
test(becomes, -0, 'int32', 0);
test(becomes, 40, 'int32');
test(becomes, 2 ** 31 - 1, 'int32');
test(becomes, 2 ** 31, 'int64');
test(becomes, -(2 ** 31), 'int32');
test(becomes, -(2 ** 31) - 1, 'int64');
test(becomes, Number.MAX_SAFE_INTEGER, 'int64');
test(becomes, 2 ** 62, 'int64');
test(becomes, 2 ** 63, 'double');
test(becomes, 5n, 'int32', 5);
test(becomes, 2n ** 63n - 1n, 'int64');
test(becomes, 7.5, 'double');
test(becomes, true, 'int8');
test(becomes, false, 'int8');
test(becomes, 'grüß', 'string');
test(becomes, 'a\0b', 'string', 'a\uFFFDb');
test(becomes, [1, 'two', [3]], 'array');
test(becomes, { k: { n: 1 } }, 'table');

test('what has no value is left out', (t) => {
  const table = { a: null, b: undefined, c: Number.NaN, d: 1 / 0, e: [null, 1], f: { g: null } };
  t.deepEqual(fromBlobmsg(toBlobmsg(table)), { e: [1], f: {} });
});

test('null from others is null', (t) => {
  const [field] = decodeBlobmsg(Buffer.from('8000000800016e00', 'hex'));
  t.deepEqual(fromBlobmsg([field!]), { n: null });
});

test('a field named __proto__ is a field', (t) => {
  const table = fromBlobmsg([{ name: '__proto__', type: 'table', value: [] }]);
  t.true(Object.hasOwn(table, '__proto__'));
  t.is(Object.getPrototypeOf(table), Object.prototype);
});

const refused = test.macro({
  title: (name) => `refused: ${name}`,
  exec(t, value: unknown, message: string) {
    t.is(
      t.throws(() => toBlobmsg({ a: [{ value }] }), { instanceOf: CodecError })?.message,
      message,
    );
  },
});

test('function', refused, () => 1, 'a[0].value: a function cannot be sent over ubus');
test('date', refused, new Date(0), 'a[0].value: a Date cannot be sent over ubus');
test('wide bigint', refused, 2n ** 64n, 'a[0].value: 18446744073709551616 does not fit 64 bits');

test('a value that holds itself is refused', (t) => {
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  t.throws(() => toBlobmsg(loop), { message: /nested deeper than 32 levels/ });
});
