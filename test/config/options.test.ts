// Every option of the table: its default, and what is refused in which words.
import test from 'ava';
import { parseConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { type SectionSpec, schemaOf, sections } from '../../src/config/options.ts';
import { readSection } from '../../src/config/section-values.ts';

const rate = 'must be between 0.25 and 10000 KB/s';
const bool = 'must be 1 or 0 (or on/off, true/false, yes/no, enabled/disabled)';
const netdev = 'must be the name of a network device: 1 to 15 letters, digits, ".", "_" or "-"';
const time = 'must be a time of day from 00:00 to 23:59';

/** Option, what must be said, and values that must be refused with it. */
const wrong: [option: string, rule: string, values: string[]][] = [
  ['iotshaper.enabled', bool, ['2', 'On', 'enable', '-1', 'constructor']],
  ['iotshaper.rate', rate, ['fast', '0', '0.24', '10000.1', '-5', '1e3', '0x40', '40 KB', '4,5']],
  ['iotshaper.upload_rate', rate, ['0', '0.1', 'half', '10001']],
  ['iotshaper.download_rate', rate, ['0', '99999', 'NaN', 'Infinity']],
  [
    'iotshaper.packet_size',
    'must be a whole number between 256 and 1400 bytes',
    ['255', '1401', '512.5', 'big'],
  ],
  ['iotshaper.mode', 'must be vit or constant', ['VIT', 'poisson', '1']],
  ['iotshaper.interval_sd', 'must be between 1 and 40 %', ['0', '0.9', '41', '30%']],
  ['iotshaper.max_delay', 'must be between 0.1 and 60 s', ['0', '0.05', '61', '10s']],
  ['iotshaper.killswitch', bool, ['maybe', '10']],
  ['iotshaper.dns', bool, ['1.0', '8.8.8.8']],
  ['iotshaper.data_cap', 'must be more than 0 GB a month', ['0', '-1', '1TB', '9'.repeat(400)]],
  ['iotshaper.price_per_gb', 'must be 0 or more a GB', ['-0.1', 'free', '€1']],
  [
    'tunnel.profile',
    'must be the absolute path of a file',
    ['home.ovpn', '/', '/etc/', '/a\nb', './x'],
  ],
  ['tunnel.interface', netdev, ['sixteen_letters_', 'a/b', 'a b', '-x', 'a"b', '.', 'eth0:1']],
  ['network.device', netdev, ['br-iot-too-long-x', 'br iot', '../x', '*']],
  [
    'device.name',
    'must be text of 1 to 64 characters on one line',
    ['a\nb', 'x'.repeat(65), 'a\x07'],
  ],
  [
    'device.mac',
    'must be the hardware address of one device, such as 18:b4:30:00:00:01',
    [
      '18:B4:30:00:00',
      '18-B4-30-00-00-01',
      'ff:ff:ff:ff:ff:ff',
      '00:00:00:00:00:00',
      '01:00:5e:00:00:01',
      'g8:b4:30:00:00:01',
    ],
  ],
  [
    'device.ip',
    'must be an IPv4 or IPv6 address or prefix, such as 192.168.1.50, 192.168.2.0/24 or fd00::/64',
    [
      '192.168.1',
      '192.168.1.256',
      '10.0.0.0/33',
      '0.0.0.0/0',
      '::/0',
      'fe80::1%br-lan',
      '::ffff:192.168.1.50',
      'fd00::/129',
      '10.0.0.1/8/8',
      '010.0.0.1',
      'nest.example',
      '10.0.0.0/08',
    ],
  ],
  ['device.policy', 'must be shape, block or bypass', ['drop', 'Shape']],
  ['schedule.days', 'must be mon, tue, wed, thu, fri, sat or sun', ['monday', 'Mon', '1']],
  ['schedule.start', time, ['24:00', '6:00', '0600', '12:60', 'noon']],
  ['schedule.end', time, ['24:00', '6:00', '12:5', '12:00:00']],
  ['schedule.rate', 'must be 0 or between 0.25 and 10000 KB/s', ['0.1', '-1', '10001', 'off']],
];

/** A sound section of each type, to which one wrong option is given. */
const sound: Record<string, Record<string, string>> = {
  iotshaper: {},
  tunnel: {},
  network: { device: 'br-iot' },
  device: { mac: '18:b4:30:00:00:01' },
  schedule: { start: '01:00', end: '02:00', rate: '5' },
};

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function renderSection({ type, name, options }: SectionSpec, values: Record<string, string>) {
  const lines = Object.entries(values).map(([option, value]) => {
    const list = options.find((one) => one.name === option)?.list;
    return `\t${list ? 'list' : 'option'} ${option} ${quote(value)}\n`;
  });
  return `config ${type} ${name === null ? '' : quote(name)}\n${lines.join('')}`;
}

function errorsOf(text: string) {
  try {
    parseConfig(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.errors;
  }
}

function specOf(option: string): [SectionSpec, string] {
  const [type, name] = option.split('.') as [string, string];
  return [sections.find((spec) => spec.type === type) as SectionSpec, name];
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
    const lists = `\tlist ${name} 'a'\n\tlist ${name} 'b'\n`;
    const path = `iotshaper.${spec.name ?? `@${spec.type}[0]`}.${name}`;
    const errors = errorsOf(renderSection(spec, others) + lists);
    if (spec.options.find((one) => one.name === name)?.list) {
      t.deepEqual(
        errors.map(({ message }) => message),
        [`${path}: ${rule}, got "a"`, `${path}: ${rule}, got "b"`],
      );
    } else {
      const message = `${path}: must be one option, got a list of 2: "a b"`;
      t.deepEqual(errors, [{ path, value: 'a b', message }]);
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
