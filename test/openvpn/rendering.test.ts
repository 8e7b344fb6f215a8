// What OpenVPN is given: from random mutations of a profile too, nothing but what the value says, in words of a closed set.
import test from 'ava';
import fc from 'fast-check';
import { checkProfile, type Profile } from '../../src/core/openvpn/profile.ts';
import { renderHomeOpenVpn } from '../../src/core/plan/openvpn.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import { anyCharacter } from '../any-character.ts';
import { runs } from '../property-runs.ts';
import { material } from './material.ts';
import { foreignBlanks, running } from './spellings.ts';

function render(profile: Profile): string {
  return renderHomeOpenVpn({
    profile,
    managementSocket: '/run/x.sock',
    queuePackets: 1024,
    plainUser: null,
  });
}

function profileOf(text: string): Profile {
  const verdict = checkProfile(text, pemReader);
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems));
  return verdict.profile;
}

const pemBody = '([A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{1,64}={0,2}\n';
const certificate = `-----BEGIN CERTIFICATE-----\n${pemBody}-----END CERTIFICATE-----\n`;
const byte = '[0-9A-F]{2}';
const host = '([A-Za-z0-9_.-]{1,253}|[0-9a-fA-F:.]{2,45})';

/** All that a profile may make of OpenVPN's configuration. */
const allowed = new RegExp(
  [
    '^# Written by iotshaper from the uploaded profile; changes here are lost\\.\nclient\n',
    `(remote ${host} \\d{1,5} udp[46]?\n){1,16}(server-poll-timeout 6|server-poll-timeout 2\nhand-window 6)\ntls-timeout 1\n`,
    'data-ciphers (AES-256-GCM|CHACHA20-POLY1305)(:AES-256-GCM|:CHACHA20-POLY1305)?\n',
    'tls-version-min 1\\.[23]\n',
    `(<peer-fingerprint>\n((${byte}:){31}${byte}\n)+</peer-fingerprint>\n)?`,
    `(<ca>\n(${certificate})+</ca>\nremote-cert-tls server\n`,
    '(verify-x509-name "[A-Za-z0-9._ -]{1,64}" name\n)?)?',
    `<cert>\n${certificate}</cert>\n`,
    `<key>\n-----BEGIN PRIVATE KEY-----\n${pemBody}-----END PRIVATE KEY-----\n</key>\n`,
    'nobind\n',
  ].join(''),
);

/** What follows the profile's part is ours, and always the same. */
const printed = render(profileOf(material.text));
const ours = printed.slice(printed.indexOf('\nnobind\n'));

function isSound(config: string): boolean {
  return (
    allowed.test(config) &&
    config.endsWith(ours) &&
    /(<peer-fingerprint>|<ca>)/.test(config) &&
    config.split('\n').every((line) => line.length < 250)
  );
}

for (const { name, spell, isSame } of running) {
  test(`nothing but allowed words: ${name}`, (t) => {
    const config = render(profileOf(spell(material)));
    t.true(isSound(config), config);
    if (isSame) t.is(config, printed);
    else t.not(config, printed);
  });
}

test('what is no allowed word would be seen', (t) => {
  for (const line of ['up x', 'script-security 2', 'client', '<ca>', 'verb 3']) {
    t.false(isSound(printed.replace('nobind', `${line}\nnobind`)), line);
    t.false(isSound(printed.replace('</cert>', `\u00a0</cert>\n${line}`)), line);
    t.false(isSound(`${printed}${line}\n`), line);
  }
});

const directives = [
  'up x',
  'script-security 2',
  'plugin x',
  'writepid /x',
  'remote a 1 udp4',
].concat(
  ['client', 'proto udp6', 'verb 3', 'auth none', 'tls-version-min 1.3', 'remote-cert-tls server'],
  ['verify-x509-name "a b" name', 'verify-x509-name "a\\" name', 'data-ciphers CHACHA20-POLY1305'],
);
const tags = ['ca', 'cert', 'key', 'peer-fingerprint', 'iotshaper', 'connection', 'x'].flatMap(
  (tag) => [`<${tag}>`, `</${tag}>`],
);
const piece = fc.oneof(
  fc.constantFrom(...foreignBlanks, '\u0085', '\u200b', '\u180e', '\v', '\f', '\r', '\0', '\ud800'),
  fc.constantFrom(' ', '\t', '\n', '\r\n', '"', "'", '\\', '#', ';', '--', '\n#', '\n;', ' # '),
  fc.constantFrom(...directives.map((line) => `\n${line}\n`)),
  fc.constantFrom(...tags).chain((tag) => fc.constantFrom(tag, `\n${tag}\n`, `\n \t${tag}`)),
  fc.integer({ min: 200, max: 300 }).map((length) => 'A'.repeat(length)),
  fc.string({ maxLength: 6, unit: anyCharacter }),
);

/** One change: a piece put in at a place (most often at a line's end), or characters taken out. */
const mutation = fc.record({
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  atLine: fc.boolean(),
  piece,
  removed: fc.constantFrom(0, 0, 0, 1, 1, 7, 60),
});

type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(text: string, changes: readonly Mutation[]): string {
  return changes.reduce((old, { place, atLine, piece: put, removed }) => {
    let at = Math.floor(place * old.length);
    if (atLine) at = Math.max(0, old.indexOf('\n', at));
    return old.slice(0, at) + put + old.slice(at + removed);
  }, text);
}

const secrets = /<key>[\s\S]*<\/key>|control-key .*/g;
const secretParts = [...material.text.matchAll(secrets)]
  .flatMap(([text]) => text.split('\n'))
  .filter((line) => !line.startsWith('-') && !line.startsWith('<'))
  .flatMap((line) => line.replace('control-key ', '').match(/.{12}/g) ?? []);

test('from any mutation comes a refusal without secrets, or a sound configuration', (t) => {
  let taken = 0;
  let refused = 0;
  const cases = runs(1000);
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (changes) => {
      const text = mutate(material.text, changes);
      const verdict = checkProfile(text, pemReader);
      if (!verdict.ok) {
        refused++;
        const said = JSON.stringify(verdict.problems);
        return verdict.problems.length > 0 && !secretParts.some((part) => said.includes(part));
      }
      taken++;
      return isSound(render(verdict.profile));
    }),
    { numRuns: cases },
  );
  t.true(taken > cases / 20, `${taken} taken`);
  t.true(refused > cases / 20, `${refused} refused`);
  t.log(`${taken} taken, ${refused} refused`);
});
