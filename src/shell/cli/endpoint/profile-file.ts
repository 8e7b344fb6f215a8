// Where a new profile goes: to standard output, or to a file that only its owner reads and that was not there.
import { dirname } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';

/** @throws {Failure} where `out` is there already, or can't be. */
export async function requireFreshFile(
  { system }: Pick<Context, 'system'>,
  out: string,
): Promise<void> {
  if ((await system.files.stat(out)) !== null) {
    throw new Failure(
      `--out ${out}: is there already, and may be a profile or copy in use; name another file, or remove it first`,
    );
  }
  if (!(await system.files.stat(dirname(out)))?.isFolder) {
    throw new Failure(`--out ${out}: no such folder`);
  }
}

/** Writes a secret to a new file, mode 0600. */
export async function writeSecret(
  { system }: Pick<Context, 'system'>,
  out: string,
  text: string,
): Promise<void> {
  try {
    await system.files.replace(out, text);
  } catch (error) {
    throw new Failure(`--out ${out}: ${(error as Error).message}`);
  }
}
