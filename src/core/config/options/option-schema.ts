// What the option table says of a section's values, as JSON schema.
import type { SchemaObject } from 'ajv';
import type { SectionSpec } from './option-table.ts';

/** JSON schema of a section's values as `Kind.read` gives them. */
export function schemaOf({ options, oneOf }: Pick<SectionSpec, 'options' | 'oneOf'>): SchemaObject {
  const properties = options.map(({ name, kind: { schema }, list }) => [
    name,
    list ? { type: 'array', items: schema, minItems: 1 } : schema,
  ]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: options.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: false,
    ...(oneOf && { anyOf: oneOf.map((name) => ({ required: [name] })) }),
  };
}
