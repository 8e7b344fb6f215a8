// Asks the kernel where it would send a device's packet: a rule of another program may come before ours.
import type { House } from '../../core/home/home-facts.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { hexMark, MARK_TUNNEL, RULE_PREFERENCE } from '../../core/plan/names.ts';
import { CommandError } from '../system/command.ts';
import type { System } from '../system/system.ts';
import { ipJson } from './ip-json.ts';

/** An address of the Internet that nobody has (RFC 5737). */
const SOMEWHERE = '192.0.2.1';

/** A host address of a prefix that the router itself hardly has. */
export function hostOf(prefix: string): string {
  const [base = '', length] = prefix.split('/');
  const value = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const host = value + 2 ** (32 - Number(length)) - 3;
  return [24, 16, 8, 0].map((shift) => Math.floor(host / 2 ** shift) % 256).join('.');
}

/**
 * What is wrong with the way of a device's packet; null when it leads to `netdev`, and where there is nothing to
 * ask about.
 *
 * @param networks netdevs behind which devices are; with none, any of the house.
 */
export async function findRouteFault(
  system: Pick<System, 'processes'>,
  netdev: string,
  networks: readonly string[],
  house: House,
): Promise<Notice | null> {
  const near = house.listing.filter(({ name }) => networks.length === 0 || networks.includes(name));
  const at = near.find(({ prefixes }) => prefixes.some((prefix) => !prefix.includes(':')));
  const prefix = at?.prefixes.find((one) => !one.includes(':'));
  if (!at || !prefix) return null;
  const from = ['from', hostOf(prefix), 'iif', at.name, 'mark', hexMark(MARK_TUNNEL)];
  let leads: string | undefined;
  try {
    const question = ['-4', 'route', 'get', SOMEWHERE, ...from];
    const [route] = await ipJson<{ dev?: string }>(system, question);
    leads = route?.dev;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return null; // the netdev went down meanwhile, or nothing leads anywhere: nothing leaves
  }
  if (leads === netdev || leads === undefined) return null;
  return notice('route-elsewhere', { netdev: leads, preference: `${RULE_PREFERENCE}` });
}
