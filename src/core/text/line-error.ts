// What is wrong with a text file of a user's, and in which line.

/** A text file that cannot be read further; the lines before were good. */
export class LineError extends Error {
  override readonly name = 'LineError';

  /** @param line from 1; 0 where the file cannot be read */
  constructor(file: string, line: number, problem: string) {
    super(`${file}: ${line > 0 ? `line ${line}: ` : ''}${problem}`);
  }
}
