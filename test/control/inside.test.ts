// What an endpoint may assign: networks of the profile, and nothing else.
import test from 'ava';
import { findInsideFault } from '../../src/core/control/inside.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import type { InnerNetwork } from '../../src/core/plan/facts.ts';
import { inner, inside } from './proofs.ts';

test('what lies inside is taken', (t) => {
  t.is(findInsideFault(inner, inside), null);
  const four = { ...inner, prefix6: null, resolver6: null };
  t.is(findInsideFault(four, inside), null);
  t.is(findInsideFault(four, { ...inside, inner6: null }), null);
  // Written as drawn, with zeros that RFC 5952 leaves out.
  const drawn = { ...inner, prefix6: 'fd12:34:0:2::/64', resolver6: 'fd12:0034:0::1' };
  t.is(findInsideFault(drawn, { ...inside, inner6: 'fd12:0034:0::/48' }), null);
});

const outside: [part: Partial<InnerNetwork>, named: string][] = [
  [{ prefix4: '10.215.2.0/24' }, '10.215.2.0/24'],
  [{ prefix4: '192.168.1.0/24' }, '192.168.1.0/24'],
  [{ resolver4: '10.213.0.1' }, '10.213.0.1'],
  [{ resolver4: '203.0.113.7' }, '203.0.113.7'],
  [{ prefix6: 'fd12:3456:789b:2::/64' }, 'fd12:3456:789b:2::/64'],
  [{ prefix6: '2001:db8::/64' }, '2001:db8::/64'],
  [{ resolver6: '2001:db8::1' }, '2001:db8::1'],
];

for (const [part, named] of outside) {
  test(`${named} is refused by name`, (t) => {
    const fault = findInsideFault({ ...inner, ...part }, inside);
    t.is(
      fault && wordsOf(fault),
      `the endpoint's answer is refused: it names ${named}, but the profile allows 10.214.0.0/16 and fd12:3456:789a::/48 only; if the endpoint was made anew, upload the profile that its add-home printed`,
    );
  });
}

test('a profile without IPv6 allows none', (t) => {
  const fault = findInsideFault(inner, { ...inside, inner6: null });
  t.regex(
    fault ? wordsOf(fault) : '',
    /names fd12:3456:789a:2::\/64, but the profile allows 10\.214\.0\.0\/16 only/,
  );
});
