// Bundles a home's service for QuickJS into a folder: node scripts/quickjs.mjs FOLDER
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { sourceDate, version } from './package-files.mjs';
import { compiledValidators } from './validators.mjs';

const own = resolve('src/shell/system/quickjs');
const [folder = 'out/quickjs'] = process.argv.slice(2);

/** What stands in the place of modules of Node's, and of ours that need them. */
const standIns = [
  [/^node:path$/, 'stand-ins/path.ts'],
  [/^node:crypto$/, 'stand-ins/crypto.ts'],
  [/\/pem-reader\.ts$/, 'stand-ins/pem-reader.ts'],
  [/\/thread-entry\.ts$/, 'shaper-entry.ts'],
];

/** @type {import('esbuild').Plugin} */
const onQuickjs = {
  name: 'on QuickJS',
  setup({ onResolve }) {
    onResolve({ filter: /^quickjs:/ }, ({ path }) => {
      const [, name] = path.split(':');
      return { path: name === 'machine' ? './machine.so' : String(name), external: true };
    });
    // The page that a service serves itself needs Node.js.
    onResolve({ filter: /\/page-service\.ts$/ }, () => ({ path: './page.js', external: true }));
    for (const [filter, file] of standIns) {
      onResolve({ filter: /** @type {RegExp} */ (filter) }, () => ({
        path: join(own, String(file)),
      }));
    }
  },
};

const { metafile } = await build({
  entryPoints: ['src/main-quickjs.ts'],
  outfile: join(folder, 'iotshaper-quickjs.mjs'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  keepNames: false,
  legalComments: 'none',
  logLevel: 'warning',
  alias: { 'ip-address': './src/core/ip/block-address.ts' },
  metafile: true,
  define: { VERSION: JSON.stringify(version), SOURCE_DATE: `${sourceDate()}` },
  plugins: [onQuickjs, compiledValidators()],
});
for (const [path, { bytes }] of Object.entries(metafile.outputs)) {
  console.log(`${path}  ${(bytes / 1000).toFixed(0)} kB`);
}
