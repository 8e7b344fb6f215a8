// What a person should know of the devices they chose, and of those they did not. Pure.
import type { Config, DeviceConfig } from '../../config/types.ts';
import { listSome } from '../../notices/list.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import type { Finding } from '../home-facts.ts';
import { singleAddresses } from './device-owners.ts';
import { MOST_PLACES4 } from './inner-addresses.ts';
import type { MissingDevice } from './presence.ts';

/** Findings, and what is remarked on them behind the sentence that says how things stand; null for nothing. */
export interface Told {
  findings: Finding[];
  remark: Notice | null;
}

const COMMIT = 'uci commit iotshaper; reload_config';

/**
 * Single devices are chosen by what may change: an address with its lease, hardware by itself.
 *
 * @param netdevOf the netdev a section's device was last seen on; null while it was not.
 */
export function findChanceChoices(
  config: Config,
  netdevOf: (section: string) => string | null,
): Finding[] {
  const networks = new Set(config.networks.map(({ device }) => device));
  const findings: Finding[] = [];
  const byNetdev = new Map<string, string[]>();
  for (const device of config.devices) {
    if (device.policy !== 'shape') continue;
    const netdev = netdevOf(device.section);
    if (netdev !== null && networks.has(netdev)) continue;
    if (device.mac !== null) {
      if (netdev !== null) byNetdev.set(netdev, [...(byNetdev.get(netdev) ?? []), device.name]);
      continue;
    }
    if (singleAddresses(device).length === 0) continue;
    const { section, name } = device;
    const said =
      netdev === null
        ? notice('chosen-by-address', { section, name })
        : notice('chosen-by-address-on', { section, name, netdev, command: chooseAll(netdev) });
    findings.push({ ...said, section, blocks: false });
  }
  for (const [netdev, devices] of byNetdev) {
    const names = listSome(devices);
    const said = notice('chosen-singly', { netdev, names, command: chooseAll(netdev) });
    findings.push({ ...said, section: null, blocks: false });
  }
  return findings;
}

function chooseAll(netdev: string): string {
  return `uci add iotshaper network; uci set iotshaper.@network[-1].device=${netdev}; ${COMMIT}`;
}

/** Devices that share an inner address, because more have sent something than there are. @param names theirs. */
export function tellSharing(names: readonly string[]): Finding[] {
  if (names.length === 0) return [];
  const said = notice('inner-addresses-shared', { most: MOST_PLACES4, names: listSome(names) });
  return [{ ...said, section: null, blocks: false }];
}

/** Chosen devices that are not there, while others are that may be them under another address. */
export function tellMissing(missing: readonly MissingDevice[]): Told {
  const told = missing.map((one) => {
    const { section, name } = one.device;
    return { section, name, since: sinceWhen(one), others: countStrangers(one) };
  });
  const findings = told.map((one) => ({
    ...notice('device-missing', one),
    section: one.section,
    blocks: false,
  }));
  const [first, ...more] = told;
  if (!first) return { findings, remark: null };
  if (more.length === 0) {
    const { name, since, others } = first;
    return { findings, remark: notice('missing-remark', { name, since, others }) };
  }
  const all = {
    strangers: [...new Set(missing.flatMap(({ strangers }) => strangers))],
    netdevs: [...new Set(missing.flatMap(({ netdevs }) => netdevs))].sort(),
  };
  const names = listSome(missing.map(({ device }) => device.name));
  const remark = notice('several-missing-remark', { names, others: countStrangers(all) });
  return { findings, remark };
}

function sinceWhen({ unseenMs, everSeen }: MissingDevice): Notice {
  return notice(everSeen ? 'seen-before' : 'never-seen', { span: spanOf(unseenMs) });
}

/** Coarse, so that the sentence does not change all the time. */
function spanOf(ms: number): Notice {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60)
    return notice('span-minutes', { count: Math.max(15, minutes - (minutes % 15)) });
  if (minutes < 120) return notice('span-hour');
  if (minutes < 48 * 60) return notice('span-hours', { count: Math.floor(minutes / 60) });
  return notice('span-days', { count: Math.floor(minutes / 1440) });
}

function countStrangers({ strangers, ...seen }: Pick<MissingDevice, 'strangers' | 'netdevs'>) {
  const netdevs = listSome(seen.netdevs);
  if (strangers.length === 1) return notice('one-stranger', { netdevs });
  return notice('several-strangers', { count: strangers.length, netdevs });
}

/** A host seen asking for names beside the tunnel. */
export interface ResolverHost {
  mac: string;
  address: string;
}

/**
 * Hosts beside the devices that ask the Internet for names: what a device asks of them leaves in the clear at that moment.
 *
 * @param names host names by MAC and by address.
 * @param followed hardware addresses known to be chosen devices'.
 */
export function tellResolvers(
  hosts: readonly ResolverHost[],
  config: Config,
  names: ReadonlyMap<string, string>,
  followed: ReadonlySet<string> = new Set(),
): Told {
  const byMac = new Map<string, string[]>();
  for (const { mac, address } of hosts) {
    const key = mac.toLowerCase();
    byMac.set(key, [...(byMac.get(key) ?? []), address]);
  }
  const findings: Finding[] = [];
  const told: string[] = [];
  for (const [mac, addresses] of byMac) {
    const device = deviceOf(mac, addresses, config);
    if (followed.has(mac) || (device && device.policy !== 'bypass')) continue;
    const name = device?.name ?? nameOf(mac, addresses, names);
    told.push(name);
    const host = name === mac ? mac : `${name} (${mac})`;
    const command = device
      ? `uci set iotshaper.${device.section}.policy=shape; ${COMMIT}`
      : `uci add iotshaper device; uci set iotshaper.@device[-1].mac=${mac}; ${COMMIT}`;
    const said = notice('resolver-outside', { host, command });
    findings.push({ ...said, section: device?.section ?? null, blocks: false });
  }
  if (told.length === 0) return { findings, remark: null };
  const code = told.length === 1 ? 'resolver-remark' : 'resolvers-remark';
  return { findings, remark: notice(code, { names: listSome(told) }) };
}

function deviceOf(mac: string, addresses: string[], config: Config): DeviceConfig | undefined {
  return config.devices.find(
    (device) =>
      device.mac === mac || singleAddresses(device).some((address) => addresses.includes(address)),
  );
}

function nameOf(mac: string, addresses: string[], names: ReadonlyMap<string, string>): string {
  const known = [mac, ...addresses].map((key) => names.get(key)).find((name) => name !== undefined);
  return known ?? mac;
}
