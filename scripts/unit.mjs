// Bundles the unit tests into a few files: loading a hundred one by one would take longer than running them.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { unitFiles } from './test-kinds.mjs';

const OUT = 'build/unit';
/** As many as a small machine has cores: what two of them share is compiled twice. */
const BUNDLES = 2;

/** Those that compute longest, the longest first: dealt out before all others, so that one bundle does not keep the other waiting. */
const longest = [
  ...['home/service', 'home/replay', 'home/lives', 'endpoint/replay', 'home/profiles'],
  ...['plot/report', 'capture/reader', 'openvpn/profile', 'pacing/schedule', 'endpoint/machine'],
].map((name) => `${name}.test.ts`);

const dealt = [...longest, ...unitFiles.filter((file) => !longest.includes(file))];
const unknown = longest.filter((file) => !unitFiles.includes(file));
if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: there is no such unit test`);
// There and back: 0 1 1 0 0 1 1 0 …
const groups = Array.from({ length: BUNDLES }, (_, k) =>
  dealt.filter((_file, i) => {
    const place = i % (2 * BUNDLES);
    return Math.min(place, 2 * BUNDLES - 1 - place) === k;
  }),
);

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
writeFileSync(join(OUT, 'package.json'), '{"type":"module"}\n');
await build({
  entryPoints: groups.map((_, k) => ({ in: `unit:${k}`, out: `${k + 1}.test` })),
  outdir: OUT,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'inline',
  // A line's number is all that is asked of it.
  sourcesContent: false,
  packages: 'external',
  logLevel: 'warning',
  plugins: [groupFiles(), nameTests()],
});

/** An entry point is the list of its group's files. */
function groupFiles() {
  return {
    name: 'group-files',
    setup(build) {
      build.onResolve({ filter: /^unit:/ }, ({ path }) => ({ path, namespace: 'unit' }));
      build.onLoad({ filter: /./, namespace: 'unit' }, ({ path }) => ({
        contents: groups[Number(path.slice('unit:'.length))]
          .map((file) => `import ${JSON.stringify(`./test/${file}`)};`)
          .join('\n'),
        resolveDir: resolve('.'),
      }));
    },
  };
}

/** Tests of one bundle carry their file's name, as those of a file of their own do. */
function nameTests() {
  return {
    name: 'name-tests',
    setup(build) {
      build.onResolve({ filter: /^ava$/ }, ({ importer, namespace }) =>
        namespace === 'file' && importer.endsWith('.test.ts')
          ? { path: importer, namespace: 'named' }
          : { path: 'ava', external: true },
      );
      build.onLoad({ filter: /./, namespace: 'named' }, ({ path }) => {
        const name = path
          .slice(resolve('test').length + 1, -'.test.ts'.length)
          .replaceAll('/', ' › ');
        return {
          contents: `import test from 'ava';
import { named } from './scripts/named-tests.mjs';
export default named(test, ${JSON.stringify(name)});`,
          resolveDir: resolve('.'),
        };
      });
    },
  };
}
