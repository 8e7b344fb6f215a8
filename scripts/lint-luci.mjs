// Lints and formats the LuCI page: node scripts/lint-luci.mjs [--write]
//
// LuCI evaluates each file as the body of a function, so that it ends in a `return` no linter can
// parse: the linter is given copies in which that `return` is an export.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = 'luci-app/htdocs/luci-static/resources';
/** Below what biome.json includes, and gone when the linter is through. */
const copies = 'luci-app/.lint';
const isWriting = process.argv.includes('--write');

/** @param {string} source */
function findUnusedRequires(source) {
  const names = [...source.matchAll(/^'require (\S+?)(?: as (\w+))?';$/gm)].map(
    ([, path, alias]) => alias ?? path.split('.').at(-1),
  );
  return names.filter((name) => !new RegExp(`^(?!'require).*\\b${name}\\.`, 'm').test(source));
}

const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.js'),
);
const ending = /^return (.*);\n$/m;
let faults = 0;

rmSync(copies, { recursive: true, force: true });
for (const name of names) {
  const source = readFileSync(join(root, name), 'utf8');
  if (!ending.test(source)) throw new Error(`${name}: does not end in "return …;"`);
  for (const each of findUnusedRequires(source)) {
    console.error(`${name}: '${each}' is required and not used`);
    faults++;
  }
  mkdirSync(dirname(join(copies, name)), { recursive: true });
  writeFileSync(join(copies, name), source.replace(ending, 'export default $1;\n'));
}
const { status } = spawnSync(
  'node_modules/.bin/biome',
  [
    'check',
    ...(isWriting ? ['--write'] : []),
    '--error-on-warnings',
    '--skip=suspicious/noRedundantUseStrict',
    copies,
  ],
  { stdio: 'inherit' },
);
if (isWriting)
  for (const name of names) {
    const wanted = readFileSync(join(copies, name), 'utf8');
    writeFileSync(join(root, name), wanted.replace(/^export default (.*);\n$/m, 'return $1;\n'));
  }
rmSync(copies, { recursive: true, force: true });
process.exitCode = status === 0 && faults === 0 ? 0 : 1;
