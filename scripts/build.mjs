// Bundles the program into dist/iotshaper.js with esbuild.
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { writeVendors } from './vendors.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const result = await build({
  entryPoints: { iotshaper: 'src/main.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  legalComments: 'eof',
  metafile: true,
  logLevel: 'warning',
  // A worker thread starts the same file again; in CommonJS the module's own address is __filename.
  define: { 'import.meta.url': '__moduleUrl', VERSION: JSON.stringify(version) },
  banner: {
    js: "#!/usr/bin/env node\nconst __moduleUrl=require('node:url').pathToFileURL(__filename).href;",
  },
});
await writeVendors('dist/vendors.txt');
writeFileSync('dist/package.json', '{"type":"commonjs"}\n');
writeFileSync('dist/metafile.json', JSON.stringify(result.metafile));
for (const [file, { bytes }] of Object.entries(result.metafile.outputs)) {
  console.log(`${file}  ${(bytes / 1000).toFixed(0)} kB`);
}
