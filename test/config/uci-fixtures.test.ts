// Holds the UCI parser and writer against what real uci made of the same files.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { parseUci, UciError } from '../../src/core/config/uci/uci.ts';
import { packageNameOf } from '../../src/core/config/uci/uci-names.ts';
import { renderUciExport } from '../../src/core/config/uci/uci-writer.ts';
import { renderUciShow } from '../stand-ins/uci-show.ts';

const folder = 'test/fixtures/uci';
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.uci'))
  .map((file) => file.slice(0, -4));

test('there are fixtures', (t) => {
  t.true(names.length >= 25);
});

for (const name of names) {
  const path = (suffix: string) => `${folder}/${name}.${suffix}`;
  const input = readFileSync(path('uci'));
  const parse = () => parseUci(input, packageNameOf(path('uci')));
  if (existsSync(path('export.err'))) {
    test(`${name}: refused with uci's error`, (t) => {
      const error = t.throws(parse, { instanceOf: UciError });
      const [message, exit] = readFileSync(path('export.err'), 'utf8').split('\n');
      t.is(error.message, message?.replace(/^\S*uci: /, 'uci: '));
      t.is(exit, 'exit 1');
    });
  } else {
    test(`${name}: exported as uci does`, (t) => {
      t.deepEqual(renderUciExport(parse()), readFileSync(path('export')));
    });
    test(`${name}: shown as uci does`, (t) => {
      // `uci show` prints nothing for a file without sections, which has no .show then.
      const shown = existsSync(path('show')) ? readFileSync(path('show')) : Buffer.alloc(0);
      t.deepEqual(renderUciShow(parse()), shown);
    });
  }
}
