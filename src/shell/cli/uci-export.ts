// A UCI file as `uci export` prints it.
import { parseUci } from '../../core/config/uci/uci.ts';
import { packageNameOf } from '../../core/config/uci/uci-names.ts';
import { renderUciExport } from '../../core/config/uci/uci-writer.ts';
import type { System } from '../system/system.ts';
import { Failure } from './failure.ts';

/** @throws {Failure} when the file cannot be read */
export async function exportUci(
  { files }: Pick<System, 'files'>,
  file: string,
): Promise<Uint8Array> {
  const bytes = await files.readBytes(file).catch((error: Error) => {
    throw new Failure(`${file}: ${error.message}`);
  });
  return renderUciExport(parseUci(bytes, packageNameOf(file)));
}
