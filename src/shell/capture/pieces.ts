// The bytes of a file that a person named, read piece by piece.
import { readFault } from '../../core/capture/error.ts';
import type { System } from '../system/system.ts';

/** @param refuse makes an error of why the file, named before, cannot be read */
export async function* readPieces(
  { files }: Pick<System, 'files'>,
  path: string,
  refuse: (problem: string) => Error,
): AsyncGenerator<Uint8Array> {
  try {
    yield* files.readPieces(path);
  } catch (error) {
    throw refuse(`cannot be read: ${readFault(error)}`);
  }
}
