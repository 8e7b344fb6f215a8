// Collects the page's texts for translators, once it is built: node scripts/pot.mjs > iotshaper.pot
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPageTexts } from './page.mjs';

/** What is written by hand, and what is made from the table of the service's words. */
const roots = ['luci-app', 'dist/htdocs/luci-static/resources/iotshaper/notices.js'];
/** What the page has its other words from. */
const core = 'src/core/page';

/** @param {string} root a folder, or one file */
const filesBelow = (root) =>
  statSync(root).isFile()
    ? [root]
    : readdirSync(root, { recursive: true, encoding: 'utf8' })
        .sort()
        .map((name) => join(root, name));

/** @typedef {{ context: string, id: string, plural: string, places: string[] }} Text */

const string = String.raw`('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")`;
const call = new RegExp(String.raw`\b_\(\s*${string}\s*(?:,\s*${string}\s*)?,?\s*\)`, 'g');
const pluralCall = new RegExp(String.raw`\bN_\(\s*[\w.]+,\s*${string},\s*${string},?\s*\)`, 'g');

/** @param {string} literal as it stands in the source */
const unquote = (literal) => literal.slice(1, -1).replace(/\\(.)/g, '$1');

/** @returns {Promise<Text[]>} every text of the page once, in the order of its files */
export async function collectTexts() {
  /** @type {Map<string, Text>} */
  const texts = new Map();
  /** @param {string} place @param {string} id @param {string} [context] @param {string} [plural] */
  const add = (place, id, context = '', plural = '') => {
    const text = texts.get(`${context}\u0001${id}`) ?? { context, id, plural, places: [] };
    if (!text.places.includes(place)) text.places.push(place);
    texts.set(`${context}\u0001${id}`, text);
  };
  for (const path of roots.flatMap(filesBelow)) {
    if (/\/htdocs\/.*\.js$/.test(path)) {
      const source = readFileSync(path, 'utf8');
      /** @type {[number, () => void][]} */
      const found = [];
      for (const { index, 1: id, 2: context } of source.matchAll(call))
        found.push([index, () => add(path, unquote(id), context && unquote(context))]);
      for (const { index, 1: id, 2: plural } of source.matchAll(pluralCall))
        found.push([index, () => add(path, unquote(id), '', unquote(plural))]);
      for (const [, take] of found.sort(([a], [b]) => a - b)) take();
    } else if (/menu\.d\/.*\.json$/.test(path)) {
      for (const { title } of Object.values(JSON.parse(readFileSync(path, 'utf8'))))
        add(path, title);
    } else if (/acl\.d\/.*\.json$/.test(path)) {
      for (const { description } of Object.values(JSON.parse(readFileSync(path, 'utf8'))))
        add(path, description);
    }
  }
  for (const text of await loadPageTexts()) add(core, text);
  return [...texts.values()];
}

/** @returns {Promise<string>} the template */
export async function renderTemplate() {
  /** @param {string} text */
  const quote = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`;
  const entries = (await collectTexts()).map(({ context, id, plural, places }) =>
    [
      ...places.map((place) => `#: ${place}`),
      ...(context === '' ? [] : [`msgctxt ${quote(context)}`]),
      `msgid ${quote(id)}`,
      ...(plural === ''
        ? ['msgstr ""']
        : [`msgid_plural ${quote(plural)}`, 'msgstr[0] ""', 'msgstr[1] ""']),
    ].join('\n'),
  );
  return `msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8"\n\n${entries.join('\n\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(await renderTemplate());
