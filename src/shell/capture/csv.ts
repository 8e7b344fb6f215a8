// Reads traces kept as CSV: a packet a line, with its time, size and direction.
import { explainClock, keepClock } from '../../core/capture/clock.ts';
import { areOfFlows, FLOWS_REFUSED } from '../../core/capture/flows-refused.ts';
import type { Direction, Sample } from '../../core/capture/trace.ts';
import { LineError } from '../../core/text/line-error.ts';
import { linesOf } from '../../core/text/line-splitter.ts';
import type { System } from '../system/system.ts';
import { readPieces } from './pieces.ts';
import type { CaptureNotes } from './reader.ts';

interface Columns {
  time: number;
  size: number;
  direction: number;
}

const titles: Record<keyof Columns, readonly string[]> = {
  time: ['time', 'times', 'time_s', 'timestamp'],
  size: ['size', 'bytes', 'length', 'len'],
  direction: ['direction', 'dir'],
};

const directions: Record<string, Direction> = {
  '1': 'up',
  '+1': 'up',
  up: 'up',
  out: 'up',
  '-1': 'down',
  '0': 'down',
  down: 'down',
  in: 'down',
};

/**
 * Reads a trace line by line. A first line of titles (`time`, `size` or `bytes`, `direction`, in any order, other
 * columns ignored) is used when there is one; else the columns are time in seconds, size in bytes, direction. Direction
 * is 1, `up` or `out` from the device; -1, 0, `down` or `in` towards it.
 * @throws LineError naming the line, after every sample before it has been yielded
 */
export async function* readSamples(
  lines: AsyncIterable<string> | Iterable<string>,
  name: string,
): AsyncGenerator<Sample> {
  let columns: Columns | null = null;
  let number = 0;
  for await (const line of lines) {
    number++;
    const text = line.replace(/^\uFEFF/, '').trim();
    if (text === '' || text.startsWith('#')) continue;
    const fields = text.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
    if (columns === null) {
      columns = findColumns(fields, name, number);
      if (columns) continue;
      columns = { time: 0, size: 1, direction: 2 };
    }
    yield parseSample(fields, columns, name, number);
  }
  if (number === 0) throw new LineError(name, 1, 'the file is empty');
}

/** Whether a file's name says that it is such a trace, packed with gzip or not. */
export function isTraceName(path: string): boolean {
  return /\.csv(\.gz)?$/i.test(path);
}

/** Opens a CSV trace as a stream; with notes as `openCapture` does. @throws LineError also where the file cannot be read */
export function openSamples(
  system: Pick<System, 'files'>,
  path: string,
  notes?: CaptureNotes,
): AsyncGenerator<Sample> {
  const pieces = readPieces(system, path, (problem) => new LineError(path, 0, problem));
  const samples = readSamples(linesOf(pieces), path);
  if (!notes) return samples;
  const { warn, ...options } = notes;
  return keepClock(samples, { tell: (fault) => warn(explainClock(path, fault)), ...options });
}

function findColumns(fields: string[], name: string, line: number): Columns | null {
  const lower = fields.map((field) => field.toLowerCase());
  const place = (key: keyof Columns) => lower.findIndex((field) => titles[key].includes(field));
  const columns = { time: place('time'), size: place('size'), direction: place('direction') };
  const missing = (Object.keys(columns) as (keyof Columns)[]).filter((key) => columns[key] < 0);
  if (missing.length === 0) return columns;
  const isNumbers =
    fields.length >= 3 && fields.slice(0, 2).every((field) => Number.isFinite(Number(field)));
  if (isNumbers && missing.length === 3) return null;
  if (areOfFlows(lower)) throw new LineError(name, line, FLOWS_REFUSED);
  throw new LineError(
    name,
    line,
    `has no column ${missing.join(', ')}; expected time, size, direction`,
  );
}

function parseSample(fields: string[], columns: Columns, name: string, line: number): Sample {
  const read = (key: 'time' | 'size') => {
    const text = fields[columns[key]] ?? '';
    const value = Number(text);
    if (text === '' || !Number.isFinite(value) || (key === 'size' && value < 0)) {
      throw new LineError(name, line, `${key} is "${text}", expected a number`);
    }
    return value;
  };
  const text = fields[columns.direction] ?? '';
  const direction = directions[text.toLowerCase().replace(/\.0*$/, '')];
  if (!direction) {
    throw new LineError(
      name,
      line,
      `direction is "${text}", expected 1 (from the device) or -1 (to it)`,
    );
  }
  return { timeS: read('time'), bytes: read('size'), direction };
}
