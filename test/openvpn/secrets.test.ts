// Whatever a profile is spelled like, no part of a secret line reaches what is said of it.
import test from 'ava';
import fc from 'fast-check';
import { sentencesOf } from '../../src/core/notices/words.ts';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import { runs } from '../property-runs.ts';
import { material } from './material.ts';

/** Eight letters are what a reader of a log could tell a key by; drawn anew, so that no word of ours holds them. */
const MARK = 'q7Xw9Kz3';

/** The profile with the mark in each secret line, at its length. */
const marked = material.text.replace(
  /^(control-key )?([A-Za-z0-9+/=]{20,})$/gm,
  (_, name = '', key: string) =>
    name + (MARK.repeat(10) + key).slice(0, key.length - 1) + key.at(-1),
);

const tags = ['key', 'KEY', 'Key', 'cert', 'ca', 'secret', 'tls-crypt', 'tls-auth', 'pkcs12', 'x'];
/** Ways in which a line comes to stand where it is read as something else. */
const changes = fc.oneof(
  fc.constantFrom(...tags).map((tag) => (text: string) => text.replace('<key>', `<${tag}>`)),
  fc.constantFrom(...tags).map((tag) => (text: string) => text.replace('</key>', `</${tag}>`)),
  fc
    .constantFrom('<key> # mine', '<key> mine', '<key', 'key', '', '"<key>"', '<key>;')
    .map((line) => (text: string) => text.replace('<key>', line)),
  fc
    .constantFrom('</key> # mine', '</key', '')
    .map((line) => (text: string) => text.replace('</key>', line)),
  fc
    .constantFrom('BEGIN', 'END', '-----', 'PRIVATE')
    .map((word) => (text: string) => text.replaceAll(word, '')),
  fc
    .constantFrom(
      'remote ',
      'setenv x ',
      'verify-x509-name ',
      'auth-user-pass ',
      '--',
      '"',
      'é',
      '\v',
      '',
    )
    .map((start) => (text: string) => text.replace(new RegExp(`^(?=${MARK})`, 'gm'), start)),
  fc.integer({ min: 0, max: 40 }).map((line) => (text: string) => {
    const lines = text.split('\n');
    lines.splice(line, 1);
    return lines.join('\n');
  }),
  fc.constantFrom('', ' ', '\t').map((join) => (text: string) => text.replace(/\n(?=q7)/g, join)),
  fc
    .constantFrom('<iotshaper>', '</iotshaper>', 'control-key ')
    .map((word) => (text: string) => text.replace(word, '')),
);

test('no refusal quotes a line of a key', (t) => {
  t.true(marked.split(MARK).length > 30);
  let refused = 0;
  const cases = runs(1000);
  fc.assert(
    fc.property(fc.array(changes, { minLength: 0, maxLength: 4 }), (list) => {
      const text = list.reduce((old, change) => change(old), marked);
      const verdict = checkProfile(text, pemReader);
      if (verdict.ok) return true;
      refused++;
      const said = JSON.stringify(verdict.problems) + sentencesOf(verdict.problems);
      return !said.includes(MARK);
    }),
    { numRuns: cases },
  );
  t.true(refused > cases / 2, `${refused} of ${cases} refused`);
});
