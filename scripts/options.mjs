// Writes the option table into the documentation: node scripts/options.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { loadSource } from './load-source.mjs';

/** @typedef {import('../src/core/config/options/option-table.ts').SectionSpec} SectionSpec */
/** @typedef {{ sections: readonly SectionSpec[], renderOptionTable: (sections: readonly SectionSpec[]) => string }} Table */

const documentation = 'docs/configuration.md';

/** The table itself, from the sources as they are. @returns {Promise<Table>} */
function loadTable() {
  return loadSource(
    `export { sections } from './options.ts';
export { renderOptionTable } from './option-markdown.ts';`,
    'src/core/config/options',
  );
}

const { sections, renderOptionTable } = await loadTable();
const [begin, end] = ['<!-- options:begin -->', '<!-- options:end -->'];
const text = readFileSync(documentation, 'utf8');
const [before, after] = [text.split(begin)[0], text.split(end)[1]];
const table = `${begin}\n\n${renderOptionTable(sections)}\n${end}`;
writeFileSync(documentation, `${before}${table}${after}`);
