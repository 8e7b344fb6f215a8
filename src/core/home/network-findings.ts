// What became of the configured networks: which are missing or no longer what they were named for. Pure.
import { parseAddressBlock } from '../config/addresses.ts';
import type { NetworkConfig } from '../config/types.ts';
import { type Notice, notice } from '../notices/notice.ts';
import { type Finding, prefixesOf } from './home-facts.ts';
import { findDoubt, type ListedNetdev } from './netdev-kinds.ts';

/** Prefixes each configured network has or had, by netdev. */
export type NetworkMemory = ReadonlyMap<string, readonly string[]>;

/** More than any network has; what was seen last is kept. */
const MOST_PREFIXES = 8;

/**
 * What is known of configured networks' prefixes after another look. A network that is gone keeps what it had, so that its
 * devices are known when they come in by another netdev; of one that is there, an old prefix is forgotten once another
 * netdev has it.
 */
export function rememberPrefixes(
  before: NetworkMemory,
  networks: readonly NetworkConfig[],
  listed: readonly ListedNetdev[],
  uplinks: ReadonlySet<string>,
): Map<string, string[]> {
  const names = new Set(networks.map(({ device }) => device));
  const elsewhere = new Set(listed.filter(({ ifname }) => !names.has(ifname)).flatMap(prefixesOf));
  const after = new Map<string, string[]>();
  for (const name of names) {
    const netdev = listed.find(({ ifname }) => ifname === name);
    const now = netdev && !uplinks.has(name) ? prefixesOf(netdev) : [];
    const moved = (prefix: string) => now.length > 0 && elsewhere.has(prefix);
    const old = (before.get(name) ?? []).filter(
      (prefix) => !now.includes(prefix) && !moved(prefix),
    );
    after.set(name, [...now, ...old].slice(0, MOST_PREFIXES));
  }
  return after;
}

export function renderNetworkMemory(memory: NetworkMemory): string {
  return `${JSON.stringify({ version: 1, networks: Object.fromEntries(memory) }, null, 1)}\n`;
}

/** Reads what {@link renderNetworkMemory} wrote; whatever else stands there is nothing known. */
export function parseNetworkMemory(text: string): Map<string, string[]> {
  const memory = new Map<string, string[]>();
  let kept: { version?: unknown; networks?: unknown } | null;
  try {
    kept = JSON.parse(text);
  } catch {
    return memory;
  }
  if (kept?.version !== 1) return memory;
  for (const [name, prefixes] of Object.entries(kept.networks ?? {})) {
    if (!Array.isArray(prefixes)) continue;
    const sound = prefixes.filter(
      (prefix) => typeof prefix === 'string' && parseAddressBlock(prefix)?.cidr === prefix,
    );
    memory.set(name, sound.slice(0, MOST_PREFIXES));
  }
  return memory;
}

/**
 * Configured networks that are missing, are part of another netdev or lead to the Internet, which leaves their devices
 * unknown, and those that may reach beyond the home, which is only told.
 *
 * @param named netdevs that the configuration vouches for.
 */
export function findNetworkFindings(
  networks: readonly NetworkConfig[],
  listed: readonly ListedNetdev[],
  uplinks: ReadonlySet<string>,
  memory: NetworkMemory,
  named: readonly string[] = [],
): Finding[] {
  return networks.flatMap(({ section, device }) => {
    const path = `iotshaper.${section}.device`;
    const rename = (to: string) => `uci set ${path}=${to}; uci commit iotshaper; reload_config`;
    const blocking = (said: Notice) => [{ ...said, section, blocks: true }];
    const values = { path, netdev: device };
    const netdev = listed.find(({ ifname }) => ifname === device);
    if (uplinks.has(device)) {
      return blocking(notice('network-leads-out', values));
    }
    if (!netdev) {
      const heir = findHeir(device, listed, uplinks, memory.get(device) ?? []);
      if (!heir) return blocking(notice('network-gone', values));
      const { name, code } = heir;
      return blocking(notice(code, { ...values, heir: name, command: rename(name) }));
    }
    const { master, linkinfo } = netdev;
    if (master !== undefined && linkinfo?.info_slave_kind !== 'vrf') {
      return blocking(notice('network-is-port', { ...values, master, command: rename(master) }));
    }
    const doubt = named.includes(device) ? null : findDoubt(netdev, listed, uplinks);
    if (doubt === null) return [];
    return [{ ...notice('network-doubtful', { path, doubt }), section, blocks: false }];
  });
}

/** The netdev that has most likely taken the place of one that is gone. */
function findHeir(
  gone: string,
  listed: readonly ListedNetdev[],
  uplinks: ReadonlySet<string>,
  had: readonly string[],
): { name: string; code: 'network-gone-heir-addresses' | 'network-gone-heir-bridge' } | null {
  const there = listed.filter(({ ifname }) => ifname !== 'lo' && !uplinks.has(ifname));
  const holder = there.find((one) => prefixesOf(one).some((prefix) => had.includes(prefix)));
  if (holder) return { name: holder.ifname, code: 'network-gone-heir-addresses' };
  // What LuCI calls an interface is `iot` where the bridge is `br-iot`.
  const bridge = there.find(({ ifname }) => ifname === `br-${gone}`);
  return bridge ? { name: bridge.ifname, code: 'network-gone-heir-bridge' } : null;
}
