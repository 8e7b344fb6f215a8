// Node's errors as the door's.
import { SystemError } from '../system.ts';

/** What went wrong, by the C library's name. */
export function asSystemError(error: unknown): SystemError {
  if (error instanceof SystemError) return error;
  const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException;
  return new SystemError(code, message);
}

/** The same outcome, with the door's errors. */
export async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw asSystemError(error);
  }
}
