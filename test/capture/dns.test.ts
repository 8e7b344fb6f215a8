// DNS messages as an observer finds them.
import test from 'ava';
import fc from 'fast-check';
import { parseDns } from '../../src/research/capture/dns.ts';
import { runs } from '../property-runs.ts';
import { dnsMessage, encodeName } from './packets.ts';

test('a question', (t) => {
  t.deepEqual(parseDns(dnsMessage('Sense-In.hello.is')), {
    isResponse: false,
    questions: ['sense-in.hello.is'],
    addresses: [],
  });
});

test('an answer names its address by what was asked and by every alias', (t) => {
  const message = dnsMessage('api.xbcs.net', [
    ['api.xbcs.net', 5, encodeName('a.example')],
    ['a.example', 5, encodeName('b.example')],
    ['b.example', 1, [198, 51, 100, 9]],
    ['b.example', 28, [0x20, 1, 0x0d, 0xb8, ...new Array(11).fill(0), 9]],
  ]);
  const names = ['b.example', 'a.example', 'api.xbcs.net'];
  t.deepEqual(parseDns(message), {
    isResponse: true,
    questions: ['api.xbcs.net'],
    addresses: [
      { address: '198.51.100.9', names },
      { address: '2001:db8::9', names },
    ],
  });
});

test('aliases in a circle end', (t) => {
  const message = dnsMessage('a.example', [
    ['a.example', 5, encodeName('b.example')],
    ['b.example', 5, encodeName('a.example')],
    ['b.example', 1, [1, 2, 3, 4]],
  ]);
  t.deepEqual(parseDns(message)!.addresses, [
    { address: '1.2.3.4', names: ['b.example', 'a.example'] },
  ]);
});

test('a compression pointer to itself is refused', (t) => {
  const message = dnsMessage('a.example');
  message[12] = 0xc0;
  message[13] = 12;
  t.is(parseDns(message), null);
});

test('a message cut short gives what came before the cut', (t) => {
  const whole = dnsMessage('a.example', [
    ['a.example', 1, [1, 2, 3, 4]],
    ['a.example', 1, [5, 6, 7, 8]],
  ]);
  const parsed = parseDns(whole.subarray(0, whole.length - 1))!;
  t.deepEqual(
    parsed.addresses.map(({ address }) => address),
    ['1.2.3.4'],
  );
  t.is(parseDns(whole.subarray(0, 20)), null);
});

test('any bytes are parsed or refused', (t) => {
  const whole = dnsMessage('some.name.example', [
    ['some.name.example', 5, encodeName('other.example')],
  ]);
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
        (changes) => {
          const message = whole.slice();
          for (const [at, value] of changes) message[at] = value;
          const parsed = parseDns(message);
          return parsed === null || parsed.questions.every((name) => name.length < 256);
        },
      ),
      { numRuns: runs(3000) },
    ),
  );
});
