// Which device is which: joins the configuration with neighbours, leases and counters. Pure.
import type { Config } from '../../config/types.ts';
import { holds } from '../../ip/within.ts';
import type { FollowedDevice } from '../../plan/facts.ts';
import type { DeviceStatus } from '../api.ts';
import { isLinkLocal } from './device-owners.ts';

/** A neighbour as `ip -j neigh` lists it. */
export interface Neighbour {
  dst: string;
  dev: string;
  lladdr?: string;
  state?: string[];
}

/** Traffic of one address of a device. */
export interface AddressTraffic {
  address: string;
  txBytes: number;
  rxBytes: number;
  txKBps: number;
  rxKBps: number;
  dropped: number;
  /** Sent something within the last two minutes. */
  recent: boolean;
}

interface Row {
  status: DeviceStatus;
  /** Configured and seen. */
  addresses: Set<string>;
  /** By which the device is known besides. */
  learned: Set<string>;
  macs: Set<string>;
  prefixes: string[];
}

/** Every device the configuration names or a configured network holds, with what it sent and received. */
export function listDevices(
  config: Config,
  neighbours: readonly Neighbour[],
  names: ReadonlyMap<string, string>,
  traffic: readonly AddressTraffic[],
  followed: readonly FollowedDevice[] = [],
): DeviceStatus[] {
  const networks = new Set(config.networks.map(({ device }) => device));
  const rows: Row[] = [];
  const row = (
    device: Pick<DeviceStatus, 'name' | 'mac' | 'ip' | 'policy'>,
    also: Pick<FollowedDevice, 'macs' | 'addresses'> = { macs: [], addresses: [] },
  ) => {
    const prefixes = device.ip.filter((address) => address.includes('/'));
    const status: DeviceStatus = {
      ...device,
      online: false,
      kBps: 0,
      tx_bytes: 0,
      rx_bytes: 0,
      dropped: 0,
    };
    const macs = new Set([device.mac, ...also.macs].filter((mac) => mac !== ''));
    rows.push({
      status,
      addresses: new Set(device.ip),
      learned: new Set(also.addresses),
      macs,
      prefixes,
    });
    return rows.at(-1)!;
  };
  for (const device of config.devices) {
    row(
      {
        name: device.name,
        mac: device.mac ?? '',
        ip: device.ip.map(plainAddress),
        policy: device.policy,
      },
      followed.find(({ section }) => section === device.section),
    );
  }
  for (const { dst, dev, lladdr, state } of neighbours) {
    const mac = lladdr?.toLowerCase() ?? '';
    if (mac === '' || state?.includes('FAILED') || isLinkLocal(dst)) continue;
    const known = rows.find(
      ({ macs, addresses, learned, prefixes }) =>
        macs.has(mac) ||
        addresses.has(dst) ||
        learned.has(dst) ||
        prefixes.some((prefix) => holds(prefix, dst)),
    );
    if (!known && !networks.has(dev)) continue;
    const { status, addresses, macs, prefixes } =
      known ?? row({ name: names.get(mac) ?? names.get(dst) ?? mac, mac, ip: [], policy: 'shape' });
    // Behind a prefix there may be several.
    if (status.mac === '' && prefixes.length === 0) {
      status.mac = mac;
      macs.add(mac);
    }
    if (!addresses.has(dst)) status.ip.push(dst);
    addresses.add(dst);
  }
  for (const part of traffic) {
    const { address } = part;
    const found =
      rows.find(({ addresses, learned }) => addresses.has(address) || learned.has(address)) ??
      rows.find(({ prefixes }) => prefixes.some((prefix) => holds(prefix, address)));
    if (found?.status.policy === 'shape') addTraffic(found.status, part);
  }
  for (const { status } of rows) status.kBps = round(status.kBps);
  return rows.map(({ status }) => status);
}

function addTraffic(status: DeviceStatus, part: AddressTraffic): void {
  status.tx_bytes += part.txBytes;
  status.rx_bytes += part.rxBytes;
  status.kBps += part.txKBps + part.rxKBps;
  status.dropped = (status.dropped ?? 0) + part.dropped;
  status.online ||= part.recent;
}

/** `192.168.1.50/32` as people write it. */
function plainAddress(cidr: string): string {
  return cidr.replace(/\/32$|\/128$/, '');
}

/** Two decimals are more than any reader needs. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
