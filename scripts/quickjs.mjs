// Bundles what a home runs on QuickJS into a folder: node scripts/quickjs.mjs [FOLDER] [another program's source]
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { sourceDate, version } from './package-files.mjs';
import { compiledValidators } from './validators.mjs';

const own = resolve('src/shell/system/quickjs');
const [folder = 'out/quickjs', other] = process.argv.slice(2);

/** What stands in the place of modules of Node's, and of ours that need them. */
const standIns = [
  { filter: /^node:path$/, file: 'stand-ins/path.ts' },
  { filter: /^node:crypto$/, file: 'stand-ins/crypto.ts' },
  { filter: /\/pem-reader\.ts$/, file: 'stand-ins/pem-reader.ts' },
  { filter: /\/thread-entry\.ts$/, file: 'shaper-entry.ts' },
];
/** What a router's package has not, whatever runs it. */
const ABSENT = /\/(?:debian|page-service|endpoint|research)\.ts$/;

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
    onLoad({ filter: /./, namespace: 'absent' }, () => ({
      contents: "throw Object.assign(new Error('not here'), { code: 'MODULE_NOT_FOUND' });",
    }));
  },
};

const { metafile } = await build({
  entryPoints: other === undefined ? { iotshaper: 'src/main-quickjs.ts' } : [other],
  outdir: folder,
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
  metafile: true,
  define: { VERSION: JSON.stringify(version), SOURCE_DATE: `${sourceDate()}` },
  plugins: [onQuickjs, compiledValidators()],
});
for (const [path, { bytes }] of Object.entries(metafile.outputs)) {
  console.log(`${path}  ${(bytes / 1000).toFixed(0)} kB`);
}
