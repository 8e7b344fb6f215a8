// Lints and formats the LuCI page: node scripts/lint-luci.mjs [--write]
//
// LuCI evaluates each file as the body of a function, so that it ends in a `return` no linter can
// parse: for the linter that `return` becomes an export.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = 'luci-app/htdocs/luci-static/resources';
const isWriting = process.argv.includes('--write');

/** @param {string} source */
function findUnusedRequires(source) {
  const names = [...source.matchAll(/^'require (\S+?)(?: as (\w+))?';$/gm)].map(
    ([, path, alias]) => alias ?? path.split('.').at(-1),
  );
  return names.filter((name) => !new RegExp(`^(?!'require).*\\b${name}\\.`, 'm').test(source));
}

let faults = 0;
for (const name of readdirSync(root, { recursive: true })) {
  if (!name.endsWith('.js')) continue;
  const path = join(root, name);
  const source = readFileSync(path, 'utf8');
  const [, ending] = /^return (.*);\n$/m.exec(source) ?? [];
  if (!ending) throw new Error(`${path}: does not end in "return …;"`);
  const { status, stdout, stderr } = spawnSync(
    'node_modules/.bin/biome',
    [
      'check',
      '--write',
      '--error-on-warnings',
      '--skip=suspicious/noRedundantUseStrict',
      // A name no include pattern of biome.json leaves out.
      `--stdin-file-path=luci-app/types/${name.replaceAll('/', '-')}`,
    ],
    {
      input: source.replace(`return ${ending};\n`, `export default ${ending};\n`),
      encoding: 'utf8',
    },
  );
  const wanted = stdout.replace(`export default ${ending};\n`, `return ${ending};\n`);
  const unused = findUnusedRequires(source);
  for (const each of unused) console.error(`${path}: '${each}' is required and not used`);
  if (status !== 0) console.error(`${path}:\n${stderr}`);
  if (status === 0 && wanted !== source) {
    if (isWriting) writeFileSync(path, wanted);
    else console.error(`${path}: not formatted; run node scripts/lint-luci.mjs --write`);
  }
  if (status !== 0 || unused.length > 0 || (wanted !== source && !isWriting)) faults++;
}
process.exitCode = faults === 0 ? 0 : 1;
