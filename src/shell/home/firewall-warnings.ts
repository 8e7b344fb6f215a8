// Warns of settings of OpenWrt's firewall that let devices past the shaper, or that shut them off.
import { parseUci, type UciPackage } from '../../core/config/uci/uci.ts';
import type { System } from '../system/system.ts';

/** What fw4 takes for yes and no (fw4.uc, `parse_bool`). */
const YES = ['1', 'on', 'true', 'yes'];
const NO = ['0', 'off', 'false', 'no'];

/** Whole sentences on what fw4's configuration does to shaping, each with what to do about it. */
export function findFirewallWarnings(firewall: UciPackage): string[] {
  const defaults = firewall.sections.find(({ type }) => type === 'defaults')?.options;
  const warnings: string[] = [];
  if (YES.includes(String(defaults?.get('flow_offloading')))) {
    warnings.push(
      'firewall.@defaults[0].flow_offloading: is on, so a connection that was offloaded before its device was chosen may go on past the tunnel; ' +
        `${setOption('flow_offloading', '0')}, or restart the devices you choose`,
    );
  }
  if (NO.includes(String(defaults?.get('auto_includes')))) {
    warnings.push(
      'firewall.@defaults[0].auto_includes: is off, so the firewall does not read /usr/share/nftables.d and keeps devices out of the tunnel; ' +
        setOption('auto_includes', '1'),
    );
  }
  return warnings;
}

function setOption(name: string, value: string): string {
  return `run "uci set firewall.@defaults[0].${name}=${value}; uci commit firewall; service firewall restart"`;
}

/** Reads fw4's configuration; nothing to warn of where there is none. */
export async function readFirewallWarnings(
  { files }: Pick<System, 'files'>,
  path = '/etc/config/firewall',
): Promise<string[]> {
  try {
    return findFirewallWarnings(parseUci(await files.readBytes(path), 'firewall'));
  } catch {
    return []; // no firewall, or one that fw4 refuses as we do
  }
}
