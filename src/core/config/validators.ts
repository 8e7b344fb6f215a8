// Judges a section's values by JSON schema. Bundles hold what ajv compiles here, and no compiler: scripts/validators.mjs.
import { Ajv, type ValidateFunction } from 'ajv';
import { formats } from './options/option-kinds.ts';
import { schemaOf } from './options/option-schema.ts';
import type { OptionSpec, SectionSpec } from './options/option-table.ts';

const ajv = new Ajv({ allErrors: true, messages: false, formats });
const validators = new WeakMap<readonly OptionSpec[], ValidateFunction>();

/** Rows of a section, and what must not all be missing. */
export type SectionTable = Pick<SectionSpec, 'options' | 'oneOf'>;

/** Judges values by the table of `spec`; compiled once for each table. */
export function validatorOf(spec: SectionTable): ValidateFunction {
  const known = validators.get(spec.options);
  if (known !== undefined) return known;
  const validate = ajv.compile(schemaOf(spec));
  validators.set(spec.options, validate);
  return validate;
}
