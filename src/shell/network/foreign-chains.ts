// Reads which chains there are, and which of other programs drop.
import { type ForeignChain, parseForeignChains } from '../../core/delivery/foreign-chains.ts';
import type { System } from '../system/system.ts';

/** Every table's rules as nft lists them, without what its sets hold; '' where they can't be listed: that something is dropped is known without. */
export async function listRules({ processes }: Pick<System, 'processes'>): Promise<string> {
  try {
    return (await processes.run(['nft', '-t', 'list', 'ruleset'])).stdout;
  } catch {
    return '';
  }
}

export async function readForeignChains(
  system: Pick<System, 'processes'>,
): Promise<ForeignChain[]> {
  return parseForeignChains(await listRules(system));
}
