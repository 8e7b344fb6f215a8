// Compiles the option table's JSON schemas when the program is bundled, so that no router carries a compiler.
import { resolve } from 'node:path';
import { Ajv } from 'ajv';
import { _ } from 'ajv/dist/compile/codegen/index.js';
import standalone from 'ajv/dist/standalone/index.js';
import { loadSource } from './load-source.mjs';

const folder = resolve('src/core/config');

/**
 * Puts ready-made functions in the place of src/core/config/validators.ts.
 * @returns {import('esbuild').Plugin}
 */
export function compiledValidators() {
  return {
    name: 'compiled validators',
    setup({ onLoad }) {
      onLoad({ filter: /\/src\/core\/config\/validators\.ts$/ }, async () => ({
        contents: await renderValidators(),
        loader: 'js',
        resolveDir: folder,
      }));
    },
  };
}

/** The module's text, with the same exports and answers. */
async function renderValidators() {
  const { formats, sections, typedOptions, schemaOf } = await loadOptions();
  const specs = [...sections, { type: 'typed', options: typedOptions }];
  const ajv = new Ajv({
    allErrors: true,
    messages: false,
    code: { source: true, esm: true, formats: _`formats` },
    formats,
  });
  for (const spec of specs) {
    // Whoever reads a section gives the values of its options and no others.
    const { additionalProperties: _others, ...schema } = schemaOf(spec);
    ajv.addSchema(schema, spec.type);
  }
  const names = Object.fromEntries(specs.map(({ type }) => [`of_${type}`, type]));
  return `import { formats } from './options/option-kinds.ts';
import { sections, typedOptions } from './options/options.ts';
${shorten(standalone.default(ajv, names))}
function withFault(faults, fault) {
  return faults === null ? [fault] : [...faults, fault];
}
const validators = { ${specs.map(({ type }) => `${type}: of_${type}`).join(', ')} };
export function validatorOf({ options }) {
  if (options === typedOptions) return validators.typed;
  return validators[sections.find((spec) => spec.options === options).type];
}
`;
}

/** ajv's text for what is wrong with one value, of which only the place is asked: half of what it writes. */
const FAULT =
  /const (err\d+) = (\{instancePath:instancePath\+[^,{}]+),schemaPath:"[^"]*",keyword:"\w+",params:\{[^{}]*\}\};if\(vErrors === null\)\{vErrors = \[\1\];\}else \{vErrors\.push\(\1\);\}/g;

/** @param {string} code as ajv writes it */
function shorten(code) {
  const short = code.replace(FAULT, 'vErrors = withFault(vErrors, $2});');
  if (/schemaPath:"#\/properties/.test(short))
    throw new Error('ajv writes its faults in another way');
  return short;
}

/** The option table as the sources have it. */
function loadOptions() {
  return loadSource(
    "export * from './options/options.ts'; export { formats } from './options/option-kinds.ts'; export { schemaOf } from './options/option-schema.ts';",
    folder,
  );
}
