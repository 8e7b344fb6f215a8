// One change to a folder at a time, whichever processes make them.
import type { System } from '../../system/system.ts';

const PATIENCE_S = 20;
const CONFLICT = 75;

/**
 * Does `work` while no other process does any on this folder under its lock. The lock is flock(2)'s on the folder itself, held
 * by a child: it is gone with this process, however that ends, and leaves nothing in the folder.
 *
 * @throws {Error} where another process does not end its own for long.
 */
export async function withFolderLock<T>(
  { processes }: Pick<System, 'processes'>,
  folder: string,
  work: () => Promise<T>,
): Promise<T> {
  const argv = ['flock', '--timeout', `${PATIENCE_S}`, '--conflict-exit-code', `${CONFLICT}`];
  let onGone = (): void => {};
  const gone = new Promise<void>((resolve) => {
    onGone = resolve;
  });
  const child = await new Promise<ReturnType<System['processes']['spawn']>>((resolve, reject) => {
    let said = '';
    const holder = processes.spawn([...argv, folder, 'cat'], {
      // What is written comes back once the lock is held.
      onOutput: () => resolve(holder),
      onErrorOutput: (piece) => {
        said += new TextDecoder().decode(piece);
      },
      onExit: ({ status, failure }) => {
        onGone();
        reject(new Error(complaint(folder, status, failure ?? said.trim())));
      },
    });
    holder.write('\n');
  });
  try {
    return await work();
  } finally {
    child.endInput();
    await gone;
  }
}

function complaint(folder: string, status: number | null, said: string): string {
  if (status === CONFLICT) {
    return `${folder}: another iotshaper command has been changing it for ${PATIENCE_S} seconds; try again`;
  }
  if (/ENOENT/.test(said)) return 'flock is not installed; run "apt install util-linux"';
  return `${folder}: can't be locked (${said})`;
}
