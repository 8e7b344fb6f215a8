// Warns of settings of OpenWrt's firewall that let devices past the shaper, or that shut them off.
import { join } from 'node:path';
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
 * @param networks devices' own, as netdevs and as OpenWrt's interfaces.
 */
export function findFirewallWarnings(
  firewall: UciPackage,
  netdev: string,
  networks: readonly string[] = [],
): Notice[] {
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
    return warnings;
  }
  const elsewhere = findZoneElsewhere(firewall, netdev, networks);
  if (elsewhere !== null) {
    const path = `firewall.@zone[${elsewhere.index}].device`;
    const command = `uci add_list ${path}=${netdev}; uci commit firewall; service firewall restart`;
    const { from, to } = elsewhere;
    warnings.push(notice('firewall-forwards-elsewhere', { path, from, to, netdev, command }));
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

/**
 * The zone by which devices' zone goes out, where it may not forward to one that has the netdev: fw4 rejects what devices
 * send then. One that goes nowhere out is left in peace.
 */
function findZoneElsewhere(
  { sections }: UciPackage,
  netdev: string,
  networks: readonly string[],
): { index: number; from: string; to: string } | null {
  const zones = sections.filter(({ type }) => type === 'zone').map(({ options }) => options);
  const nameOf = (options: (typeof zones)[number]) => String(options.get('name'));
  const holds = (options: (typeof zones)[number], name: string) =>
    [...wordsIn(options.get('device')), ...wordsIn(options.get('network'))].includes(name);
  const withNetdev = zones.filter((options) => holds(options, netdev)).map(nameOf);
  const forwardings = sections
    .filter(
      ({ type, options }) => type === 'forwarding' && !NO.includes(String(options.get('enabled'))),
    )
    .map(({ options }) => ({ from: String(options.get('src')), to: String(options.get('dest')) }));
  for (const from of zones
    .filter((zone) => networks.some((name) => holds(zone, name)))
    .map(nameOf)) {
    const goals = forwardings
      .filter((one) => one.from === from || one.from === '*')
      .map(({ to }) => to);
    const reaches = [...goals, from].some((to) => to === '*' || withNetdev.includes(to));
    const index = zones.findIndex(
      (zone) => goals.includes(nameOf(zone)) && YES.includes(String(zone.get('masq'))),
    );
    if (!reaches && index >= 0) return { index, from, to: nameOf(zones[index]!) };
  }
  return null;
}

/** OpenWrt's interfaces on these netdevs, beside the netdevs themselves. */
function withInterfaces(network: UciPackage, netdevs: readonly string[]): string[] {
  const on = network.sections.filter(
    ({ type, options }) =>
      type === 'interface' && wordsIn(options.get('device')).some((name) => netdevs.includes(name)),
  );
  return [...netdevs, ...on.map(({ name }) => name ?? '')];
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
  netdevs: readonly string[] = [],
  folder = '/etc/config',
): Promise<Notice[]> {
  const read = async (name: string) => parseUci(await files.readBytes(join(folder, name)), name);
  const networks = await read('network').then(
    (network) => withInterfaces(network, netdevs),
    () => netdevs,
  );
  try {
    return findFirewallWarnings(await read('firewall'), netdev, networks);
  } catch {
    return []; // no firewall, or one that fw4 refuses as we do
  }
}
