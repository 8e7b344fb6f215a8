// The rules that hold devices back from the first second of boot, kept where an init script finds them before the network is up.
import { join } from 'node:path';
import { notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { Log } from '../system/log.ts';
import type { System } from '../system/system.ts';

/** Below the state directory; `/etc/init.d/iotshaper-boot` loads it. */
export const BOOT_TABLE_FILE = 'boot.nft';

/** Keeps the rules at `path`, or removes them when shaping is off for good (`null`). Writes only what has changed. */
export async function keepBootTable(
  { files }: Pick<System, 'files'>,
  path: string,
  text: string | null,
): Promise<void> {
  if (text === null) return files.remove(path);
  const kept = await files.readText(path).catch(() => null);
  if (kept !== text) await files.replace(path, text); // flash wears
}

/** The same in the state directory, where a failure is no more than told. */
export async function tryKeepBootTable(
  { system, stateDir, log }: { system: Pick<System, 'files'>; stateDir: string; log: Log },
  table: string | null,
): Promise<void> {
  await keepBootTable(system, join(stateDir, BOOT_TABLE_FILE), table).catch((error: Error) =>
    log('warning', wordsOf(notice('boot-rules-unkept', { error: error.message }))),
  );
}
