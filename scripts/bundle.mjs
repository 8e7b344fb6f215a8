// How the program is bundled: one CommonJS file that starts its worker threads from itself.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { sourceDate, version } from './package-files.mjs';
import { compiledValidators } from './validators.mjs';
import { writeVendors } from './vendors.mjs';

/**
 * Bundles the program into `directory` with what it reads beside itself.
 * @param {string} directory
 * @param {import('esbuild').Plugin[]} [plugins]
 * @returns {Promise<import('esbuild').Metafile>} who imports what, and how much of it was kept
 */
export async function bundle(directory, plugins = []) {
  const { metafile } = await build({
    entryPoints: { iotshaper: 'src/main.ts' },
    outdir: directory,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    legalComments: 'eof',
    metafile: true,
    logLevel: 'warning',
    // A worker thread starts the same file again; in CommonJS the module's own address is __filename.
    define: {
      'import.meta.url': '__moduleUrl',
      VERSION: JSON.stringify(version),
      SOURCE_DATE: `${sourceDate()}`,
    },
    banner: {
      js: "#!/usr/bin/env node\nconst __moduleUrl=require('node:url').pathToFileURL(__filename).href;",
    },
    plugins: [compiledValidators(), ...plugins],
  });
  await writeVendors(join(directory, 'vendors.txt'));
  writeFileSync(join(directory, 'package.json'), '{"type":"commonjs"}\n');
  return metafile;
}
