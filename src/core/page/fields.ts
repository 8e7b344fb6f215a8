// Options as fields of a form: what the page needs to know of each, made of the option table alone.
import { trueWords } from '../config/options/option-kinds.ts';
import type { OptionSpec, SectionSpec } from '../config/options/option-table.ts';
import { isSound } from '../config/options/option-value.ts';
import { sections } from '../config/options/options.ts';
import { type Notice, notice } from '../notices/notice.ts';

/** One option as a field. Words are English: the page translates. */
export interface Field {
  name: string;
  type: 'flag' | 'choice' | 'number' | 'time' | 'text';
  isList: boolean;
  isRequired: boolean;
  /** As written in UCI, '' for none; a list's values are divided by blanks. */
  default: string;
  label: string;
  hint: string;
  unit: string;
  /** What a choice is one of; a label is '' where the table has no word for it. */
  choices: { value: string; label: string; hint: string }[];
  /** Of a text, 0 where nothing bounds it. */
  maxLength: number;
  /** What may be written, whether or not it is. */
  rule: Notice;
  /** The rule where a text breaks it; of a list, of one of its texts. Nothing is wrong with '' unless something is required. */
  findFault(text: string): Notice | null;
}

function typeOf({ words, unit, schema }: OptionSpec['kind']): Field['type'] {
  if (words !== undefined) return 'choice';
  if (unit !== undefined) return 'number';
  if (schema.type === 'boolean') return 'flag';
  return schema.format === 'time' ? 'time' : 'text';
}

function fieldOf({ kind, page, ...option }: OptionSpec): Field {
  const { words = [], unit = '', maxLength = 0 } = kind;
  const isRequired = option.required === true;
  const rule = notice('field-refused', { allowed: kind.allowed });
  return {
    name: option.name,
    type: typeOf(kind),
    isList: option.list === true,
    isRequired,
    default: option.default,
    label: page?.label ?? '',
    hint: page?.hint ?? '',
    unit: page?.unit ?? unit,
    choices: words.map((value) => ({ value, label: '', hint: '', ...page?.choices?.[value] })),
    maxLength,
    rule,
    findFault: (text) =>
      (text === '' && !isRequired) || (text !== '' && isSound(kind, text)) ? null : rule,
  };
}

/** The options of a section type that have a field, in the table's order. */
export function fieldsOf({ options }: Pick<SectionSpec, 'options'>): Field[] {
  return options.filter(({ page }) => page !== undefined).map(fieldOf);
}

/** A flag's text as a form has it: `1` for every word that means yes, `0` for all else. */
export function flagText(text: string): string {
  return trueWords.includes(text) ? '1' : '0';
}

/** Every text of every field, for translators. */
export function fieldTexts(): string[] {
  const texts = sections
    .flatMap(fieldsOf)
    .flatMap(({ label, hint, unit, choices }) => [
      label,
      hint,
      unit,
      ...choices.flatMap((choice) => [choice.label, choice.hint]),
    ]);
  return [...new Set(texts)].filter((text) => /\p{L}/u.test(text));
}
