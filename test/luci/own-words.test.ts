// The words of the page of Debian: German for each that is its own, and none that names what OpenWrt has.
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { loadSource } from '../../scripts/load-source.mjs';
import { readWords } from '../../scripts/page-app.mjs';

const folders = ['page-app', 'page-app/forms'];
const german: Record<string, string> = readWords('de');

/** What a person would look for in vain. */
const foreign =
  /LuCI|OpenWrt(?!\))|opkg|\/etc\/init\.d|\/etc\/config|\buci |sysupgrade|System Log|Systemprotokoll/;

test('each text of its own has its German', (t) => {
  const texts = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.js'))
      .flatMap((name) => [
        ...readFileSync(`${folder}/${name}`, 'utf8').matchAll(/\b_\(\s*'((?:[^'\\]|\\.)*)'/g),
      ])
      .map(([, text]) => text!),
  );
  t.true(texts.length > 20);
  t.deepEqual(
    texts.filter((text) => !german[text]),
    [],
  );
});

test('nothing it says names what is not there', async (t) => {
  const { onDebian } = await loadSource("export { onDebian } from './words.js';", 'page-app');
  const said: string[] = Object.entries(german).flat().map(onDebian);
  t.true(said.length > 1000);
  t.deepEqual(
    said.filter((text) => foreign.test(text)),
    [],
  );
});
