// The kinds of values an option may hold: how UCI text is read, what is allowed, in what words.
import type { Format, SchemaObject } from 'ajv';
import { parseAddressBlock } from './addresses.ts';

export interface Kind {
  /** Text to the value the schema judges; text that cannot be read is left for it to refuse. */
  read(text: string): unknown;
  /** JSON schema of the value read. */
  schema: SchemaObject;
  /** Completes "must be …". */
  allowed: string;
}

const asText = (text: string): unknown => text;

function readNumber(text: string): unknown {
  return /^(\d{1,20}(\.\d{0,20})?|\.\d{1,20})$/.test(text) ? Number(text) : text;
}

/** A number within bounds, in `unit`. */
export function decimal(minimum: number, maximum: number, unit: string): Kind {
  return {
    read: readNumber,
    schema: { type: 'number', minimum, maximum },
    allowed: `between ${minimum} and ${maximum} ${unit}`,
  };
}

/** As `decimal`, but 0 too. */
export function decimalOrZero(minimum: number, maximum: number, unit: string): Kind {
  const { read, schema, allowed } = decimal(minimum, maximum, unit);
  return { read, schema: { anyOf: [{ const: 0 }, schema] }, allowed: `0 or ${allowed}` };
}

export function integer(minimum: number, maximum: number, unit: string): Kind {
  return {
    read: readNumber,
    schema: { type: 'integer', minimum, maximum },
    allowed: `a whole number between ${minimum} and ${maximum} ${unit}`,
  };
}

export function positive(unit: string): Kind {
  return {
    read: readNumber,
    schema: { type: 'number', exclusiveMinimum: 0 },
    allowed: `more than 0 ${unit}`,
  };
}

export function notNegative(unit: string): Kind {
  return {
    read: readNumber,
    schema: { type: 'number', minimum: 0 },
    allowed: `0 or more ${unit}`,
  };
}

const booleans: Record<string, boolean> = {
  '1': true,
  on: true,
  true: true,
  yes: true,
  enabled: true,
  '0': false,
  off: false,
  false: false,
  no: false,
  disabled: false,
};

/** The words OpenWrt's `config_get_bool` takes (functions.sh: `get_bool`). */
export const boolean: Kind = {
  read: (text) => (Object.hasOwn(booleans, text) ? booleans[text] : text),
  schema: { type: 'boolean' },
  allowed: '1 or 0 (or on/off, true/false, yes/no, enabled/disabled)',
};

export function choice(...words: string[]): Kind {
  return {
    read: asText,
    schema: { enum: words },
    allowed: `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
  };
}

/** Text judged by one of `formats`. */
function formatted(format: keyof typeof formats, allowed: string): Kind {
  return { read: asText, schema: { type: 'string', format }, allowed };
}

/** Formats the schemas name; ajv is told of them. */
export const formats = {
  // A group address (odd first byte) or all zeros is no sender's.
  mac: (text: string) =>
    /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(text) && !/^[0:]+$/.test(text),
  address: (text: string) => parseAddressBlock(text) !== null,
  // Fewer characters than the kernel takes: the name also goes to tc, ip and nft as a word.
  netdev: (text: string) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(text),
  path: (text: string) => /^\/[^\0-\x1f\x7f]{0,4094}$/.test(text) && !text.endsWith('/'),
  time: (text: string) => /^([01]\d|2[0-3]):[0-5]\d$/.test(text),
  label: (text: string) => /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,64}$/u.test(text),
} satisfies Record<string, Format>;

export const mac = formatted(
  'mac',
  'the hardware address of one device, such as 18:b4:30:00:00:01',
);
export const address = formatted(
  'address',
  'an IPv4 or IPv6 address or prefix, such as 192.168.1.50, 192.168.2.0/24 or fd00::/64',
);
export const netdev = formatted(
  'netdev',
  'the name of a network device: 1 to 15 letters, digits, ".", "_" or "-"',
);
export const path = formatted('path', 'the absolute path of a file');
export const time = formatted('time', 'a time of day from 00:00 to 23:59');
export const label = formatted('label', 'text of 1 to 64 characters on one line');
