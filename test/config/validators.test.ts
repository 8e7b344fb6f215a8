// What the bundle judges options by says the same as ajv does here, word for word.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { build } from 'esbuild';
import { parseConfig } from '../../src/core/config/config.ts';
import { renderSection, sound, specOf, wrong } from './wrong-options.ts';

type Parse = typeof parseConfig;

async function bundledParse(): Promise<{ parse: Parse; text: string }> {
  // Plain JavaScript beside the sources: nothing for the compiler.
  const { compiledValidators } = await import(
    pathToFileURL(resolve('scripts/validators.mjs')).href
  );
  const { outputFiles } = await build({
    entryPoints: ['src/core/config/config.ts'],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    plugins: [compiledValidators()],
    logLevel: 'warning',
  });
  const { text } = outputFiles[0]!;
  const base64 = Buffer.from(text).toString('base64');
  const { parseConfig: parse } = await import(`data:text/javascript;base64,${base64}`);
  return { parse, text };
}

const bundled = bundledParse();

/** What a person gets from it: configuration and warnings, or everything that is wrong. */
function outcome(parse: Parse, config: string): unknown {
  try {
    return parse(config);
  } catch (error) {
    return { errors: (error as { errors: unknown }).errors };
  }
}

test('every option is taken and refused alike', async (t) => {
  const { parse } = await bundled;
  const configs = wrong.flatMap(([option, , values]) => {
    const [spec, name] = specOf(option);
    const given = sound[spec.type] as Record<string, string>;
    const { [name]: _, ...others } = given;
    const items = values.map((value) => `\tlist ${name} '${value.replaceAll("'", '')}'\n`);
    return [
      renderSection(spec, given),
      renderSection(spec, others),
      renderSection(spec, others) + items.join(''),
      ...values.map((value) => renderSection(spec, { ...given, [name]: value })),
    ];
  });
  const typed = ['40', '0', 'fast'].flatMap((text) => [
    `config ${text} 'rate'\n`,
    `config ${text} 'enabled'\n`,
  ]);
  let refused = 0;
  for (const config of [...configs, ...typed]) {
    const expected = outcome(parseConfig, config);
    if (Object.hasOwn(expected as object, 'errors')) refused++;
    t.deepEqual(outcome(parse, config), expected, config);
  }
  t.true(refused > 100, `${refused} refused`);
});

test('no compiler goes along', async (t) => {
  const { text } = await bundled;
  t.notRegex(text, /new Function|CodeGen|json-schema\.org/);
});
