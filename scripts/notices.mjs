// What the service tells, as the page's module `iotshaper.notices`: made from the one table of words.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

/** Below the page's root, where a browser asks for it. */
const modulePath = 'luci-static/resources/iotshaper/notices.js';

/** @param {string} contents */
const fromNotices = (contents) => ({
  stdin: { contents, resolveDir: 'src/core/notices' },
  bundle: true,
  write: false,
  format: /** @type {const} */ ('esm'),
  charset: /** @type {const} */ ('utf8'),
});

/** The table itself, from the sources as they are. @returns {Promise<Record<string, string>>} */
async function loadWords() {
  const { outputFiles } = await build(fromNotices("export { words } from './words.ts';"));
  const code = Buffer.from(outputFiles?.[0]?.contents ?? []).toString('base64');
  const { words } = await import(`data:text/javascript;base64,${code}`);
  return words;
}

/** The page's module `iotshaper.notices`: each template as the page's language has it, filled in as the service does. */
export async function renderNoticesModule() {
  const templates = Object.entries(await loadWords()).map(
    ([code, template]) => `'${code}': _(${JSON.stringify(template)}),`,
  );
  const { outputFiles } = await build({
    ...fromNotices(`import { codesOf, fillIn } from './fill.ts';
const templates = {
${templates.join('\n')}
};
const api = {
  knows: (notice) => codesOf(notice).every((code) => Object.hasOwn(templates, code)),
  wordsOf: (notice, numberText) => fillIn(notice, (code) => templates[code], numberText),
};`),
    treeShaking: false,
    // Texts are collected for translators from between quotation marks.
    supported: { 'template-literal': false },
    banner: {
      js: `// What the service tells, in the page's language, by its code; made from the service's own table of words.
'use strict';
'require baseclass';
`,
    },
    footer: { js: '\nreturn baseclass.extend(api);' },
  });
  return Buffer.from(outputFiles?.[0]?.contents ?? []).toString();
}

/** @param {string} directory in which the page's root is made */
export async function writeNoticesModule(directory) {
  const path = join(directory, modulePath);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await renderNoticesModule());
}
