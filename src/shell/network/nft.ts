// nftables, through `nft -f -` alone: one transaction a call.
import { CommandError } from '../system/command.ts';
import type { System } from '../system/system.ts';

/** Loads text as one transaction and returns what its `list` commands print. */
export async function loadNft(
  { processes }: Pick<System, 'processes'>,
  text: string,
): Promise<string> {
  if (text.trim() === '') return '';
  return (await processes.run(['nft', '-f', '-'], { input: text })).stdout;
}

/** Whether nft takes the text; null when it does, else its complaint. */
export async function checkNft(
  { processes }: Pick<System, 'processes'>,
  text: string,
): Promise<string | null> {
  try {
    await processes.run(['nft', '-c', '-f', '-'], { input: text });
    return null;
  } catch (error) {
    if (error instanceof CommandError) return error.stderr.trim() || error.message;
    throw error;
  }
}

/** Removes the table; nothing where there is none. */
export async function deleteTable(system: Pick<System, 'processes'>, table: string): Promise<void> {
  await loadNft(system, `table inet ${table}\ndelete table inet ${table}\n`);
}
