// Messages of the emulated devices: cut anywhere on the way, each is counted once and whole.
import test from 'ava';
import fc from 'fast-check';
import {
  answerMessage,
  decodeMessage,
  encodeMessage,
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  MessageStream,
} from '../../src/research/lab/traffic/message.ts';

const header = fc.record({
  id: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  part: fc.integer({ min: 0, max: 65_535 }),
  totalBytes: fc.integer({ min: HEADER_BYTES, max: 3000 }),
  replyBytes: fc.integer({ min: 0, max: 10_000 }),
});

test('a message is as long as asked and decodes to what was encoded', (t) => {
  fc.assert(
    fc.property(header, (asked) => {
      const message = encodeMessage(asked);
      t.is(message.length, asked.totalBytes);
      t.deepEqual(decodeMessage(message), asked);
    }),
  );
});

test('a stream cut anywhere gives the same messages in the same order', (t) => {
  fc.assert(
    fc.property(
      fc.array(header, { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 40 }),
      (headers, cuts) => {
        const bytes = Buffer.concat(headers.map(encodeMessage));
        const stream = new MessageStream();
        const seen = [];
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const length = cuts[cut % cuts.length]!;
          seen.push(...stream.push(bytes.subarray(at, at + length)));
          at += length;
        }
        t.deepEqual(seen, headers);
      },
    ),
  );
});

test('a stream of something else is refused, not swallowed', (t) => {
  t.throws(() => new MessageStream().push(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n')), {
    message: 'the stream holds something else than lab messages',
  });
});

test('answers add up to what was asked, in datagrams that fit', (t) => {
  const asked = { id: 5, part: 0, totalBytes: 100, replyBytes: 3000 };
  t.deepEqual(
    answerMessage(asked, 'udp').map(({ totalBytes, part }) => [part, totalBytes]),
    [
      [1, MAX_DATAGRAM_BYTES],
      [2, MAX_DATAGRAM_BYTES],
      [3, 200],
    ],
  );
  t.deepEqual(answerMessage(asked, 'tcp'), [{ id: 5, part: 1, totalBytes: 3000, replyBytes: 0 }]);
  t.deepEqual(answerMessage({ ...asked, replyBytes: 0 }, 'udp'), []);
});
