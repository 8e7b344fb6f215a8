// Reads files that options name.
import { readFault } from '../../core/capture/error.ts';
import type { System } from '../system/system.ts';
import { Failure } from './failure.ts';

/**
 * The text of the file that `option` names.
 * @param status exit status where it cannot be read
 * @throws {Failure} naming option and file
 */
export async function readTextFile(
  { files }: Pick<System, 'files'>,
  option: string,
  path: string,
  status = 1,
): Promise<string> {
  try {
    return await files.readText(path);
  } catch (error) {
    throw new Failure(`${option} ${path}: ${readFault(error)}`, status);
  }
}
