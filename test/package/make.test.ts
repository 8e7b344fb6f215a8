// What make does in a clone whose packages are not all there: it installs them anew, and runs no stranger's program meanwhile.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { temporaryFolder } from './archive.ts';

/** What it would run, in a clone with this in node_modules. @param installed seconds after the lock file's own time, or null */
function plan(t: ExecutionContext, target: string, installed: number | null): string {
  const clone = temporaryFolder(t);
  for (const name of ['Makefile', 'package.json', 'package-lock.json']) {
    copyFileSync(name, join(clone, name));
    utimesSync(join(clone, name), 1000, 1000);
  }
  for (const name of ['src', 'scripts', 'node_modules']) mkdirSync(join(clone, name));
  if (installed !== null) {
    const stamp = join(clone, 'node_modules/.package-lock.json');
    writeFileSync(stamp, '{}');
    utimesSync(stamp, 1000 + installed, 1000 + installed);
  }
  // The folder itself is as new as can be.
  return execFileSync('make', ['--dry-run', target], { cwd: clone, encoding: 'utf8' });
}

for (const target of ['lint', 'unit', 'build', 'compiled']) {
  test(`make ${target} installs packages that an interrupted npm left half-way`, (t) => {
    t.regex(plan(t, target, null), /^npm ci /m);
    t.regex(plan(t, target, -10), /^npm ci /m);
    t.notRegex(plan(t, target, 10), /npm ci/);
  });
}

test('no program is fetched from npm because it is missing', (t) => {
  const scripts = readdirSync('scripts').filter((name) => name.endsWith('.sh'));
  for (const file of ['Makefile', ...scripts.map((name) => `scripts/${name}`)]) {
    t.notRegex(readFileSync(file, 'utf8'), /\bnpx (?!--no-install )/, file);
  }
});
