// Reads which chains of other programs drop by default.
import { type ForeignChain, parseForeignChains } from '../../core/delivery/foreign-chains.ts';
import type { System } from '../system/system.ts';

/** None where they can't be listed: that something is dropped is known without. */
export async function readForeignChains({
  processes,
}: Pick<System, 'processes'>): Promise<ForeignChain[]> {
  try {
    return parseForeignChains((await processes.run(['nft', 'list', 'chains'])).stdout);
  } catch {
    return [];
  }
}
