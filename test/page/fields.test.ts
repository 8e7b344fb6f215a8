// Options as fields: what a form asks and says is what the option table has.
import test from 'ava';
import fc from 'fast-check';
import type { OptionSpec, SectionSpec } from '../../src/core/config/options/option-table.ts';
import { isSound } from '../../src/core/config/options/option-value.ts';
import {
  deviceSection,
  mainSection,
  scheduleSection,
  sections,
} from '../../src/core/config/options/options.ts';
import { readSection } from '../../src/core/config/section-values.ts';
import type { Notice } from '../../src/core/notices/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { modeChoices } from '../../src/core/pacing/modes.ts';
import { type Field, fieldsOf, fieldTexts, flagText } from '../../src/core/page/fields.ts';
import { pageTexts } from '../../src/core/page/texts.ts';
import { anyCharacter } from '../any-character.ts';
import { sound, specOf, wrong } from '../config/wrong-options.ts';

/** As people read it, '' for nothing. */
const inWords = (fault: Notice | null) => (fault === null ? '' : wordsOf(fault));

const fieldOf = (spec: SectionSpec, name: string): Field =>
  fieldsOf(spec).find((field) => field.name === name)!;

test('every option with words for the page is a field, in the order of the table', (t) => {
  for (const spec of sections) {
    const worded = spec.options.filter(({ page }) => page !== undefined);
    t.deepEqual(
      fieldsOf(spec).map(({ name, default: standard }) => [name, standard]),
      worded.map(({ name, default: standard }) => [name, standard]),
    );
  }
  t.true(fieldsOf(mainSection).length > 10);
});

test('kinds, units and choices are those of the table', (t) => {
  t.like(fieldOf(mainSection, 'packet_size'), { type: 'number', unit: 'bytes', isList: false });
  t.like(fieldOf(mainSection, 'price_per_gb'), { type: 'number', unit: 'for a GB' });
  t.like(fieldOf(mainSection, 'killswitch'), { type: 'flag', default: '1' });
  t.like(fieldOf(mainSection, 'house'), { type: 'text', isList: true });
  t.like(fieldOf(scheduleSection, 'start'), { type: 'time', isRequired: true });
  t.like(fieldOf(scheduleSection, 'days'), { type: 'choice', isList: true });
  t.is(fieldOf(deviceSection, 'name').maxLength, 64);
  t.deepEqual(
    fieldOf(mainSection, 'mode').choices.map(({ value }) => value),
    modeChoices,
  );
});

test('every choice a person meets has a word', (t) => {
  for (const field of [fieldOf(mainSection, 'mode'), fieldOf(deviceSection, 'policy')])
    for (const { value, label } of field.choices) t.regex(label, /^[A-Z]/, value);
});

test('what the service refuses a field refuses in the same words', (t) => {
  for (const [option, rule, values] of wrong) {
    const [spec, name] = specOf(option);
    const field = fieldOf(spec, name);
    if (field === undefined) continue;
    for (const value of values)
      t.is(inWords(field.findFault(value)), `M${rule.slice(1)}.`, `${option} ${value}`);
  }
});

test('an empty field is wrong where something is required, and only there', (t) => {
  for (const field of sections.flatMap(fieldsOf)) {
    t.deepEqual(field.findFault(''), field.isRequired ? field.rule : null, field.name);
    if (field.default !== '' && !field.isList) t.is(field.findFault(field.default), null);
  }
});

/** Texts near the edge of what options hold, and any other. */
const text = fc.oneof(
  fc.constantFrom('0', '1', '0.25', '.25', '40', '256', '1400', '512.5', '1e3', '-1', 'on', 'vit'),
  fc.constantFrom('mon', '06:30', '24:00', 'br-lan', '/etc/x', '10.0.0.0/8', 'fd00::/64', '::1/0'),
  fc.constantFrom('18:b4:30:00:00:01', '01:00:5e:00:00:01', '192.168.1.256', 'constructor'),
  fc.double({ min: 0, max: 20_000, noNaN: true }).map(String),
  fc.string({ minLength: 1, maxLength: 70, unit: anyCharacter }),
);

/** Whether the service takes this text for an option, all others of its section being right. */
function isTaken(spec: SectionSpec, { name, list }: OptionSpec, value: string): boolean {
  const others = new Map<string, string | string[]>(Object.entries(sound[spec.type] ?? {}));
  const { problems } = readSection(spec, others.set(name, list ? [value] : value), 'x');
  return problems.length === 0;
}

test('one text is judged as ajv judges the section', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(text, (value) =>
        sections.every((spec) =>
          spec.options.every(
            (option) => isSound(option.kind, value) === isTaken(spec, option, value),
          ),
        ),
      ),
      { numRuns: 300 },
    ),
  );
});

test('a flag knows every word for yes', (t) => {
  for (const yes of ['1', 'on', 'true', 'yes', 'enabled']) t.is(flagText(yes), '1', yes);
  for (const no of ['0', 'off', 'maybe', '']) t.is(flagText(no), '0', no);
});

test('translators get every label, hint, unit and rule, each once', (t) => {
  const texts = pageTexts();
  t.is(new Set(texts).size, texts.length);
  for (const expected of ['Packet size', 'bytes', 'Varied', 'GB a month'])
    t.true(texts.includes(expected), expected);
  t.true(fieldTexts().every((one) => texts.includes(one)));
  t.false(texts.includes('%') || texts.includes(''));
});
