// The documentation's option table is the one the program goes by.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { renderOptionTable } from '../../src/core/config/options/option-markdown.ts';
import { sections } from '../../src/core/config/options/options.ts';

test('docs/configuration.md holds the option table', (t) => {
  const text = readFileSync('docs/configuration.md', 'utf8');
  const [, table] = text.split(/<!-- options:(?:begin|end) -->/);
  t.is(table?.trim(), renderOptionTable(sections).trim());
});
