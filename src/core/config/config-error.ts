// What is wrong with a configuration, in words for the person who wrote it.

/** One thing wrong: where, what was found there, and the whole sentence. */
export interface ConfigProblem {
  /** `iotshaper.main.rate`, `iotshaper.@device[0].mac`; `iotshaper` for the file as a whole. */
  path: string;
  /** As found; '' where something is missing. */
  value: string;
  /** `PATH: must be …, got "…"`. */
  message: string;
}

/** A configuration refused, with everything that is wrong with it. */
export class ConfigError extends Error {
  readonly errors: ConfigProblem[];
  /** What was odd besides, as of a configuration that is taken. */
  readonly warnings: string[];

  constructor(errors: ConfigProblem[], warnings: string[] = []) {
    super(errors.map(({ message }) => message).join('\n'));
    this.name = 'ConfigError';
    this.errors = errors;
    this.warnings = warnings;
  }
}

/** A value as messages show it: quoted, on one line, never long. */
export function quoteValue(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 79)}…` : value);
}

/** A problem of the usual form; `rule` is `must be …`. */
export function problem(path: string, rule: string, value: string | null): ConfigProblem {
  const got = value === null ? 'nothing' : quoteValue(value);
  return { path, value: value ?? '', message: `${path}: ${rule}, got ${got}` };
}
