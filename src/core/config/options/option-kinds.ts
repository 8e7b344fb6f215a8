// The kinds of values an option may hold: how UCI text is read, what is allowed, in what words.
import type { Format, SchemaObject } from 'ajv';
import { splitPrefix } from '../../ip/address.ts';
import { listOf } from '../../notices/list.ts';
import { type Notice, type NoticeValue, notice } from '../../notices/notice.ts';
import type { Bounds } from '../../stream/stream.ts';

/** @typeParam T what the typed configuration holds */
export interface Kind<T = unknown> {
  /** Text to the value the schema judges; text that cannot be read is left for it to refuse. */
  read(text: string): unknown;
  /** JSON schema of the value read. */
  schema: SchemaObject;
  /** Completes "must be …". */
  allowed: string | Notice;
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

function number(schema: SchemaObject, allowed: Notice, unit: string): Kind<number> {
  return { read: readNumber, schema, allowed, convert: asIs, unit };
}

/** A unit within a sentence: those that are words are translated. */
function unitValue(unit: string): NoticeValue {
  if (unit === 'bytes') return notice('unit-bytes');
  if (unit === 'slots') return notice('unit-slots');
  if (unit === 'GB a month') return notice('unit-gb-a-month');
  return unit === 'a GB' ? notice('unit-a-gb') : unit;
}

/** Bounds as they are typed, which is the same in all languages. */
function boundsValues({ least, most, unit }: Bounds) {
  return { least: `${least}`, most: `${most}`, unit: unitValue(unit) };
}

/** A number within bounds. */
export function decimal(bounds: Bounds): Kind<number> {
  const { least, most, unit } = bounds;
  const schema = { type: 'number', minimum: least, maximum: most };
  return number(schema, notice('between', boundsValues(bounds)), unit);
}

/** As `decimal`, but 0 too. */
export function decimalOrZero(bounds: Bounds): Kind<number> {
  const { schema, ...others } = decimal(bounds);
  return {
    ...others,
    schema: { anyOf: [{ const: 0 }, schema] },
    allowed: notice('zero-or-between', boundsValues(bounds)),
  };
}

/** As `decimal`, written in seconds, in milliseconds from there on. */
export function duration(least: number, most: number): Kind<number> {
  const kind = decimal({ least, most, unit: 's' });
  return { ...kind, convert: (seconds) => Math.round(Number(seconds) * 1000) };
}

export function integer(bounds: Bounds): Kind<number> {
  const { least, most, unit } = bounds;
  const schema = { type: 'integer', minimum: least, maximum: most };
  return number(schema, notice('whole-between', boundsValues(bounds)), unit);
}

/** A port that takes no further rights to listen on. */
export const port: Kind<number> = {
  read: readNumber,
  schema: { type: 'integer', minimum: 1024, maximum: 65_535 },
  allowed: notice('port-between', { least: '1024', most: '65535' }),
  convert: asIs,
};

export function positive(unit: string): Kind<number> {
  const allowed = notice('above-zero', { unit: unitValue(unit) });
  return number({ type: 'number', exclusiveMinimum: 0 }, allowed, unit);
}

export function notNegative(unit: string): Kind<number> {
  const allowed = notice('zero-or-more', { unit: unitValue(unit) });
  return number({ type: 'number', minimum: 0 }, allowed, unit);
}

/** Words for yes. */
export const trueWords = ['1', 'on', 'true', 'yes', 'enabled'];
const falseWords = ['0', 'off', 'false', 'no', 'disabled'];

/** The words OpenWrt's `config_get_bool` takes (functions.sh: `get_bool`). */
export const boolean: Kind<boolean> = {
  read: (text) => trueWords.includes(text) || (falseWords.includes(text) ? false : text),
  convert: asIs,
  schema: { type: 'boolean' },
  allowed: notice('yes-or-no'),
};

export function choice<W extends string>(...words: W[]): Kind<W> {
  return {
    read: asText,
    convert: asIs,
    words,
    schema: { enum: words },
    allowed: listOf(words, 'list-or'),
  };
}

/** Text judged by one of `formats`. */
function formatted(format: keyof typeof formats, allowed: Notice): Kind<string> {
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

export const mac = formatted('mac', notice('hardware-address'));
export const address = formatted('address', notice('address-or-prefix'));
export const netdev = formatted('netdev', notice('netdev-name'));
export const path = formatted('path', notice('file-path'));
/** In minutes after midnight from there on. */
export const time: Kind<number> = {
  ...formatted('time', notice('time-of-day')),
  convert(text) {
    const [hours = 0, minutes = 0] = String(text).split(':').map(Number);
    return hours * 60 + minutes;
  },
};
export const label: Kind<string> = {
  ...formatted('label', notice('line-of-text', { most: LABEL_CHARACTERS })),
  maxLength: LABEL_CHARACTERS,
};
