// The lab's DNS codec against bytes written out by hand, and against bytes nobody meant.
import { isIPv4 } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import {
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
} from '../../src/research/lab/traffic/dns.ts';

// RFC 1035, 4.1: id 0x1234, recursion desired, one question, ntp.hello.is A IN.
const question =
  '12340100000100000000000003' + '6e7470' + '0568656c6c6f' + '026973' + '00' + '00010001';
// The same, answered: authoritative, one record of the name, 60 s, 198.51.100.7.
const answer =
  '12348580000100010000000003' +
  '6e7470' +
  '0568656c6c6f' +
  '026973' +
  '00' +
  '00010001' +
  '036e7470' +
  '0568656c6c6f' +
  '026973' +
  '00' +
  '000100010000003c0004c6336407';
// As most servers write it: the name is that at offset 12.
const compressed = answer.replace(/(?<=00010001)036e.*697300/, 'c00c');

test('questions and answers are the bytes RFC 1035 asks for', (t) => {
  const asked = { id: 0x1234, name: 'ntp.hello.is', type: 'A' } as const;
  t.is(encodeQuestion(asked).toString('hex'), question);
  t.deepEqual(decodeQuestion(Buffer.from(question, 'hex')), asked);
  t.is(encodeAnswer(asked, ['198.51.100.7']).toString('hex'), answer);
  for (const bytes of [answer, compressed]) {
    t.deepEqual(decodeAnswer(Buffer.from(bytes, 'hex')), {
      id: 0x1234,
      addresses: ['198.51.100.7'],
    });
  }
  t.is(compressed.length, answer.length - 2 * 12);
});

test('a name that does not exist has no addresses, not an empty list', (t) => {
  const asked = { id: 9, name: 'nobody.example', type: 'A' } as const;
  t.deepEqual(decodeAnswer(encodeAnswer(asked, null)), { id: 9, addresses: null });
  t.deepEqual(decodeAnswer(encodeAnswer(asked, [])), { id: 9, addresses: [] });
});

test('cut anywhere, a message is refused as cut off', (t) => {
  const whole = Buffer.from(answer, 'hex');
  for (let length = 0; length < whole.length; length++) {
    t.throws(() => decodeAnswer(whole.subarray(0, length)), undefined, `${length} bytes`);
  }
});

test('a name that points at itself is refused', (t) => {
  const loop = Buffer.from('123401000001000000000000c00c00010001', 'hex');
  t.throws(() => decodeQuestion(loop), { message: /pointer/ });
});

test('whatever bytes are changed, an address read is one', (t) => {
  const whole = Buffer.from(compressed, 'hex');
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.nat(whole.length), (changes, length) => {
        const message = Buffer.from(whole.subarray(0, length));
        for (const [at, value] of changes) if (at < length) message[at] = value;
        const addresses = readAddresses(message);
        return addresses.every((address) => isIPv4(address));
      }),
    ),
  );
});

function readAddresses(message: Buffer): readonly string[] {
  try {
    return decodeAnswer(message).addresses ?? [];
  } catch {
    return [];
  }
}
