// What the service tells, as the page's module `iotshaper.notices`: made from the one table of words.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { loadSource } from './load-source.mjs';
import { browser } from './page.mjs';

/** Below the page's root, where a browser asks for it. */
const modulePath = 'luci-static/resources/iotshaper/notices.js';

const folder = 'src/core/notices';

/** The page's module `iotshaper.notices`: each template as the page's language has it, filled in as the service does. */
export async function renderNoticesModule() {
  const { words } = await loadSource("export { words } from './words.ts';", folder);
  const templates = Object.entries(words).map(
    ([code, template]) => `'${code}': _(${JSON.stringify(template)}),`,
  );
  const { outputFiles } = await build({
    stdin: {
      resolveDir: folder,
      contents: `import { codesOf, fillIn } from './fill.ts';
const templates = {
${templates.join('\n')}
};
const api = {
  knows: (notice) => codesOf(notice).every((code) => Object.keys(templates).includes(code)),
  wordsOf: (notice, numberText) => fillIn(notice, (code) => templates[code], numberText),
};`,
    },
    bundle: true,
    write: false,
    format: 'esm',
    charset: 'utf8',
    treeShaking: false,
    // Texts are collected for translators from between quotation marks.
    target: browser.target,
    supported: { ...browser.supported, 'template-literal': false },
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
