// What the endpoint's OpenVPN reads of each home: a file that it can read when it is root no longer.
import { dirname, join, resolve } from 'node:path';
import type { Reader } from '../../core/endpoint/machine/state.ts';
import type { System } from '../system/system.ts';

/** A directory whose files others may open, but not list. */
const THROUGH = 0o711;

/** Makes a directory through which others get to files they may read; leaves one that is there as it is. */
export function makeRunDir({ files }: Pick<System, 'files'>, runDir: string): Promise<void> {
  return files.makeFolder(runDir, THROUGH);
}

export function clientConfigDirOf(runDir: string): string {
  return join(runDir, 'homes');
}

/**
 * Writes these files and leaves no other, while OpenVPN may look for any of them; a home's file holds its tunnel address,
 * which is no secret.
 *
 * @param onGone told the name of each other file, once that is gone.
 */
export async function writeClientConfigs(
  system: Pick<System, 'files'>,
  dir: string,
  texts: readonly { name: string; text: string }[],
  onGone: (name: string) => void,
): Promise<Reader> {
  const { files } = system;
  await files.makeFolder(dir, THROUGH);
  await files.setMode(dir, THROUGH);
  for (const { name, text } of texts) await files.replace(join(dir, name), text, 0o644);
  for (const name of await files.list(dir)) {
    if (texts.some((one) => one.name === name)) continue;
    await files.remove(join(dir, name));
    onGone(name);
  }
  return {
    closedFolder: await findClosedDirectory(system, dir),
    isDualStack: files.exists('/proc/net/if_inet6'),
  };
}

/** The topmost directory on the way to `path` that is closed to others, or null. */
export async function findClosedDirectory(
  { files }: Pick<System, 'files'>,
  path: string,
): Promise<string | null> {
  let closed: string | null = null;
  for (let at = resolve(path); ; at = dirname(at)) {
    const mode = (await files.stat(at))?.mode ?? 0;
    if ((mode & 0o001) === 0) closed = at;
    if (at === dirname(at)) return closed;
  }
}
