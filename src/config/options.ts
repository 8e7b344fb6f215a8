// The option table: every option of every section, with all that is known about it.
import type { SchemaObject } from 'ajv';
import * as kind from './option-kinds.ts';

export interface OptionSpec {
  name: string;
  kind: kind.Kind;
  /** As written in UCI, '' for none; a list's values are divided by blanks. */
  default: string;
  /** One line for the documentation and the page. */
  hint: string;
  required?: true;
  /** Written as `list NAME VALUE`, several times. */
  list?: true;
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

const rate = kind.decimal(0.25, 10000, 'KB/s');

export const mainSection: SectionSpec = {
  type: 'iotshaper',
  name: 'main',
  hint: 'What is sent, and how.',
  options: [
    {
      name: 'enabled',
      kind: kind.boolean,
      default: '0',
      hint: 'Whether the service shapes at all.',
    },
    {
      name: 'rate',
      kind: rate,
      default: '40',
      hint: 'Rate of the tunnel in each direction, sent whether devices are active or not.',
    },
    {
      name: 'upload_rate',
      kind: rate,
      default: '',
      hint: 'Rate from the home to the endpoint, where it differs from `rate`.',
    },
    {
      name: 'download_rate',
      kind: rate,
      default: '',
      hint: 'Rate from the endpoint to the home, where it differs from `rate`.',
    },
    {
      name: 'packet_size',
      kind: kind.integer(256, 1400, 'bytes'),
      default: '512',
      hint: 'Size of every IP packet on the tunnel. Devices keep their MTU of 1500.',
    },
    {
      name: 'mode',
      kind: kind.choice('vit', 'constant'),
      default: 'vit',
      hint: '`vit` varies the intervals between packets, which hides the jitter of the router; `constant` does not.',
    },
    {
      name: 'interval_sd',
      kind: kind.decimal(1, 40, '%'),
      default: '30',
      hint: 'Standard deviation of the interval in percent of its mean, in mode `vit`.',
    },
    {
      name: 'max_delay',
      kind: kind.decimal(0.1, 60, 's'),
      default: '10',
      hint: "Longest a device's packet may wait before it is dropped.",
    },
    {
      name: 'killswitch',
      kind: kind.boolean,
      default: '1',
      hint: 'Device traffic never leaves outside the tunnel, nor unshaped through it.',
    },
    {
      name: 'dns',
      kind: kind.boolean,
      default: '1',
      hint: "Devices' DNS goes through the tunnel to the endpoint's resolver.",
    },
    {
      name: 'house',
      kind: kind.netdev,
      default: '',
      list: true,
      hint: 'Network devices that belong to the home beside those found: devices reach what is behind them without the tunnel.',
    },
    {
      name: 'data_cap',
      kind: kind.positive('GB a month'),
      default: '',
      hint: "The provider's data cap, to show the share that shaping uses.",
    },
    {
      name: 'price_per_gb',
      kind: kind.notNegative('a GB'),
      default: '',
      hint: 'Price of a GB in any currency, to show what shaping costs.',
    },
  ],
};

export const tunnelSection: SectionSpec = {
  type: 'tunnel',
  name: 'tunnel',
  hint: 'The way to the endpoint.',
  options: [
    {
      name: 'profile',
      kind: kind.path,
      default: '/etc/iotshaper/home.ovpn',
      hint: 'OpenVPN profile that the endpoint printed for this home.',
    },
    {
      name: 'interface',
      kind: kind.netdev,
      default: 'iot0',
      hint: "Name of the network device made to take devices' packets.",
    },
  ],
};

export const networkSection: SectionSpec = {
  type: 'network',
  name: null,
  hint: 'Everything behind one LAN interface is a device. Any number of sections.',
  options: [
    {
      name: 'device',
      kind: kind.netdev,
      default: '',
      required: true,
      hint: 'Bridge or interface, such as `br-iot`.',
    },
  ],
};

export const deviceSection: SectionSpec = {
  type: 'device',
  name: null,
  hint: 'One device, by hardware address or by IP address. Any number of sections.',
  oneOf: ['mac', 'ip'],
  options: [
    {
      name: 'name',
      kind: kind.label,
      default: '',
      hint: 'What the page calls it; the address if empty.',
    },
    { name: 'mac', kind: kind.mac, default: '', hint: 'Hardware address.' },
    {
      name: 'ip',
      kind: kind.address,
      default: '',
      list: true,
      hint: 'Addresses or prefixes of the device.',
    },
    {
      name: 'policy',
      kind: kind.choice('shape', 'block', 'bypass'),
      default: 'shape',
      hint: '`shape` through the tunnel, `block` from the Internet (LAN only), or `bypass` the service.',
    },
  ],
};

export const scheduleSection: SectionSpec = {
  type: 'schedule',
  name: null,
  hint: 'Another rate at times when nothing private happens. Any number of sections; where two meet, the later one counts.',
  options: [
    {
      name: 'days',
      kind: kind.choice('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'),
      default: 'mon tue wed thu fri sat sun',
      list: true,
      hint: 'Days on which it starts.',
    },
    {
      name: 'start',
      kind: kind.time,
      default: '',
      required: true,
      hint: 'Local time at which it starts.',
    },
    {
      name: 'end',
      kind: kind.time,
      default: '',
      required: true,
      hint: 'Local time at which it ends; not after `start` means on the next day.',
    },
    {
      name: 'rate',
      kind: kind.decimalOrZero(0.25, 10000, 'KB/s'),
      default: '',
      required: true,
      hint: 'Rate in each direction meanwhile; 0 turns shaping off and leaves a plain tunnel.',
    },
  ],
};

/** Every section type of /etc/config/iotshaper. */
export const sections: readonly SectionSpec[] = [
  mainSection,
  tunnelSection,
  networkSection,
  deviceSection,
  scheduleSection,
];

/**
 * What `uci set iotshaper.rate=40` writes is a section *named* rate of *type* 40 (`config 40
 * 'rate'`). Sections of these names are read as if their type were the value of main's option.
 */
export const typedOptions: readonly OptionSpec[] = mainSection.options
  .filter(({ name }) => name === 'rate' || name === 'enabled')
  .map((option) => ({ ...option, default: '' }));

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

/** The table in Markdown, a heading and a table for each section type. */
export function renderOptionTable(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const code = (text: string) => (text === '' ? '' : `\`${text}\``);
  const blocks = sections.map(({ type, name, hint, options }) => {
    const rows = options.map((option) => {
      const fallback = option.required ? '*required*' : code(option.default);
      const written = code(`${option.list ? 'list' : 'option'} ${option.name}`);
      return `| ${[written, fallback, option.kind.allowed, option.hint].map(cell).join(' | ')} |`;
    });
    const heading = `### \`config ${type}${name === null ? '' : ` '${name}'`}\``;
    const head = '| Option | Default | Allowed | Meaning |\n|---|---|---|---|';
    return `${heading}\n\n${hint}\n\n${head}\n${rows.join('\n')}\n`;
  });
  return blocks.join('\n');
}
