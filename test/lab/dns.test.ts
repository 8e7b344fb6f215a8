// The lab's DNS codec against bytes written out by hand, and against bytes nobody meant.
import test from 'ava';
import fc from 'fast-check';
import {
  DnsError,
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
  TYPE_A,
} from '../../src/research/lab/traffic/dns.ts';

// RFC 1035, 4.1: id 0x1234, recursion desired, one question, ntp.hello.is A IN.
const question =
  '12340100000100000000000003' + '6e7470' + '0568656c6c6f' + '026973' + '00' + '00010001';
// The same, answered: authoritative, one record pointing at the name, 60 s, 198.51.100.7.
const answer =
  '12348580000100010000000003' +
  '6e7470' +
  '0568656c6c6f' +
  '026973' +
  '00' +
  '00010001' +
  'c00c000100010000003c0004c6336407';

test('questions and answers are the bytes RFC 1035 asks for', (t) => {
  const asked = { id: 0x1234, name: 'ntp.hello.is', type: TYPE_A };
  t.is(encodeQuestion(asked).toString('hex'), question);
  t.deepEqual(decodeQuestion(Buffer.from(question, 'hex')), asked);
  t.is(encodeAnswer(asked, [Uint8Array.of(198, 51, 100, 7)]).toString('hex'), answer);
  t.deepEqual(decodeAnswer(Buffer.from(answer, 'hex')), {
    id: 0x1234,
    addresses: ['198.51.100.7'],
  });
});

test('a name that does not exist has no addresses, not an empty list', (t) => {
  const asked = { id: 9, name: 'nobody.example', type: TYPE_A };
  t.deepEqual(decodeAnswer(encodeAnswer(asked, null)), { id: 9, addresses: null });
  t.deepEqual(decodeAnswer(encodeAnswer(asked, [])), { id: 9, addresses: [] });
});

test('cut anywhere, a message is refused as cut off', (t) => {
  const whole = Buffer.from(answer, 'hex');
  for (let length = 0; length < whole.length; length++) {
    t.throws(
      () => decodeAnswer(whole.subarray(0, length)),
      { instanceOf: DnsError },
      `${length} bytes`,
    );
  }
});

test('a name that points at itself is refused', (t) => {
  const loop = Buffer.from('123401000001000000000000c00c00010001', 'hex');
  t.throws(() => decodeQuestion(loop), {
    instanceOf: DnsError,
    message: 'the DNS name points at itself',
  });
});

test('random bytes are decoded or refused, never anything else', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        for (const decode of [decodeQuestion, (b: Uint8Array) => decodeAnswer(Buffer.from(b))]) {
          try {
            decode(bytes);
          } catch (error) {
            if (!(error instanceof DnsError)) throw error;
          }
        }
      }),
    ),
  );
});
