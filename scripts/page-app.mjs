// Makes the page that a home on Debian serves itself: LuCI's pages of luci-app, bundled with parts of our own in LuCI's place.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { browser } from './page.mjs';
import { parsePo } from './po2lmo.mjs';

const roots = ['luci-app/htdocs', 'dist/htdocs'].map((root) => `${root}/luci-static/resources`);
const builtIn = ['baseclass', 'dom', 'form', 'poll', 'rpc', 'uci', 'ui', 'view'];

/**
 * A file that LuCI evaluates as the body of a function, as a module: its requirements are imports, what it returns its export.
 * A part is made once where it is first asked for, a view anew by whoever shows it.
 *
 * @param {string} name
 */
function renderModule(name) {
  const file = `${name.replaceAll('.', '/')}.js`;
  const root = roots.find((each) => existsSync(join(each, file)));
  if (!root) throw new Error(`${name}: no page has such a part`);
  const source = readFileSync(join(root, file), 'utf8');
  const imports = [...source.matchAll(/^'require (\S+?)(?: as (\w+))?';$/gm)].map(
    ([, part, alias]) => `import ${alias ?? part} from 'luci:${part}';`,
  );
  const [, value] =
    /^return (.*);\n$/m.exec(source.slice(source.lastIndexOf('\nreturn ') + 1)) ?? [];
  if (!value) throw new Error(`${file}: does not end in "return …;"`);
  const body = source
    .slice(0, source.lastIndexOf('\nreturn '))
    .replace(/^'(?:use strict|require .*)';$/gm, '');
  const isPart = !name.startsWith('view.');
  const made = isPart ? `new (${value})()` : value;
  // What the service says names OpenWrt's commands, once its values are filled in.
  if (name !== 'iotshaper.notices') return `${imports.join('')}${body}\nexport default ${made};`;
  return `${imports.join('')}import { onDebian } from '${process.cwd()}/page-app/words.js';${body}
const own = ${made};
export default { knows: own.knows, wordsOf: (...values) => onDebian(own.wordsOf(...values)) };`;
}

/** @returns {import('esbuild').Plugin} */
function luciParts() {
  return {
    name: 'LuCI’s parts',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^luci:/ }, ({ path }) => ({
        path: path.slice('luci:'.length),
        namespace: 'luci',
        // For the words above.
        pluginData: null,
      }));
      onLoad({ filter: /./, namespace: 'luci' }, ({ path }) => ({
        contents: builtIn.includes(path)
          ? `export default window.luciParts.builtIn.${path};`
          : renderModule(path),
        resolveDir: process.cwd(),
      }));
    },
  };
}

/** Texts of a language by what they translate: those of LuCI's pages, and of what is here in LuCI's place. @param {string} language */
export function readWords(language) {
  /** @type {Record<string, string>} */
  const words = JSON.parse(readFileSync(`page-app/words/${language}.json`, 'utf8'));
  for (const { context, id, plural, texts } of parsePo(
    readFileSync(`luci-app/po/${language}/iotshaper.po`, 'utf8'),
  )) {
    if (id === '') continue;
    const key = context === '' ? id : `${context}\u0001${id}`;
    for (const [form, text] of texts.entries())
      if (text !== '') words[plural === '' ? key : `${key}\u0002${form}`] = text;
  }
  return words;
}

/** @param {string} directory */
export async function writePageApp(directory) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await build({
    entryPoints: { page: 'page-app/main.js', login: 'page-app/login.js' },
    outdir: directory,
    bundle: true,
    minify: true,
    format: 'iife',
    charset: 'utf8',
    logLevel: 'warning',
    ...browser,
    plugins: [luciParts()],
  });
  const styles = {
    frame: 'page-app/frame.css',
    page: `${roots[0]}/iotshaper/page.css`,
  };
  await build({ entryPoints: styles, outdir: directory, minify: true, logLevel: 'warning' });
  for (const file of readdirSync('page-app/words')) {
    const language = file.replace('.json', '');
    const text = JSON.stringify(readWords(language));
    writeFileSync(join(directory, `words.${language}.js`), `window.iotshaperWords=${text};\n`);
  }
  cpSync(
    'luci-app/root/usr/share/luci/menu.d/luci-app-iotshaper.json',
    join(directory, 'menu.json'),
  );
  cpSync('luci-app/root/usr/share/rpcd/acl.d/luci-app-iotshaper.json', join(directory, 'acl.json'));
}
