// Every spelling: refused with its line and words, or taken and saying what was meant.
import test from 'ava';
import { sentencesOf, wordsOf } from '../../src/core/notices/words.ts';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import { material } from './material.ts';
import { refusals, running } from './spellings.ts';

const printed = checkProfile(material.text, pemReader);

for (const { name, spell, isSame } of running) {
  test(`taken: ${name}`, (t) => {
    const text = spell(material);
    const verdict = checkProfile(text, pemReader);
    if (isSame) t.deepEqual(verdict, printed);
    else t.true(verdict.ok, JSON.stringify(verdict));
    t.is(text === material.text, name === 'as printed');
  });
}

for (const { name, spell, line, message } of refusals) {
  test(`refused: ${name}`, (t) => {
    const text = spell(material);
    t.not(text, material.text);
    const verdict = checkProfile(text, pemReader);
    if (verdict.ok) return t.fail('is taken');
    t.is(verdict.problems[0]!.line, line, JSON.stringify(verdict.problems));
    t.regex(wordsOf(verdict.problems[0]!), message);
    t.true(verdict.problems.length <= 5, JSON.stringify(verdict.problems));
  });
}

test('no message quotes a part of a key', (t) => {
  const secrets = material.text
    .split('\n')
    .filter((line) => /^(control-key )?[A-Za-z0-9+/=]{20,}$/.test(line))
    .flatMap((line) => line.match(/[A-Za-z0-9+/=]{12}/g) ?? []);
  t.true(secrets.length > 20);
  for (const { name, spell } of refusals) {
    const verdict = checkProfile(spell(material), pemReader);
    const said = JSON.stringify(verdict) + (verdict.ok ? '' : sentencesOf(verdict.problems));
    for (const secret of secrets) t.false(said.includes(secret), `${name}: ${secret}`);
  }
});
