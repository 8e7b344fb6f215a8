// nftables, through `nft -f -` alone: one transaction a call.
import { CommandError, run } from '../system/command.ts';

/** Loads text as one transaction and returns what its `list` commands print. */
export async function loadNft(text: string): Promise<string> {
  if (text.trim() === '') return '';
  return (await run(['nft', '-f', '-'], { input: text })).stdout;
}

/** Whether nft takes the text; null when it does, else its complaint. */
export async function checkNft(text: string): Promise<string | null> {
  try {
    await run(['nft', '-c', '-f', '-'], { input: text });
    return null;
  } catch (error) {
    if (error instanceof CommandError) return error.stderr.trim() || error.message;
    throw error;
  }
}

/** Removes the table; nothing where there is none. */
export async function deleteTable(table: string): Promise<void> {
  await loadNft(`table inet ${table}\ndelete table inet ${table}\n`);
}
