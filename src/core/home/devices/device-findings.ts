// What a person should know of the devices they chose, and of those they did not, in words. Pure.
import type { Config, DeviceConfig } from '../../config/types.ts';
import type { Finding } from '../home-facts.ts';
import { singleAddresses } from './device-owners.ts';
import type { MissingDevice } from './presence.ts';

/** Findings, and what the sentence a person reads says of them: a clause, '' for nothing. */
export interface Told {
  findings: Finding[];
  clause: string;
}

const PAGE = 'LuCI → Services → IoT Privacy → Devices';
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
    const network =
      netdev === null
        ? 'or choose the whole network it is in'
        : `or choose all behind ${netdev}: run "${chooseNetwork(netdev)}"`;
    findings.push({
      section: device.section,
      text: `iotshaper.${device.section}.ip: ${device.name} is chosen by its address, which its next lease may change; give it a fixed one (LuCI → Network → DHCP and DNS → Static Leases), ${network}`,
      blocks: false,
    });
  }
  for (const [netdev, names] of byNetdev) {
    findings.push({
      section: null,
      text: `iotshaper: single devices are chosen on ${netdev} (${listNames(names)}), and one that changes its hardware address may be lost sight of; where all behind ${netdev} may be hidden, run "${chooseNetwork(netdev)}"`,
      blocks: false,
    });
  }
  return findings;
}

function chooseNetwork(netdev: string): string {
  return `uci add iotshaper network; uci set iotshaper.@network[-1].device=${netdev}; ${COMMIT}`;
}

/** Chosen devices that are not there, while others are that may be them under another address. */
export function tellMissing(missing: readonly MissingDevice[]): Told {
  const findings = missing.map((one) => ({
    section: one.device.section,
    text: `iotshaper.${one.device.section}: ${one.device.name} has not been seen ${sinceWhen(one)} while ${countStrangers(one)}; if one of them is it, choose it again (${PAGE})`,
    blocks: false,
  }));
  const [first, ...others] = missing;
  if (!first) return { findings, clause: '' };
  if (others.length === 0) {
    const clause = `${first.device.name} has not been seen ${sinceWhen(first)} while ${countStrangers(first)}; if one of them is it, choose it again`;
    return { findings, clause };
  }
  const all = {
    strangers: [...new Set(missing.flatMap(({ strangers }) => strangers))],
    netdevs: [...new Set(missing.flatMap(({ netdevs }) => netdevs))].sort(),
  };
  const names = listNames(missing.map(({ device }) => device.name));
  const clause = `${names} have not been seen lately while ${countStrangers(all)}; if one of them is among these, choose it again`;
  return { findings, clause };
}

function sinceWhen({ unseenMs, everSeen }: MissingDevice): string {
  const span = spanOf(unseenMs);
  return everSeen ? `for ${span}` : `since the service started ${span} ago`;
}

/** Coarse, so that the sentence does not change all the time. */
function spanOf(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${Math.max(15, minutes - (minutes % 15))} minutes`;
  const [count, unit] =
    minutes < 48 * 60 ? [Math.floor(minutes / 60), 'hour'] : [Math.floor(minutes / 1440), 'day'];
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}

function countStrangers({
  strangers,
  netdevs,
}: Pick<MissingDevice, 'strangers' | 'netdevs'>): string {
  return strangers.length === 1
    ? `a device you did not choose uses ${listNames(netdevs)}`
    : `${strangers.length} devices you did not choose use ${listNames(netdevs)}`;
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
    const label = name === mac ? mac : `${name} (${mac})`;
    const command = device
      ? `uci set iotshaper.${device.section}.policy=shape; ${COMMIT}`
      : `uci add iotshaper device; uci set iotshaper.@device[-1].mac=${mac}; ${COMMIT}`;
    findings.push({
      section: device?.section ?? null,
      text: `iotshaper: ${label} asks the Internet for names past the tunnel; if your devices ask it for theirs, your provider sees which and when, so choose it too: ${PAGE}, or run "${command}"`,
      blocks: false,
    });
  }
  if (told.length === 0) return { findings, clause: '' };
  const asks = told.length === 1 ? 'it looks up' : 'they look up';
  return {
    findings,
    clause: `if your devices ask ${listNames(told)} for names, your provider sees what ${asks} for them`,
  };
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

/** `A, B and C`; of many, the first three. */
function listNames(names: readonly string[]): string {
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : [...names];
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
}

/** A clause as a sentence of its own. */
export function sentenceOf(clause: string): string {
  return clause === '' ? '' : ` ${clause[0]!.toUpperCase()}${clause.slice(1)}.`;
}
