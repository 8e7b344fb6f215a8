// Whether an endpoint is drained, on disk beside its homes: a file that is there, with the time since when, or is not.
import { join } from 'node:path';
import type { System } from '../../system/system.ts';

type DrainSystem = Pick<System, 'files'>;

function pathOf(dir: string): string {
  return join(dir, 'drained');
}

/** Null while it serves. */
export async function readDrained({ files }: DrainSystem, dir: string): Promise<string | null> {
  const text = await files.readText(pathOf(dir)).catch(() => null);
  return text === null ? null : text.trim();
}

/** @param since as ISO 8601 has it; null to have it serve again. */
export async function writeDrained(
  { files }: DrainSystem,
  dir: string,
  since: string | null,
): Promise<void> {
  if (since === null) await files.remove(pathOf(dir));
  else {
    await files.makeFolder(dir, 0o700);
    await files.replace(pathOf(dir), `${since}\n`);
  }
}
