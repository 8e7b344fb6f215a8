// The rules that hold devices back from the first second of boot, kept where an init script finds them before the network is up.
import { readFile, rm, writeFile } from 'node:fs/promises';

/** Below the state directory; `/etc/init.d/iotshaper-boot` loads it. */
export const BOOT_TABLE_FILE = 'boot.nft';

/** Keeps the rules at `path`, or removes them when shaping is off for good (`null`). Writes only what has changed. */
export async function keepBootTable(path: string, text: string | null): Promise<void> {
  if (text === null) return rm(path, { force: true });
  const kept = await readFile(path, 'utf8').catch(() => null);
  if (kept !== text) await writeFile(path, text, { mode: 0o600, flush: true }); // flash wears
}
