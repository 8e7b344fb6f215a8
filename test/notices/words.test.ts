// Every sentence the service says is worded once, with a place for each value, and is said somewhere.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import '../../src/core/endpoint/notice.ts';
import { codesOf, fillIn } from '../../src/core/notices/fill.ts';
import { listOf, listSome } from '../../src/core/notices/list.ts';
import { type Notice, type NoticeCode, notice } from '../../src/core/notices/notice.ts';
import { NoticeError, noticeOfError } from '../../src/core/notices/notice-error.ts';
import { auditWords } from '../../src/core/notices/words/audit.ts';
import { configWords } from '../../src/core/notices/words/config.ts';
import { deliveryWords } from '../../src/core/notices/words/delivery.ts';
import { endpointWords } from '../../src/core/notices/words/endpoint.ts';
import { faultWords } from '../../src/core/notices/words/faults.ts';
import { homeWords } from '../../src/core/notices/words/home.ts';
import { logWords } from '../../src/core/notices/words/log.ts';
import { profileWords } from '../../src/core/notices/words/profile.ts';
import { stateWords } from '../../src/core/notices/words/state.ts';
import { toolWords } from '../../src/core/notices/words/tools.ts';
import { tunnelWords } from '../../src/core/notices/words/tunnel.ts';
import { words as homesWords, sentencesOf, wordsOf } from '../../src/core/notices/words.ts';

const words = { ...homesWords, ...endpointWords };

/** Every file of words. */
const subjects = [
  auditWords,
  configWords,
  deliveryWords,
  endpointWords,
  faultWords,
  homeWords,
  logWords,
  profileWords,
  stateWords,
  toolWords,
  tunnelWords,
];

/** Names of the places in a template, each once. */
function placesOf(template: string): string[] {
  return [...new Set([...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!))];
}

const codes = Object.keys(words) as NoticeCode[];

/** What people write by hand, with where it stands: but for the words themselves. */
const sources = ['src', 'luci-app/htdocs'].flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, name))
    .filter((path) => /\.(ts|js)$/.test(path) && !path.startsWith('src/core/notices/words'))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') })),
);

test('no code is worded twice, and none as another', (t) => {
  const counts = subjects.map((subject) => Object.keys(subject).length);
  t.is(
    codes.length,
    counts.reduce((sum, count) => sum + count),
  );
  t.is(new Set(Object.values(words)).size, codes.length);
});

for (const code of codes) {
  test(`${code}: each value has its place, and no place is left`, (t) => {
    const places = placesOf(words[code]);
    const values = Object.fromEntries(places.map((name) => [name, `<${name}>`]));
    const text = wordsOf({ code, values });
    t.notRegex(text, /[{}]/);
    t.is(text, text.trim());
    for (const name of places) t.true(text.includes(`<${name}>`), name);
  });

  test(`${code}: is said somewhere`, (t) => {
    // A code of one word is a word of other things too.
    const saying = code.includes('-') ? `'${code}'` : `notice('${code}'`;
    t.true(sources.some(({ text }) => text.includes(saying)));
  });
}

/** A template as it might be written out elsewhere, whatever stands in its places. */
function patternOf(template: string): RegExp {
  const parts = template
    .split(/\{\w+\}/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('(?:%s|\\{\\w+\\}|\\$\\{[^}]*\\})'));
}

test('no sentence stands anywhere else', (t) => {
  const isSentence = (template: string) =>
    (template.replace(/\{\w+\}/g, '').match(/\p{L}{2,}/gu) ?? []).length >= 3;
  const texts = sources.map(({ path, text }) => ({
    path,
    text: text
      .replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
      .replace(/\\(['"`])/g, '$1')
      .replace(/['`"] \+\s+['`"]/g, ''),
  }));
  const copies = Object.values(words)
    .filter(isSentence)
    .flatMap((template) => {
      const pattern = patternOf(template);
      return texts
        .filter(({ text }) => pattern.test(text))
        .map(({ path }) => `${path}: ${template}`);
    });
  t.deepEqual(copies, []);
});

test('a copy of a sentence would be found', (t) => {
  const pattern = patternOf(words['queue-class-foreign']);
  for (const copy of ['%s', '{class}', `\${id}`])
    t.regex(`x('the queue has a class ${copy} that is not ours')`, pattern);
  t.notRegex('the queue has a class that is not ours', pattern);
});

test('a notice within a notice is worded within its sentence', (t) => {
  const why = notice('openvpn-stopped', { why: notice('process-exit-status', { status: '1' }) });
  t.is(
    wordsOf(notice('blocked-cut-off', { why })),
    'Not protected: OpenVPN stopped (exit status 1); it is started again; your devices are cut off so that nothing leaks.',
  );
  t.is(
    sentencesOf([notice('shaping', { rate: 2.5 }), notice('activity-hidden')]),
    "Your provider sees one steady stream of 2.5 KB/s. It can't tell when your devices are used.",
  );
});

test('another language has whole templates and numbers of its own, and names as they are', (t) => {
  const german: Record<string, string> = {
    [words['network-gone-heir-bridge']]: '{heir}, {heir}? {command}',
    [words.shaping]: 'Ein Strom von {rate} KB/s.',
    [words['list-and']]: '{first} und {last}',
    [words['resolvers-remark']]: 'Fragt jemand {names}?',
  };
  const translate = (template: string) => german[template] ?? template;
  const tell = (said: Notice) =>
    wordsOf(said, translate, (value) => String(value).replace('.', ','));
  t.is(tell(notice('shaping', { rate: 2.5 })), 'Ein Strom von 2,5 KB/s.');
  const values = { path: '', netdev: '', heir: 'br-2.5', command: 'uci set {x}' };
  t.is(tell(notice('network-gone-heir-bridge', values)), 'br-2.5, br-2.5? uci set {x}');
  const names = listOf(['a', 'b and c', 'd']);
  t.is(tell(notice('resolvers-remark', { names })), 'Fragt jemand a, b and c und d?');
});

test('places are told from what stands in values', (t) => {
  const said = { code: 'x', values: { a: '{b}', b: '$&' } };
  t.is(
    fillIn(said, () => '{a} {b} {constructor}', String),
    '{b} $& {constructor}',
  );
});

test('the codes of a notice are those within it, too', (t) => {
  const inner = notice('openvpn-stopped', { why: notice('process-exit-status', { status: '1' }) });
  t.deepEqual(codesOf(notice('blocked-open', { why: inner })), [
    'blocked-open',
    'openvpn-stopped',
    'process-exit-status',
  ]);
});

test('names are listed as people do', (t) => {
  const say = (names: string[], list: typeof listOf = listOf) => {
    const value = list(names);
    return typeof value === 'object' ? wordsOf(value) : value;
  };
  t.is(say([]), '');
  t.is(say(['a']), 'a');
  t.is(say(['a', 'b', 'c']), 'a, b and c');
  t.is(
    say(['a', 'b'], (names) => listOf(names, 'list-or')),
    'a or b',
  );
  t.is(say(['a', 'b', 'c', 'd'], listSome), 'a, b, c and d');
  t.is(say(['a', 'b', 'c', 'd', 'e'], listSome), 'a, b, c and 2 more');
});

test('an error is a notice, whoever threw it', (t) => {
  const fault: Notice = notice('port-taken', { port: '7000' });
  const error = new NoticeError(fault);
  t.is(error.message, 'UDP port 7000 on loopback is taken: is another iotshaper running?');
  t.is(noticeOfError(error), fault);
  t.is(wordsOf(noticeOfError(new TypeError('x is undefined'))), 'x is undefined');
  t.is(wordsOf(noticeOfError('out of luck')), 'out of luck');
});
