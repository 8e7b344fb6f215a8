// Every golden case, word by word. UPDATE_GOLDEN=1 writes the files anew.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { goldenCases, renderGoldenCases } from './cases.ts';

const update = process.env.UPDATE_GOLDEN === '1';

for (const { folder, files } of goldenCases) {
  for (const [name, text] of Object.entries(files)) {
    const path = `test/golden/${folder}/${name}`;
    test(path, (t) => {
      if (update) {
        mkdirSync(`test/golden/${folder}`, { recursive: true });
        writeFileSync(path, text);
      }
      t.is(text, readFileSync(path, 'utf8'), 'after a change that is meant: UPDATE_GOLDEN=1');
    });
  }
}

test('no golden file is left over', (t) => {
  const known = goldenCases.flatMap(({ folder, files }) =>
    Object.keys(files).map((name) => `${folder}/${name}`),
  );
  const found = readdirSync('test/golden', { recursive: true, encoding: 'utf8' }).filter(
    (path) => /^\w+\/[^/]+\/./.test(path) && !path.endsWith('/iotshaper'),
  );
  t.deepEqual(found.sort(), known.sort());
});

test('no key stands in a golden file', (t) => {
  for (const { files } of goldenCases)
    for (const text of Object.values(files)) t.false(text.includes('PRIVATE KEY'));
});

test('the same facts give the same text', (t) => {
  t.deepEqual(renderGoldenCases(), goldenCases);
});
