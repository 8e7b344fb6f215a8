// nftables, through `nft -f -` alone: one transaction a call.
import { CommandError, run, succeeds } from './command.ts';

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

/** Packets a named counter has counted; 0 when it is not there. */
export async function readCounters(table: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  if (!(await tableExists(table))) return counts;
  const { stdout } = await run(['nft', '-j', 'list', 'counters', 'table', 'inet', table]);
  const { nftables } = JSON.parse(stdout) as {
    nftables: { counter?: { name: string; packets: number } }[];
  };
  for (const { counter } of nftables) if (counter) counts.set(counter.name, counter.packets);
  return counts;
}

/** Elements of a set with counters: packets by address. */
export async function readSetCounters(table: string, set: string): Promise<Map<string, number>> {
  const { stdout } = await run(['nft', '-j', 'list', 'set', 'inet', table, set]);
  const { nftables } = JSON.parse(stdout) as {
    nftables: {
      set?: { elem?: ({ elem?: { val: string; counter?: { packets: number } } } | string)[] };
    }[];
  };
  const counts = new Map<string, number>();
  for (const { set: listed } of nftables) {
    for (const entry of listed?.elem ?? []) {
      if (typeof entry !== 'string' && entry.elem)
        counts.set(entry.elem.val, entry.elem.counter?.packets ?? 0);
    }
  }
  return counts;
}

export function tableExists(table: string): Promise<boolean> {
  return succeeds(['nft', 'list', 'table', 'inet', table]);
}

/** Removes the table; nothing where there is none. */
export async function deleteTable(table: string): Promise<void> {
  await loadNft(`table inet ${table}\ndelete table inet ${table}\n`);
}
