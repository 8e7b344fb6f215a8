// Files that hold secrets.
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Writes a file that only this user may read; a reader sees the old or the new one, never half. */
export async function writeSecret(path: string, text: string | Uint8Array): Promise<void> {
  // Beside it, for a rename within one file system; hidden, so that nobody takes it for the file.
  const fresh = join(dirname(path), `.${basename(path)}.new`);
  await rm(fresh, { force: true });
  await writeFile(fresh, text, { mode: 0o600, flag: 'wx', flush: true });
  await rename(fresh, path);
}
