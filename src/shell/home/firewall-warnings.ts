// Warns of settings of OpenWrt's firewall that let devices past the shaper, or that shut them off.
import { parseUci, type UciPackage } from '../../core/config/uci/uci.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import type { System } from '../system/system.ts';

/** What fw4 takes for yes and no (fw4.uc, `parse_bool`). */
const YES = ['1', 'on', 'true', 'yes'];
const NO = ['0', 'off', 'false', 'no'];

/**
 * What fw4's configuration does to shaping, each with what to do about it.
 *
 * @param netdev the one that devices' packets take.
 */
export function findFirewallWarnings(firewall: UciPackage, netdev: string): Notice[] {
  const defaults = firewall.sections.find(({ type }) => type === 'defaults')?.options;
  const warnings: Notice[] = [];
  if (YES.includes(String(defaults?.get('flow_offloading')))) {
    warnings.push(notice('flow-offloading-on', mendingOf('flow_offloading', '0')));
  }
  if (NO.includes(String(defaults?.get('auto_includes')))) {
    warnings.push(notice('auto-includes-off', mendingOf('auto_includes', '1')));
  }
  const zone = findZoneWithout(firewall, netdev);
  if (zone !== null) {
    const path = `firewall.@zone[${zone}].device`;
    const command = `uci add_list ${path}=${netdev}; uci commit firewall; service firewall restart`;
    warnings.push(notice('firewall-zone-without', { path, netdev, command }));
  }
  return warnings;
}

/** Place of the zone that leads out, where the netdev is in none: fw4 rejects what devices send by it then. */
function findZoneWithout({ sections }: UciPackage, netdev: string): number | null {
  const zones = sections.filter(({ type }) => type === 'zone').map(({ options }) => options);
  if (zones.some((options) => wordsIn(options.get('device')).includes(netdev))) return null;
  const named = zones.findIndex((options) => options.get('name') === 'wan');
  const hiding = zones.findIndex((options) => YES.includes(String(options.get('masq'))));
  return [named, hiding].find((index) => index >= 0) ?? null;
}

/** fw4 takes a list, and words in one option. */
function wordsIn(value: string | readonly string[] | undefined): string[] {
  return [value ?? []].flat().flatMap((text) => text.split(/\s+/));
}

function mendingOf(name: string, value: string): { path: string; command: string } {
  const path = `firewall.@defaults[0].${name}`;
  return {
    path,
    command: `uci set ${path}=${value}; uci commit firewall; service firewall restart`,
  };
}

/** Reads fw4's configuration; nothing to warn of where there is none. */
export async function readFirewallWarnings(
  { files }: Pick<System, 'files'>,
  netdev: string,
  path = '/etc/config/firewall',
): Promise<Notice[]> {
  try {
    return findFirewallWarnings(parseUci(await files.readBytes(path), 'firewall'), netdev);
  } catch {
    return []; // no firewall, or one that fw4 refuses as we do
  }
}
