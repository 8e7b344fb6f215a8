import { readFileSync } from 'node:fs';
import test from 'ava';
import { compileCatalogue, hashOf, parsePo, readCatalogue } from '../../scripts/po2lmo.mjs';
import { collectTexts, renderTemplate } from '../../scripts/pot.mjs';
import { words } from '../../src/core/notices/words.ts';

const german = readFileSync('luci-app/po/de/iotshaper.po', 'utf8');
const keyOf = (context: string, id: string) => (context === '' ? id : `${context}\u0001${id}`);

test('hashes are those of LuCI', (t) => {
  // By LuCI's own `sfh` in cbi.js of OpenWrt 24.10, for each length modulo 4 and bytes above 127.
  const known = JSON.parse(readFileSync('test/fixtures/luci/sfh.json', 'utf8')) as Record<
    string,
    string
  >;
  t.true(Object.keys(known).length > 8);
  for (const [text, hash] of Object.entries(known))
    t.is(hashOf(Buffer.from(text)).toString(16).padStart(8, '0'), hash, text);
});

test('a catalogue reads back as it was compiled', (t) => {
  const text = [
    'msgid ""',
    'msgstr ""',
    '"Content-Type: text/plain; charset=UTF-8\\n"',
    '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"',
    '',
    'msgid "Off"',
    'msgstr "Aus"',
    '',
    'msgctxt "state of the tunnel"',
    'msgid "Off"',
    'msgstr "\\"getrennt\\""',
    '',
    'msgid "%s device"',
    'msgid_plural "%s devices"',
    'msgstr[0] "%s Gerät"',
    'msgstr[1] "%s "',
    '"Geräte"',
    '',
    'msgid "untranslated"',
    'msgstr ""',
    '',
    'msgid "same"',
    'msgstr "same"',
  ].join('\n');
  const bytes = compileCatalogue(text);
  const texts = readCatalogue(bytes ?? Buffer.alloc(0));
  const find = (key: string) => texts.get(hashOf(Buffer.from(key)));
  t.is(texts.size, 5);
  t.is(texts.get(0), 'nplurals=2; plural=(n != 1);');
  t.is(find('Off'), 'Aus');
  t.is(find('state of the tunnel\u0001Off'), '"getrennt"');
  t.is(find('%s device\u00020'), '%s Gerät');
  t.is(find('%s device\u00021'), '%s Geräte');
});

test('what the service tells is known to translators, each template whole', async (t) => {
  const ids = new Set((await collectTexts()).map(({ id }) => id));
  t.deepEqual(
    Object.values(words).filter((template) => !ids.has(template)),
    [],
  );
});

test('a catalogue with nothing translated is none', (t) => {
  t.is(compileCatalogue('msgid "Off"\nmsgstr ""\n'), null);
});

test('the template names every text, with the files it stands in', async (t) => {
  const template = await renderTemplate();
  for (const { id, places } of await collectTexts()) {
    t.true(template.includes(`msgid "${id.replace(/["\\]/g, '\\$&')}"`), id);
    t.true(
      places.every((place) => template.includes(`#: ${place}\n`)),
      id,
    );
  }
});

test('the German translation is whole, and has no text of its own', async (t) => {
  const messages = new Map(
    parsePo(german).map((message) => [keyOf(message.context, message.id), message]),
  );
  const placeholders = (text: string) => (text.match(/%[s%]|\{\w+\}/g) ?? []).sort().join();
  const wanted = await collectTexts();
  const untranslated: string[] = [];
  for (const { context, id, plural } of wanted) {
    const translated = messages.get(keyOf(context, id))?.texts;
    if (translated === undefined) {
      untranslated.push(id);
      continue;
    }
    t.is(translated.length, plural === '' ? 1 : 2, id);
    for (const text of translated) {
      t.not(text, '', id);
      t.is(placeholders(text), placeholders(id), id);
    }
  }
  t.deepEqual(untranslated, []);
  const known = new Set(wanted.map(({ context, id }) => keyOf(context, id)));
  t.deepEqual(
    [...messages.keys()].filter((key) => key !== '' && !known.has(key)),
    [],
  );
});
