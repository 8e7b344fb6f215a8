// Reads the configuration file from disk.
import { parseConfig } from '../../core/config/config.ts';
import { ConfigError } from '../../core/config/config-error.ts';
import type { Config } from '../../core/config/types.ts';
import type { System } from '../system/system.ts';

/** Where OpenWrt and the package keep it. */
export const configPath = '/etc/config/iotshaper';

/**
 * Reads and parses a configuration file.
 *
 * @throws ConfigError also when the file cannot be read
 */
export async function readConfigFile(
  { files }: Pick<System, 'files'>,
  path: string = configPath,
): Promise<{ config: Config; warnings: string[] }> {
  let bytes: Uint8Array;
  try {
    bytes = await files.readBytes(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `iotshaper: cannot read the configuration file (${reason})`;
    throw new ConfigError([{ path: 'iotshaper', value: path, message }]);
  }
  return parseConfig(bytes);
}
