// Reads which chains there are, and which of other programs drop by default.
import { type ForeignChain, parseForeignChains } from '../../core/delivery/foreign-chains.ts';
import type { System } from '../system/system.ts';

/** Every table's chains as nft lists them; '' where they can't be listed: that something is dropped is known without. */
export async function listChains({ processes }: Pick<System, 'processes'>): Promise<string> {
  try {
    return (await processes.run(['nft', 'list', 'chains'])).stdout;
  } catch {
    return '';
  }
}

export async function readForeignChains(
  system: Pick<System, 'processes'>,
): Promise<ForeignChain[]> {
  return parseForeignChains(await listChains(system));
}
