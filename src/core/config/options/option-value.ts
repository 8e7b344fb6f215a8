// Judges one option's text by its kind alone: what the page asks while somebody types. Sections as a whole are judged by ajv.
import type { SchemaObject } from 'ajv';
import { formats, type Kind } from './option-kinds.ts';

/** Whether a value that `Kind.read` gave fits a kind's schema. Knows those words of JSON schema that kinds are made of. */
function isAllowed(schema: SchemaObject, value: unknown): boolean {
  if (schema.anyOf) return schema.anyOf.some((one: SchemaObject) => isAllowed(one, value));
  if ('const' in schema) return value === schema.const;
  if (schema.enum) return schema.enum.includes(value);
  if (schema.type === 'integer' ? !Number.isInteger(value) : typeof value !== schema.type)
    return false;
  if (typeof value === 'number') {
    const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity } = schema;
    return value >= minimum && value <= maximum && value > exclusiveMinimum;
  }
  const format = schema.format as keyof typeof formats | undefined;
  return format === undefined || formats[format](String(value));
}

/** Whether UCI may hold this text for an option of the kind. */
export function isSound({ read, schema }: Kind, text: string): boolean {
  return isAllowed(schema, read(text));
}
