// Connections that the kernel tracks, as far as they have to be forgotten.
import type { InsideRanges } from '../../core/plan/facts.ts';
import { CommandError } from '../system/command.ts';
import type { System } from '../system/system.ts';

/**
 * Forgets every tracked connection that began at an inner address: a late answer from the Internet would be translated
 * back to it and sent wherever the default route leads, once nothing of ours holds it.
 *
 * @returns false where there is no `conntrack` to ask.
 */
export async function forgetConnections(
  { processes }: Pick<System, 'processes'>,
  { inner4, inner6 }: InsideRanges,
): Promise<boolean> {
  for (const [family, cidr] of [
    ['ipv4', inner4],
    ['ipv6', inner6],
  ] as const) {
    if (cidr === null) continue;
    try {
      await processes.run(['conntrack', '-D', '-f', family, '-s', cidr]);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (error.status === null) return false;
      // It ends with 1 where there was none to delete.
    }
  }
  return true;
}
