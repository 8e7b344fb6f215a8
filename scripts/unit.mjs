// Bundles the unit tests into a few files: loading a hundred one by one would take longer than running them.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { unitFiles } from './test-kinds.mjs';

const OUT = 'build/unit';
/** Bundles that compute: as many as a small machine has cores; what two of them share is compiled twice. */
const BUNDLES = 2;

/** Those that wait for real time, sockets and processes: in a bundle of their own, so that others compute meanwhile. */
const waiting = [
  ...['control/home-control', 'daemon/files', 'daemon/local-api', 'shaper/cover', 'system/child'],
  ...['system/command', 'system/door', 'system/small', 'tunnel/frame-link', 'ubus/client'],
].map((name) => `${name}.test.ts`);

/** Those that compute longest, the longest first: dealt out before all others, so that one bundle does not keep the other waiting. */
const longest = [
  ...['home/service', 'home/lives', 'endpoint/replay', 'home/replay', 'home/profiles'],
  ...['pacing/schedule', 'plot/report', 'capture/reader', 'endpoint/machine', 'config/config'],
].map((name) => `${name}.test.ts`);

const named = [...waiting, ...longest];
const unknown = named.filter((file) => !unitFiles.includes(file));
if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: there is no such unit test`);
const dealt = [...longest, ...unitFiles.filter((file) => !named.includes(file))];
// There and back: 0 1 1 0 0 1 1 0 …
const computing = Array.from({ length: BUNDLES }, (_, k) =>
  dealt.filter((_file, i) => {
    const place = i % (2 * BUNDLES);
    return Math.min(place, 2 * BUNDLES - 1 - place) === k;
  }),
);
const groups = [...computing, waiting];

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
