// What an option table is made of, and the types that follow from its rows.
import type { Kind } from './option-kinds.ts';

export interface OptionSpec<T = unknown> {
  name: string;
  /** In the typed configuration, with its unit; the name in camelCase where left out. */
  field?: string;
  kind: Kind<T>;
  /** As written in UCI, '' for none; a list's values are divided by blanks. */
  default: string;
  /** One line for the documentation. */
  hint: string;
  required?: true;
  /** Written as `list NAME VALUE`, several times. */
  list?: true;
  /** How the page shows it; left out where it has no field for it. */
  page?: PageWords;
}

/** In English: the page translates. */
export interface PageWords {
  label: string;
  hint?: string;
  /** Where it reads better than the kind's. */
  unit?: string;
  /** What it says of each word of a choice. */
  choices?: Readonly<Record<string, { label: string; hint?: string }>>;
}

export interface SectionSpec {
  type: string;
  /** The only name such a section may have; null for any number of sections, named or not. */
  name: string | null;
  hint: string;
  options: readonly OptionSpec[];
  /** At least one of these options has to be there. */
  oneOf?: readonly [string, string];
}

/** The section type with the literal types of its rows, from which {@link Values} follow. */
export function section<const S extends SectionSpec>(spec: S): S {
  return spec;
}

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

type FieldOf<O extends OptionSpec> = O extends { field: infer F extends string }
  ? F
  : CamelCase<O['name']>;

type ValueOf<O extends OptionSpec> =
  O extends OptionSpec<infer T>
    ? O extends { list: true }
      ? T[]
      : O extends { required: true }
        ? T
        : O extends { default: '' }
          ? T | null
          : T
    : never;

/** A section's options in units and names of TypeScript; null for one that is neither given nor has a default. */
export type Values<S extends SectionSpec> = {
  [O in S['options'][number] as FieldOf<O>]: ValueOf<O>;
};

/** The words an option may be. */
export type ChoiceOf<S extends SectionSpec, Name extends string> =
  Extract<S['options'][number], { name: Name }> extends OptionSpec<infer T> ? T : never;

/** @param read values by option name, as `readSection` gives them */
export function typeValues<S extends SectionSpec>(
  { options }: S,
  read: Readonly<Record<string, unknown>>,
): Values<S> {
  const entries = options.map(({ name, field = camelCase(name), kind, list }) => {
    const value = read[name];
    if (list) return [field, Array.isArray(value) ? value.map(kind.convert) : []];
    return [field, value === undefined ? null : kind.convert(value)];
  });
  return Object.fromEntries(entries) as Values<S>;
}

/** What holds where a section says nothing, of one none of whose options is required. */
export function defaultsOf<S extends SectionSpec>(spec: S): Values<S> {
  const given = spec.options.filter((option) => option.default !== '');
  const read = given.map(({ name, kind, list, default: text }) => [
    name,
    list ? text.split(' ').map(kind.read) : kind.read(text),
  ]);
  return typeValues(spec, Object.fromEntries(read));
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
