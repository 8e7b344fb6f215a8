// Reads the configuration file from disk.
import { parseConfig } from '../../core/config/config.ts';
import { ConfigError } from '../../core/config/config-error.ts';
import type { Config } from '../../core/config/types.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import type { System } from '../system/system.ts';

/**
 * Reads and parses a configuration file.
 *
 * @throws ConfigError also when the file cannot be read
 */
export async function readConfigFile(
  { files }: Pick<System, 'files'>,
  path: string,
): Promise<{ config: Config; warnings: Notice[] }> {
  let bytes: Uint8Array;
  try {
    bytes = await files.readBytes(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const said = notice('configuration-not-there', { path: 'iotshaper', error: reason });
    throw new ConfigError([{ ...said, path: 'iotshaper', value: path }]);
  }
  return parseConfig(bytes);
}
