// The kinds of values an option may hold: how UCI text is read, what is allowed, in what words.
import type { Format, SchemaObject } from 'ajv';
import { splitPrefix } from '../../ip/address.ts';
import type { Bounds } from '../../stream/stream.ts';

/** @typeParam T what the typed configuration holds */
export interface Kind<T = unknown> {
  /** Text to the value the schema judges; text that cannot be read is left for it to refuse. */
  read(text: string): unknown;
  /** JSON schema of the value read. */
  schema: SchemaObject;
  /** Completes "must be …". */
  allowed: string;
  /** The value read as the typed configuration has it; for one the schema refuses, anything, but no exception. */
  convert(read: unknown): T;
  /** Of a number, as the documentation names it. */
  unit?: string;
  /** The words it is one of. */
  words?: readonly string[];
  /** Of a text. */
  maxLength?: number;
}

const asText = (text: string): unknown => text;
const asIs = <T>(read: unknown): T => read as T;

function readNumber(text: string): unknown {
  return /^(\d{1,20}(\.\d{0,20})?|\.\d{1,20})$/.test(text) ? Number(text) : text;
}

function number(schema: SchemaObject, allowed: string, unit: string): Kind<number> {
  return { read: readNumber, schema, allowed: `${allowed} ${unit}`, convert: asIs, unit };
}

/** A number within bounds. */
export function decimal({ least, most, unit }: Bounds): Kind<number> {
  const schema = { type: 'number', minimum: least, maximum: most };
  return number(schema, `between ${least} and ${most}`, unit);
}

/** As `decimal`, but 0 too. */
export function decimalOrZero(bounds: Bounds): Kind<number> {
  const { schema, allowed, ...others } = decimal(bounds);
  return { ...others, schema: { anyOf: [{ const: 0 }, schema] }, allowed: `0 or ${allowed}` };
}

/** As `decimal`, written in seconds, in milliseconds from there on. */
export function duration(least: number, most: number): Kind<number> {
  const kind = decimal({ least, most, unit: 's' });
  return { ...kind, convert: (seconds) => Math.round(Number(seconds) * 1000) };
}

export function integer({ least, most, unit }: Bounds): Kind<number> {
  const schema = { type: 'integer', minimum: least, maximum: most };
  return number(schema, `a whole number between ${least} and ${most}`, unit);
}

export function positive(unit: string): Kind<number> {
  return number({ type: 'number', exclusiveMinimum: 0 }, 'more than 0', unit);
}

export function notNegative(unit: string): Kind<number> {
  return number({ type: 'number', minimum: 0 }, '0 or more', unit);
}

/** Words for yes. */
export const trueWords = ['1', 'on', 'true', 'yes', 'enabled'];
const falseWords = ['0', 'off', 'false', 'no', 'disabled'];

/** The words OpenWrt's `config_get_bool` takes (functions.sh: `get_bool`). */
export const boolean: Kind<boolean> = {
  read: (text) => trueWords.includes(text) || (falseWords.includes(text) ? false : text),
  convert: asIs,
  schema: { type: 'boolean' },
  allowed: '1 or 0 (or on/off, true/false, yes/no, enabled/disabled)',
};

export function choice<W extends string>(...words: W[]): Kind<W> {
  return {
    read: asText,
    convert: asIs,
    words,
    schema: { enum: words },
    allowed: `${words.slice(0, -1).join(', ')} or ${words[words.length - 1]}`,
  };
}

/** Text judged by one of `formats`. */
function formatted(format: keyof typeof formats, allowed: string): Kind<string> {
  return { read: asText, schema: { type: 'string', format }, allowed, convert: asIs };
}

const LABEL_CHARACTERS = 64;

/** Formats the schemas name; ajv is told of them. */
export const formats = {
  // A group address (odd first byte) or all zeros is no sender's.
  mac: (text: string) =>
    /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(text) && !/^[0:]+$/.test(text),
  address: (text: string) => splitPrefix(text) !== null,
  // Fewer characters than the kernel takes: the name also goes to tc, ip and nft as a word.
  netdev: (text: string) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(text),
  path: (text: string) => /^\/[^\0-\x1f\x7f]{0,4094}$/.test(text) && !text.endsWith('/'),
  time: (text: string) => /^([01]\d|2[0-3]):[0-5]\d$/.test(text),
  label: (text: string) =>
    /^[^\p{Cc}\p{Cs}\u2028\u2029]+$/u.test(text) && [...text].length <= LABEL_CHARACTERS,
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
/** In minutes after midnight from there on. */
export const time: Kind<number> = {
  ...formatted('time', 'a time of day from 00:00 to 23:59'),
  convert(text) {
    const [hours = 0, minutes = 0] = String(text).split(':').map(Number);
    return hours * 60 + minutes;
  },
};
export const label: Kind<string> = {
  ...formatted('label', `text of 1 to ${LABEL_CHARACTERS} characters on one line`),
  maxLength: LABEL_CHARACTERS,
};
