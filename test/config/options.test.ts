// Every option of the table: its default, and what is refused in which words.
import test from 'ava';
import { parseConfig } from '../../src/core/config/config.ts';
import { ConfigError } from '../../src/core/config/config-error.ts';
import { schemaOf } from '../../src/core/config/options/option-schema.ts';
import { sections } from '../../src/core/config/options/options.ts';
import { readSection } from '../../src/core/config/section-values.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { netdev, renderSection, sound, specOf, time, wrong } from './wrong-options.ts';

function errorsOf(text: string) {
  try {
    parseConfig(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.errors.map((one) => ({ path: one.path, value: one.value, message: wordsOf(one) }));
  }
}

const refuses = test.macro({
  title: (_, option: string, __: string, value: string) =>
    `${option} refuses ${JSON.stringify(value.slice(0, 40))}`,
  exec(t, option: string, rule: string, value: string) {
    const [spec, name] = specOf(option);
    const text = renderSection(spec, { ...sound[spec.type], [name]: value });
    const path = `iotshaper.${spec.name ?? `@${spec.type}[0]`}.${name}`;
    const shown = value.length > 80 ? `${value.slice(0, 79)}…` : value;
    const message = `${path}: ${rule}, got ${JSON.stringify(shown)}`;
    t.deepEqual(errorsOf(text), [{ path, value, message }]);
  },
});

for (const [option, rule, values] of wrong)
  for (const value of values) test(refuses, option, rule, value);

test('no option is left out above', (t) => {
  const all = sections.flatMap(({ type, options }) => options.map(({ name }) => `${type}.${name}`));
  t.deepEqual(
    wrong.map(([option]) => option),
    all,
  );
});

test('each option refuses a list, unless it is one', (t) => {
  for (const [option, rule] of wrong) {
    const [spec, name] = specOf(option);
    const { [name]: _, ...others } = sound[spec.type] as Record<string, string>;
    const lists = `\tlist ${name} 'a*'\n\tlist ${name} 'b*'\n`;
    const path = `iotshaper.${spec.name ?? `@${spec.type}[0]`}.${name}`;
    const errors = errorsOf(renderSection(spec, others) + lists);
    if (spec.options.find((one) => one.name === name)?.list) {
      t.deepEqual(
        errors.map(({ message }) => message),
        [`${path}: ${rule}, got "a*"`, `${path}: ${rule}, got "b*"`],
      );
    } else {
      const message = `${path}: must be one option, got a list of 2: "a* b*"`;
      t.deepEqual(errors, [{ path, value: 'a* b*', message }]);
    }
  }
});

test('required options are asked for, with what is allowed', (t) => {
  t.deepEqual(
    errorsOf('config network\nconfig schedule\nconfig device\n').map(({ message }) => message),
    [
      `iotshaper.@network[0].device: ${netdev}, got nothing`,
      'iotshaper.@device[0]: must have an option mac or ip, got nothing',
      `iotshaper.@schedule[0].start: ${time}, got nothing`,
      `iotshaper.@schedule[0].end: ${time}, got nothing`,
      'iotshaper.@schedule[0].rate: must be 0 or between 0.25 and 10000 KB/s, got nothing',
    ],
  );
});

test('all wrong options of a file are named at once', (t) => {
  const text = sections
    .map((spec) => {
      const rows = wrong.filter(([option]) => option.startsWith(`${spec.type}.`));
      const values = rows.map(([option, , [value]]) => [option.split('.')[1], value]);
      return renderSection(spec, Object.fromEntries(values) as Record<string, string>);
    })
    .join('\n');
  t.is(errorsOf(text).length, wrong.length);
});

test('every default is allowed', (t) => {
  for (const spec of sections) {
    const needed = new Map(Object.entries(sound[spec.type] as Record<string, string>));
    t.deepEqual(readSection(spec, needed, 'x').problems, []);
  }
});

test('the bounds themselves are allowed', (t) => {
  for (const [option, values] of Object.entries({
    'iotshaper.rate': ['0.25', '10000', '7.5', '.5', '40.'],
    'iotshaper.packet_size': ['256', '1400', '512.0'],
    'iotshaper.interval_sd': ['1', '40'],
    'iotshaper.max_delay': ['0.1', '60'],
    'iotshaper.price_per_gb': ['0'],
    'iotshaper.enabled': ['on', 'true', 'yes', 'enabled', 'off', 'false', 'no', 'disabled'],
    'tunnel.interface': ['a', 'fifteen_letters', 'br-lan.7'],
    'device.name': ["Anna's plug", 'x'.repeat(64), 'Küche ☕', '☕'.repeat(64)],
    'device.ip': ['255.255.255.255', '::1', 'FD00::1', '128.0.0.0/1'],
    'schedule.rate': ['0', '0.25'],
    'schedule.start': ['00:00', '23:59'],
  })) {
    const [spec, name] = specOf(option);
    for (const value of values) {
      const text = renderSection(spec, { ...sound[spec.type], [name]: value });
      t.deepEqual(errorsOf(text), [], `${option} ${value}`);
    }
  }
});

test('the schema knows each option and no other', (t) => {
  for (const spec of sections) {
    const schema = schemaOf(spec) as { properties: object; additionalProperties: boolean };
    t.deepEqual(
      Object.keys(schema.properties),
      spec.options.map(({ name }) => name),
    );
    t.false(schema.additionalProperties);
  }
});
