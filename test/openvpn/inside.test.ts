// The block <iotshaper>: what version 1 holds, what later ones may add, what is refused.
import test from 'ava';
import { wordsOf } from '../../src/core/notices/words.ts';
import { parseControlKey, renderInside } from '../../src/core/openvpn/inside.ts';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import { material } from './material.ts';

/** The profile with another block; its first line is the ninth. */
function withBlock(...lines: string[]): string {
  return material.text.replace(
    /<iotshaper>[\s\S]*<\/iotshaper>/,
    ['<iotshaper>', ...lines, '</iotshaper>'].join('\n'),
  );
}

const key = Buffer.alloc(32, 0xfb).toString('base64');
const usual = ['version 1', `control-key ${key}`, 'tunnel 10.213.0.0/24', 'inner 10.214.0.0/16'];
const as = 'upload the profile as the endpoint printed it';

function insideOf(...lines: string[]) {
  const verdict = checkProfile(withBlock(...lines), pemReader);
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems));
  return { ...verdict.profile.inside, key: Buffer.from(verdict.profile.controlKey) };
}

test('the key and the prefixes are read, in any order', (t) => {
  const found = {
    tunnel: '10.213.0.0/24',
    inner4: '10.214.0.0/16',
    inner6: null,
    key: Buffer.alloc(32, 0xfb),
  };
  t.deepEqual(insideOf(...usual), found);
  t.deepEqual(insideOf(...usual.toReversed()), found);
  t.is(insideOf(...usual, 'inner6 FD01:0002:0003::/48').inner6, 'fd01:2:3::/48');
  t.is(insideOf(...usual, 'inner6 fd00:0:0::/48').inner6, 'fd00::/48');
});

test('what is printed is read back', (t) => {
  const inside = { tunnel: '192.168.7.0/24', inner4: '172.16.0.0/16', inner6: 'fd12::/48' };
  const lines = renderInside(key, inside).slice(1, -1);
  t.deepEqual(insideOf(...lines), { ...inside, key: Buffer.alloc(32, 0xfb) });
});

test('names that this version does not know are left for later ones', (t) => {
  t.notThrows(() => insideOf(...usual, 'colour red green', 'colour "', '# größer', ''));
});

function problemsOf(text: string): [line: number, message: string][] {
  const verdict = checkProfile(text, pemReader);
  return verdict.ok ? [] : verdict.problems.map((one) => [one.line, wordsOf(one)]);
}

test('a later version is refused with what to do, and nothing else is said', (t) => {
  const text = withBlock('colour', 'version 2').replace('client', 'new-directive');
  t.deepEqual(problemsOf(text), [
    [11, 'version 2: is newer than this program; update iot-shaper on the router'],
  ]);
});

const wrong: [lines: string[], line: number, message: string][] = [
  [usual.slice(1), 9, `<iotshaper>: has no version; ${as}`],
  [usual.with(0, 'version one'), 10, `version: must be a number; ${as}`],
  [usual.with(0, 'version 0'), 10, `version: must be a number; ${as}`],
  [usual.toSpliced(1, 1), 9, `<iotshaper>: has no control-key; ${as}`],
  ...[key.slice(4), key.slice(0, -1), `${key}AAAA`, key.replace('+', '-'), ''].map(
    (bad): [string[], number, string] => [
      usual.with(1, `control-key ${bad}`),
      11,
      `control-key: must be 32 bytes in base64; ${as}`,
    ],
  ),
  ...['8.8.8.0/24', '10.213.0.0/16', '10.213.0.1/24', '10.213.0/24', 'fd00::/24', 'x', ''].map(
    (bad): [string[], number, string] => [
      usual.with(2, `tunnel ${bad}`),
      12,
      `tunnel: must be a private IPv4 prefix of length 24; ${as}`,
    ],
  ),
  ...['172.32.0.0/16', '10.214.0.0/24', '10.214.1.0/16', '10.214.0.0/16/16'].map(
    (bad): [string[], number, string] => [
      usual.with(3, `inner ${bad}`),
      13,
      `inner: must be a private IPv4 prefix of length 16; ${as}`,
    ],
  ),
  ...['2001:db8::/48', 'fd00::/64', 'fd00::1/48', 'fd00::%lo/48', '::ffff:10.0.0.0/48', ''].map(
    (bad): [string[], number, string] => [
      [...usual, `inner6 ${bad}`],
      14,
      `inner6: must be an IPv6 prefix of length 48 within fc00::/7; ${as}`,
    ],
  ),
  [usual.with(2, 'tunnel 10.214.7.0/24'), 12, `tunnel: must lie outside of inner; ${as}`],
  [[...usual, 'version 1'], 14, 'version: stands twice; keep one'],
  [usual.with(2, 'tunnel 10.213.0.0/24 x'), 12, 'tunnel: must be one word'],
];

for (const [lines, line, message] of wrong) {
  test(`refused: ${lines.join(', ').slice(0, 150)}`, (t) => {
    t.deepEqual(problemsOf(withBlock(...lines)), [[line, message]]);
  });
}

test('a control key is 32 bytes in the one spelling base64 has for them', (t) => {
  t.deepEqual(parseControlKey(key), new Uint8Array(32).fill(0xfb));
  t.is(parseControlKey(`${key}\n`), null);
  t.is(parseControlKey(key.replace('=', '')), null);
  // The last letter's unused bits are set.
  t.is(parseControlKey(`${'A'.repeat(42)}B=`), null);
});
