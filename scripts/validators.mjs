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
  for (const spec of specs) ajv.addSchema(schemaOf(spec), spec.type);
  const names = Object.fromEntries(specs.map(({ type }) => [`of_${type}`, type]));
  return `import { formats } from './options/option-kinds.ts';
import { sections, typedOptions } from './options/options.ts';
${standalone.default(ajv, names)}
const validators = { ${specs.map(({ type }) => `${type}: of_${type}`).join(', ')} };
export function validatorOf({ options }) {
  if (options === typedOptions) return validators.typed;
  return validators[sections.find((spec) => spec.options === options).type];
}
`;
}

/** The option table as the sources have it. */
function loadOptions() {
  return loadSource(
    "export * from './options/options.ts'; export { formats } from './options/option-kinds.ts';",
    folder,
  );
}
