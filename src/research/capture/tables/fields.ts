// One line of a table cut into its fields, and what is usual in them: times, protocols, directions.
import type { Direction } from '../../../core/capture/trace.ts';

const separators = [',', ';', '\t'];

/** What separates a table's columns, by its first line. */
export function guessSeparator(line: string): string {
  const counts = separators.map((one) => line.split(one).length);
  return separators[counts.indexOf(Math.max(...counts))]!;
}

/** Fields of a line, quoted or not (RFC 4180). */
export function splitFields(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator).map((field) => field.trim());
  const fields: string[] = [];
  let field = '';
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (character === '"') {
      if (isQuoted && line[i + 1] === '"') field += line[i++];
      else isQuoted = !isQuoted;
    } else if (character === separator && !isQuoted) {
      fields.push(field.trim());
      field = '';
    } else field += character;
  }
  fields.push(field.trim());
  return fields;
}

/** Seconds since 1970, or since a capture's begin, of a number in s, ms, µs or ns, or of a date (UTC where it names no zone). */
export function readTime(text: string): number {
  const value = text === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) {
    const size = Math.abs(value);
    // Seconds reach these figures in thousands of years.
    if (size >= 1e17) return value / 1e9;
    if (size >= 1e14) return value / 1e6;
    return size >= 1e11 ? value / 1e3 : value;
  }
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)) return Number.NaN;
  const fraction = /:\d\d[.,](\d+)/.exec(text)?.[1];
  const plain = text.replace(/([.,]\d+)/, '').replace(' ', 'T');
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/.test(plain);
  const wholeS = Date.parse(hasZone ? plain : `${plain}Z`) / 1000;
  return wholeS + (fraction === undefined ? 0 : Number(`0.${fraction}`));
}

const protocols: Record<string, number> = { icmp: 1, tcp: 6, udp: 17, icmp6: 58, 'ipv6-icmp': 58 };

/** A protocol by number or name; what goes over TCP or UDP by a name of its own is not told apart. */
export function readProtocol(text: string): number {
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= 0 && value < 256) return value;
  return protocols[text.toLowerCase()] ?? 0;
}

const directions: Record<string, Direction> = {
  '1': 'up',
  '+1': 'up',
  up: 'up',
  out: 'up',
  outgoing: 'up',
  outbound: 'up',
  upstream: 'up',
  upload: 'up',
  sent: 'up',
  '-1': 'down',
  '0': 'down',
  down: 'down',
  in: 'down',
  incoming: 'down',
  inbound: 'down',
  downstream: 'down',
  download: 'down',
  received: 'down',
};

/** Null where it is none. */
export function readDirection(text: string): Direction | null {
  return directions[text.toLowerCase().replace(/\.0*$/, '')] ?? null;
}
