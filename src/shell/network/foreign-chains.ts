// Reads which chains there are and which of other programs drop, and runs what opens them.
import { type ForeignChain, parseForeignChains } from '../../core/delivery/foreign-chains.ts';
import { renderReason } from '../../core/home/answers.ts';
import type { Mending } from '../../core/home/api.ts';
import { notice } from '../../core/notices/notice.ts';
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

/** Runs commands, each in words, until one fails. */
export async function mend(
  { processes }: Pick<System, 'processes'>,
  commands: readonly (readonly string[])[],
): Promise<Mending> {
  if (commands.length === 0) return { ok: false, ...renderReason(notice('nothing-to-mend')) };
  try {
    for (const command of commands) await processes.run(command);
    return { ok: true };
  } catch (error) {
    const failed = notice('not-mended', { error: (error as Error).message });
    return { ok: false, ...renderReason(failed) };
  }
}
