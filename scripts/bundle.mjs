// How the program is bundled: CommonJS files of which the first starts its worker threads from itself.
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { sourceDate, version } from './package-files.mjs';
import { compiledValidators } from './validators.mjs';
import { writeVendors } from './vendors.mjs';

/** What is bundled, by the name of its file: the service, and what it reads from beside itself when a command asks for it. */
const entries = {
  iotshaper: 'src/main.ts',
  'iotshaper-endpoint': 'src/shell/cli/endpoint.ts',
  'iotshaper-tools': 'src/shell/cli/tools/tools.ts',
  'iotshaper-research': 'src/research/cli/research.ts',
};

/**
 * Bundles the program into `directory` with what it reads beside itself.
 * @param {string} directory
 * @param {import('esbuild').Plugin[]} [plugins]
 * @returns {Promise<import('esbuild').Metafile>} who imports what, and how much of it was kept
 */
export async function bundle(directory, plugins = []) {
  const { metafile } = await build({
    entryPoints: entries,
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
    plugins: [filesBeside(), compiledValidators(), ...plugins],
  });
  await writeVendors(join(directory, 'vendors.txt'));
  writeFileSync(join(directory, 'package.json'), '{"type":"commonjs"}\n');
  return metafile;
}

/** A module that another reads only when it needs it is a file of its own. @returns {import('esbuild').Plugin} */
function filesBeside() {
  return {
    name: 'files beside',
    setup({ onResolve }) {
      onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) => {
        if (kind !== 'dynamic-import') return null;
        const entry = relative('.', join(resolveDir, path));
        const [name] = Object.entries(entries).find(([, source]) => source === entry) ?? [];
        if (name === undefined) throw new Error(`${entry}: read later, but no bundle of its own`);
        return { path: `./${name}.js`, external: true };
      });
    },
  };
}
