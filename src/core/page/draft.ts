// What a section's texts mean while somebody is still writing them.
import { type SectionSpec, typeValues, type Values } from '../config/options/option-table.ts';
import { isSound } from '../config/options/option-value.ts';

/** A section's values as far as they are known: null for what is refused, and for what is required and missing. */
export type Draft<S extends SectionSpec> = { [K in keyof Values<S>]: Values<S>[K] | null };

/**
 * Types a section's texts one by one. What is not written has its default; what is refused is null, and left out of a list.
 *
 * @param texts as UCI or a form has them, by option
 */
export function readDraft<S extends SectionSpec>(
  spec: S,
  texts: Readonly<Record<string, unknown>>,
): Draft<S> {
  const read: Record<string, unknown> = {};
  for (const { name, kind, list, default: standard } of spec.options) {
    const written = texts[name];
    const isMissing = written === undefined || written === null || written === '';
    const text = isMissing ? standard : written;
    if (list) {
      const items = Array.isArray(text) ? text.map(String) : String(text).split(/\s+/);
      read[name] = items.filter((item) => isSound(kind, item)).map(kind.read);
    } else if (isSound(kind, String(text))) read[name] = kind.read(String(text));
  }
  const values: object = typeValues(spec, read);
  return values as Draft<S>;
}
