// What is wrong with a configuration, for the person who wrote it.
import { type Notice, type NoticeValue, notice } from '../notices/notice.ts';
import { wordsOf } from '../notices/words.ts';

/** One thing wrong: a whole sentence that names where it is, what is allowed there and what was found. */
export interface ConfigProblem extends Notice {
  /** `iotshaper.main.rate`, `iotshaper.@device[0].mac`; `iotshaper` for the file as a whole. */
  path: string;
  /** As found; '' where something is missing. */
  value: string;
}

/** A configuration refused, with everything that is wrong with it. */
export class ConfigError extends Error {
  readonly errors: ConfigProblem[];
  /** What was odd besides, as of a configuration that is taken. */
  readonly warnings: Notice[];

  constructor(errors: ConfigProblem[], warnings: Notice[] = []) {
    super(errors.map((error) => wordsOf(error)).join('\n'));
    this.name = 'ConfigError';
    this.errors = errors;
    this.warnings = warnings;
  }
}

/** A value as messages show it: quoted, on one line, never long. */
export function quoteValue(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 79)}…` : value);
}

/**
 * A problem with the value at a path, null where there is none.
 *
 * @param say what is wrong, told of by what both are in a message.
 */
export function problem(
  path: string,
  value: string | null,
  say: (at: { path: string; value: NoticeValue }) => Notice,
): ConfigProblem {
  const found = value === null ? notice('nothing') : quoteValue(value);
  return { ...say({ path, value: found }), path, value: value ?? '' };
}
