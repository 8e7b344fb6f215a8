// Reads one section by its option table: defaults filled in, every value judged by JSON schema.
import type { ErrorObject } from 'ajv';
import { notice } from '../notices/notice.ts';
import { type ConfigProblem, problem } from './config-error.ts';
import { type SectionTable, validatorOf } from './validators.ts';

type UciValue = string | string[];

const splitWords = (text: string) => text.split(/\s+/).filter((word) => word !== '');

/** A list as text values; `option days 'mon tue'` is what people write who don't know `list`. */
function listItems(value: UciValue): string[] {
  return typeof value === 'string' ? splitWords(value) : value;
}

/**
 * Reads the options of a section.
 *
 * @param given options as in UCI; those the table doesn't have are not looked at
 * @param path of the section, for messages: `iotshaper.main`
 * @returns values by option name: those of a kind's `read`, arrays for lists, no entry where there
 *   is neither value nor default. Not to be used when there are problems.
 */
export function readSection(
  spec: SectionTable,
  given: ReadonlyMap<string, UciValue>,
  path: string,
): { values: Record<string, unknown>; problems: ConfigProblem[] } {
  const values: Record<string, unknown> = {};
  const texts = new Map<string, UciValue>();
  const problems: ConfigProblem[] = [];
  for (const { name, kind, list, default: fallback } of spec.options) {
    const value = given.get(name) ?? (fallback === '' ? undefined : fallback);
    if (value === undefined) continue;
    if (list) {
      const items = listItems(value);
      texts.set(name, items);
      values[name] = items.map(kind.read);
    } else if (typeof value === 'string') {
      texts.set(name, value);
      values[name] = kind.read(value);
    } else {
      // Kept, so that it does not count as missing besides.
      values[name] = value;
      const count = value.length;
      problems.push(
        problem(`${path}.${name}`, value.join(' '), (at) =>
          notice('option-is-list', { ...at, count }),
        ),
      );
    }
  }
  const validate = validatorOf(spec);
  if (!validate(values)) {
    const failed = describeFailures(spec, validate.errors ?? [], texts, path);
    // What was refused as a list is refused once.
    problems.push(...failed.filter((one) => !problems.some((other) => other.path === one.path)));
  }
  return { values, problems };
}

/** ajv's errors in the words of the table: one for each value, in the table's order. */
function describeFailures(
  { options, oneOf }: SectionTable,
  errors: readonly ErrorObject[],
  texts: ReadonlyMap<string, UciValue>,
  path: string,
): ConfigProblem[] {
  const failed = new Map<string, Set<number | null>>();
  let noneOf = false;
  for (const { instancePath, keyword, params, schemaPath } of errors) {
    const [, name = '', index] = instancePath.split('/');
    if (name !== '') {
      const places = failed.get(name) ?? new Set();
      failed.set(name, places.add(index === undefined ? null : Number(index)));
    } else if (keyword === 'anyOf') noneOf = true;
    else if (keyword === 'required' && schemaPath === '#/required')
      failed.set(params.missingProperty as string, new Set([null]));
  }
  const problems: ConfigProblem[] = [];
  for (const { name, kind } of options) {
    const text = texts.get(name);
    for (const index of failed.get(name) ?? []) {
      const value = Array.isArray(text) ? text[index ?? 0] : text;
      problems.push(
        problem(`${path}.${name}`, value ?? null, (at) =>
          notice('option-refused', { ...at, allowed: kind.allowed }),
        ),
      );
    }
  }
  if (noneOf && oneOf && !oneOf.some((name) => failed.has(name))) {
    const [first, second] = oneOf;
    problems.push(
      problem(path, null, (at) => notice('option-of-either-missing', { ...at, first, second })),
    );
  }
  return problems;
}
