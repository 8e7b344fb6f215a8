// Bundles what a home runs on QuickJS into a folder: node scripts/quickjs.mjs [FOLDER] [another program's source]
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { sourceDate, version } from './package-files.mjs';
import { compiledValidators } from './validators.mjs';

const program = { iotshaper: 'src/main-quickjs.ts' };
const own = resolve('src/shell/system/quickjs');

/** What stands in the place of modules of Node's, and of ours that need them. */
const standIns = [
  { filter: /^node:path$/, file: 'stand-ins/path.ts' },
  { filter: /^node:crypto$/, file: 'stand-ins/crypto.ts' },
  { filter: /\/pem-reader\.ts$/, file: 'stand-ins/pem-reader.ts' },
  { filter: /\/thread-entry\.ts$/, file: 'shaper-entry.ts' },
];
/** What a router's package has not, whatever runs it. */
const ABSENT = /\/(?:debian|page-service|endpoint|research)\.ts$/;

/** What they are asked for says so; a module that throws by itself would be a failure that nobody hears. */
const absent = `const absent = () => {
  throw Object.assign(new Error('not here'), { code: 'MODULE_NOT_FOUND' });
};
export { ${['registerDebian', 'registerEndpoint', 'registerResearch', 'createPage']
  .map((name) => `absent as ${name}`)
  .join(', ')} };`;

/** @type {import('esbuild').Plugin} */
const onQuickjs = {
  name: 'on QuickJS',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^quickjs:/ }, ({ path }) => {
      const name = path.replace('quickjs:', '');
      return { path: name === 'machine' ? './machine.so' : name, external: true };
    });
    onResolve({ filter: /^node:/ }, ({ importer }) =>
      importer.includes('/commander/') ? { path: join(own, 'stand-ins/command-line.ts') } : null,
    );
    for (const { filter, file } of standIns) {
      onResolve({ filter }, () => ({ path: join(own, file) }));
    }
    onResolve({ filter: ABSENT }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, namespace: 'absent' } : null,
    );
    onLoad({ filter: /./, namespace: 'absent' }, () => ({ contents: absent }));
  },
};

/**
 * Bundles it.
 * @param {string} folder
 * @param {import('esbuild').BuildOptions['entryPoints']} entryPoints
 * @returns {Promise<{ name: string, data: Uint8Array }[]>} its files, written only where a folder is given
 */
export async function bundleForQuickjs(folder = '', entryPoints = program) {
  const { outputFiles } = await build({
    entryPoints,
    outdir: folder === '' ? 'out' : folder,
    write: false,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[hash]',
    bundle: true,
    format: 'esm',
    splitting: true,
    target: 'es2022',
    minify: true,
    legalComments: 'eof',
    logLevel: 'warning',
    // As in scripts/bundle.mjs.
    alias: { 'ip-address': './src/core/ip/block-address.ts' },
    define: { VERSION: JSON.stringify(version), SOURCE_DATE: `${sourceDate()}` },
    plugins: [onQuickjs, compiledValidators()],
  });
  const files = outputFiles.map(({ path, contents }) => ({ name: basename(path), data: contents }));
  if (folder !== '') mkdirSync(folder, { recursive: true });
  for (const { name, data } of folder === '' ? [] : files) writeFileSync(join(folder, name), data);
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = 'out/quickjs', other] = process.argv.slice(2);
  for (const { name, data } of await bundleForQuickjs(folder, other ? [other] : program)) {
    console.log(`${folder}/${name}  ${(data.length / 1000).toFixed(0)} kB`);
  }
}
