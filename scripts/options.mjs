// Writes what is made from the option table: the page's module on a build, and the documentation's table when run by itself:
// node scripts/options.mjs
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSource } from './load-source.mjs';

/** @typedef {import('../src/core/config/options/option-table.ts').OptionSpec} OptionSpec */
/** @typedef {import('../src/core/config/options/option-table.ts').SectionSpec} SectionSpec */
/** @typedef {{ sections: readonly SectionSpec[], renderOptionTable: (sections: readonly SectionSpec[]) => string, trueWords: string[] }} Table */

/** Below the page's root, where a browser asks for it. */
const modulePath = 'luci-static/resources/iotshaper/options.js';
const documentation = 'docs/configuration.md';

/** The table itself, from the sources as they are. @returns {Promise<Table>} */
function loadTable() {
  return loadSource(
    `export { sections } from './options.ts';
export { renderOptionTable } from './option-table.ts';
export { trueWords } from './option-kinds.ts';`,
    'src/core/config/options',
  );
}

/** A text the page translates. @param {string} text */
const translated = (text) => (/\p{L}/u.test(text) ? `_(${JSON.stringify(text)})` : `'${text}'`);

/** @param {OptionSpec} option */
function renderOption({ name, kind, default: standard, page }) {
  const { schema, words = [], unit, maxLength } = kind;
  const bounds = schema.anyOf?.at(-1) ?? schema;
  const choices = words.map((word) => {
    const { label = '', hint = '' } = page?.choices?.[word] ?? {};
    return `{ value: '${word}', label: ${translated(label)}, hint: ${translated(hint)} }`;
  });
  const type = words.length > 0 ? 'choice' : unit === undefined ? schema.type : 'number';
  const fields = {
    type: `'${type}'`,
    default: JSON.stringify(standard),
    label: translated(page?.label ?? ''),
    hint: translated(page?.hint ?? ''),
    unit: translated(page?.unit ?? unit ?? ''),
    advanced: page?.advanced === true,
    choices: `[${choices.join(', ')}]`,
    // A field of a browser has no bound that is itself not allowed.
    min: bounds.minimum ?? (bounds.exclusiveMinimum === undefined ? undefined : 0.001),
    max: bounds.maximum,
    step: bounds.type === 'integer' ? 1 : undefined,
    maxLength,
  };
  const lines = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`      ${key}: ${value},`],
  );
  return `    ${name}: {\n${lines.join('\n')}\n    },`;
}

/** @param {SectionSpec} section */
function renderSection({ type, name, options }) {
  return `  ${name ?? type}: {\n${options.map(renderOption).join('\n')}\n  },`;
}

/** The page's module `iotshaper.options`. @returns {Promise<string>} */
export async function renderOptionsModule() {
  const { sections, trueWords } = await loadTable();
  return `// Every option as the page needs it, by section and name; made from the option table.
'use strict';
'require baseclass';

const api = {
  trueWords: ${JSON.stringify(trueWords)},
${sections.map(renderSection).join('\n')}
};

return baseclass.extend(api);
`;
}

/** @param {string} directory in which the page's root is made */
export async function writeOptionsModule(directory) {
  const path = join(directory, modulePath);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await renderOptionsModule());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { sections, renderOptionTable } = await loadTable();
  const [begin, end] = ['<!-- options:begin -->', '<!-- options:end -->'];
  const text = readFileSync(documentation, 'utf8');
  const [before, after] = [text.split(begin)[0], text.split(end)[1]];
  const table = `${begin}\n\n${renderOptionTable(sections)}\n${end}`;
  writeFileSync(documentation, `${before}${table}${after}`);
}
