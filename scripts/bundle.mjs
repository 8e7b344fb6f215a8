// How the program is bundled: one file for each of its parts, and in shared/ what several of them need.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, transform } from 'esbuild';
import { sayAsCommonJs } from './common-js.mjs';
import { sourceDate, version } from './package-files.mjs';
import { compiledValidators } from './validators.mjs';
import { writeVendors } from './vendors.mjs';

/** What a router or a server runs, by the name of its file: the program, and what it reads when that is asked for. */
const product = {
  iotshaper: 'src/main.ts',
  'iotshaper-home': 'src/shell/cli/home.ts',
  'iotshaper-cli': 'src/shell/cli/program.ts',
  'iotshaper-endpoint': 'src/shell/cli/endpoint.ts',
  'iotshaper-tools': 'src/shell/cli/tools/tools.ts',
  'iotshaper-debian': 'src/shell/cli/debian/debian.ts',
};
/** In one file with all it needs, so that what a router has is cut without regard to it. */
const research = { 'iotshaper-research': 'src/research/cli/research.ts' };
/** The page that a home on Debian serves itself, and its door; a router has neither, and its files are cut without regard to them. */
const page = {
  'iotshaper-page': 'src/shell/cli/debian/page-service.ts',
  'iotshaper-web': 'src/shell/system/node/web-server.ts',
};

/** Several endpoints with one registry; what one machine alone has is cut without regard to it. */
const fleet = { 'iotshaper-fleet': 'src/shell/fleet/fleet.ts' };

/** @type {import('esbuild').BuildOptions & import('esbuild').TransformOptions} */
const common = {
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'eof',
  logLevel: 'warning',
};

/**
 * Bundles the program into `directory` with what it reads beside itself.
 * @param {string} directory
 * @param {import('esbuild').Plugin[]} [plugins] for the product
 * @returns {Promise<import('esbuild').Metafile['outputs']>} what each file has in it and what it imports
 */
export async function bundle(directory, plugins = []) {
  rmSync(join(directory, 'shared'), { recursive: true, force: true });
  const outputs = {
    ...(await bundleParts(product, directory, plugins)),
    ...(await bundleParts(research, directory, [])),
    ...(await bundleParts(fleet, directory, [], false)),
    ...(await bundleParts(
      page,
      directory,
      [apart({ 'iotshaper-home': product['iotshaper-home'] })],
      false,
    )),
  };
  await writeVendors(join(directory, 'vendors.txt'));
  writeFileSync(join(directory, 'package.json'), '{"type":"commonjs"}\n');
  return outputs;
}

/**
 * @param {Record<string, string>} entryPoints
 * @param {string} directory
 * @param {import('esbuild').Plugin[]} plugins
 * @param {boolean} splits whether what several need is in shared/
 */
async function bundleParts(entryPoints, directory, plugins, splits = true) {
  const { metafile } = await build({
    ...common,
    entryPoints,
    outdir: directory,
    chunkNames: 'shared/[hash]',
    bundle: true,
    format: 'esm',
    // 45 kB of which ip-cidr asks for five functions.
    alias: { 'ip-address': './src/core/ip/block-address.ts' },
    splitting: splits,
    // A binding in C and a platform of others', which pg goes without.
    external: ['pg-native', 'pg-cloudflare'],
    metafile: true,
    define: {
      'import.meta.url': '__moduleUrl',
      VERSION: JSON.stringify(version),
      SOURCE_DATE: `${sourceDate()}`,
    },
    plugins: [apart({ ...research, ...page, ...fleet }), compiledValidators(), ...plugins],
  });
  for (const [path, output] of Object.entries(metafile.outputs)) {
    const text = readFileSync(path, 'utf8');
    const code = await toCommonJs(
      // A part stands beside shared/, not in it.
      path.includes('/shared/') ? text.replaceAll('"./iotshaper-', '"../iotshaper-') : text,
      output.imports.flatMap(({ path: to, kind, external }) =>
        kind === 'import-statement' ? (external ? to : fromTo(path, to)) : [],
      ),
    );
    writeFileSync(path, code);
    output.bytes = Buffer.byteLength(code);
  }
  return metafile.outputs;
}

/**
 * What is read where it is asked for, and not held. The program reads research and the page so, the page the service.
 * @param {Record<string, string>} entryPoints
 * @returns {import('esbuild').Plugin}
 */
function apart(entryPoints) {
  const parts = Object.entries(entryPoints).map(([name, source]) => ({
    name,
    file: source.split('/').at(-1),
  }));
  return {
    name: `apart: ${Object.keys(entryPoints)}`,
    setup({ onResolve }) {
      onResolve({ filter: /\.ts$/ }, ({ path, kind }) => {
        const part = parts.find(({ file }) => path.endsWith(`/${file}`));
        return part && kind === 'dynamic-import'
          ? { path: `./${part.name}.js`, external: true }
          : null;
      });
    },
  };
}

/** How one file of the program names another one. @param {string} path @param {string} to */
function fromTo(path, to) {
  const name = relative(dirname(path), to);
  return name.startsWith('.') ? name : `./${name}`;
}

/**
 * esbuild splits modules of ECMAScript only; Node.js starts those of CommonJS sooner.
 * @param {string} module
 * @param {readonly string[]} imported
 */
async function toCommonJs(module, imported) {
  const { code } = await transform(sayAsCommonJs(module, imported), {
    ...common,
    format: 'cjs',
  });
  return code.replaceAll('__moduleUrl', "require('node:url').pathToFileURL(__filename).href");
}
