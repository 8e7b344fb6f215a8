// Reads files that options name.
import { readFile } from 'node:fs/promises';
import { readFault } from '../../core/capture/error.ts';
import { Failure } from './failure.ts';

/**
 * The text of the file that `option` names.
 * @param status exit status where it cannot be read
 * @throws {Failure} naming option and file
 */
export async function readTextFile(option: string, path: string, status = 1): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Failure(`${option} ${path}: ${readFault(error)}`, status);
  }
}
