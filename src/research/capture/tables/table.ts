// Tables of packets or of flows as text, a line each, whatever their columns are called.
import { parseMac } from '../../../core/capture/addresses.ts';
import type { Sample } from '../../../core/capture/trace.ts';
import { LineError } from '../../../core/text/line-error.ts';
import { type FlowRecord, isPlausible } from '../flows/flow-record.ts';
import { type ColumnChoice, type ColumnPlaces, findColumns } from './columns.ts';
import { guessSeparator, readDirection, readProtocol, readTime, splitFields } from './fields.ts';

/** A table whose columns are known, before its first line of figures. */
export type Table =
  /** Direction is told: one device's packets. */
  | { kind: 'samples'; samples: AsyncGenerator<Sample> }
  /** Both ends are told. */
  | { kind: 'flows'; flows: AsyncGenerator<FlowRecord> };

interface Lines {
  name: string;
  lines: AsyncIterator<string>;
  number: number;
}

/** What a table without titles is taken to have. */
const plain: ColumnPlaces = { time: 0, size: 1, direction: 2 };

/**
 * Reads as far as the titles and tells what follows. Empty lines and those that begin with # are passed over.
 * @throws LineError naming the line and what it has no column for
 */
export async function openTable(
  source: AsyncIterable<string>,
  name: string,
  choice: ColumnChoice,
): Promise<Table> {
  const lines: Lines = { name, lines: source[Symbol.asyncIterator](), number: 0 };
  const first = await nextLine(lines);
  if (first === null) throw new LineError(name, Math.max(1, lines.number), 'the file is empty');
  const separator = guessSeparator(first);
  const fields = splitFields(first, separator);
  const isFigures = Number.isFinite(readTime(fields[0] ?? '')) && fields.length >= 3;
  const named = findColumns(fields, choice);
  const isPlain = isFigures && Object.values(choice).every((title) => /^\d+$/.test(title));
  const numbered = isPlain ? findColumns(fields, choice) : named;
  if ('missing' in numbered) {
    throw new LineError(
      name,
      lines.number,
      `has no column ${numbered.missing}; its columns are ${fields.join(', ')}`,
    );
  }
  const places = isPlain ? { ...plain, ...numbered } : numbered;
  const lacking = [
    ...(places.time === undefined ? ['time'] : []),
    ...(places.size === undefined ? ['size'] : []),
  ];
  const hasEnds = places.source !== undefined && places.destination !== undefined;
  if (places.direction === undefined && !hasEnds)
    lacking.push('direction (or source and destination)');
  if (lacking.length > 0) {
    throw new LineError(
      name,
      lines.number,
      `has no column ${lacking.join(', ')} among ${fields.join(', ')}: name them with --columns, such as --columns time=ts,size=len,direction=dir`,
    );
  }
  const rows = rowsOf(lines, separator, isPlain ? fields : null);
  // Who talked to whom tells more than a direction.
  return hasEnds
    ? { kind: 'flows', flows: readFlows(rows, places, name) }
    : { kind: 'samples', samples: readSamples(rows, places, name) };
}

async function nextLine(lines: Lines): Promise<string | null> {
  for (;;) {
    const { done, value } = await lines.lines.next();
    if (done) return null;
    lines.number++;
    const text = value.replace(/^\uFEFF/, '').trimEnd();
    if (text.trim() !== '' && !text.startsWith('#')) return text;
  }
}

interface Row {
  fields: string[];
  number: number;
}

async function* rowsOf(
  lines: Lines,
  separator: string,
  first: string[] | null,
): AsyncGenerator<Row> {
  if (first) yield { fields: first, number: lines.number };
  for (;;) {
    const line = await nextLine(lines);
    if (line === null) return;
    // Tables of nfdump end in a summary.
    if (/^summary$/i.test(line.trim())) return;
    yield { fields: splitFields(line, separator), number: lines.number };
  }
}

function readNumber({ fields, number }: Row, place: number, what: string, name: string): number {
  const text = fields[place] ?? '';
  const value = what === 'time' ? readTime(text) : text === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || (what === 'size' && value < 0)) {
    throw new LineError(
      name,
      number,
      `${what} is "${text}", expected ${what === 'time' ? 'seconds or a date' : 'a number'}`,
    );
  }
  return value;
}

async function* readSamples(
  rows: AsyncIterable<Row>,
  places: ColumnPlaces,
  name: string,
): AsyncGenerator<Sample> {
  for await (const row of rows) {
    const text = row.fields[places.direction!] ?? '';
    const direction = readDirection(text);
    if (direction === null) {
      throw new LineError(
        name,
        row.number,
        `direction is "${text}", expected 1 (from the device) or -1 (to it)`,
      );
    }
    yield {
      timeS: readNumber(row, places.time!, 'time', name),
      bytes: readNumber(row, places.size!, 'size', name),
      direction,
    };
  }
}

async function* readFlows(
  rows: AsyncIterable<Row>,
  places: ColumnPlaces,
  name: string,
): AsyncGenerator<FlowRecord> {
  for await (const row of rows) {
    const text = (place: number | undefined) =>
      place === undefined ? '' : (row.fields[place] ?? '');
    const [source, destination] = [text(places.source), text(places.destination)];
    // A table of all packets has some without addresses.
    if (!isAddress(source) || !isAddress(destination)) continue;
    const timeS = readNumber(row, places.time!, 'time', name);
    const endS = places.end === undefined ? Number.NaN : readTime(text(places.end));
    const durationS = Number(text(places.duration)) || (endS > timeS ? endS - timeS : 0);
    const port = (place: number | undefined) => {
      const value = Number(text(place));
      return text(place) !== '' && Number.isInteger(value) ? value : null;
    };
    const flow: FlowRecord = {
      timeS,
      durationS,
      source: source.toLowerCase(),
      destination: destination.toLowerCase(),
      sourceMac: parseMac(text(places['source-mac'])),
      destinationMac: parseMac(text(places['destination-mac'])),
      protocol: readProtocol(text(places.protocol)),
      sourcePort: port(places['source-port']),
      destinationPort: port(places['destination-port']),
      packets: Number(text(places.packets)) || 1,
      bytes: readNumber(row, places.size!, 'size', name),
      reply: null,
    };
    if (isPlausible(flow)) yield flow;
  }
}

/** Other link layers' addresses, and names instead of them, tell no end on the Internet. */
function isAddress(text: string): boolean {
  return (
    /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ||
    (/^[0-9a-f:.]+$/i.test(text) && (text.match(/:/g)?.length ?? 0) >= 2 && parseMac(text) === null)
  );
}
