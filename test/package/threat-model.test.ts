// What docs/threat-model.md promises is held by tests that there are.
import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';

const text = readFileSync('docs/threat-model.md', 'utf8');

test('every test it names is there', (t) => {
  const named = [...new Set([...text.matchAll(/`(test\/[^`]+)`/g)].map(([, path]) => path!))];
  t.true(named.length > 20);
  t.deepEqual(
    named.filter((path) => !existsSync(path)),
    [],
  );
});

test('every promise names a test, but for what the program does not do itself', (t) => {
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| promised/.test(line));
  t.true(rows.length > 20);
  const unheld = rows.filter((row) => !/\| .*`test\//.test(row));
  t.deepEqual(
    unheld.map((row) => /OpenVPN draws new ones/.test(row)),
    [true],
  );
});
