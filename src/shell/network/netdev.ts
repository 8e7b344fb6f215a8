// Small settings of network devices, and what the kernel says of them.
import type { Counter, System } from '../system/system.ts';

const SETTINGS = '/proc/sys';
const NETDEVS = '/sys/class/net';

/** Index of a netdev; null while there is none of that name. */
export async function netdevIndex(
  { files }: Pick<System, 'files'>,
  name: string,
): Promise<number | null> {
  try {
    return Number(await files.readText(`${NETDEVS}/${name}/ifindex`));
  } catch {
    return null;
  }
}

/** Largest packet a netdev takes; null while there is none of that name. */
export async function readMtu(
  { files }: Pick<System, 'files'>,
  name: string,
): Promise<number | null> {
  try {
    return Number(await files.readText(`${NETDEVS}/${name}/mtu`));
  } catch {
    return null;
  }
}

export function netdevExists({ files }: Pick<System, 'files'>, name: string): boolean {
  return files.exists(`${NETDEVS}/${name}`);
}

/** Opens one of a netdev's counters; it reads null while there is no such netdev. */
export function openNetdevCounter(
  { files }: Pick<System, 'files'>,
  name: string,
  counter: 'rx_packets' | 'tx_packets' | 'tx_bytes',
): Counter {
  return files.openCounter(`${NETDEVS}/${name}/statistics/${counter}`);
}

const UP = 1;

/** Sets MTU and queue length; up again, where others took it down. Does nothing where all of it is so. */
export async function setLink(
  { files, processes }: Pick<System, 'files' | 'processes'>,
  name: string,
  mtu: number,
  queuePackets: number,
): Promise<void> {
  const read = async (setting: string): Promise<number> =>
    Number(await files.readText(`${NETDEVS}/${name}/${setting}`).catch(() => Number.NaN));
  const isSo = (await read('mtu')) === mtu && (await read('tx_queue_len')) === queuePackets;
  if (isSo && ((await read('flags')) & UP) !== 0) return;
  const settings = ['mtu', `${mtu}`, 'txqueuelen', `${queuePackets}`, 'up'];
  await processes.run(['ip', 'link', 'set', 'dev', name, ...settings]);
}

/** Up again, and nothing besides. */
export async function setUp({ processes }: Pick<System, 'processes'>, name: string): Promise<void> {
  await processes.run(['ip', 'link', 'set', 'dev', name, 'up']);
}

/** Reads a sysctl by its path below /proc/sys; null when there is none. */
export async function readSysctl(
  { files }: Pick<System, 'files'>,
  path: string,
): Promise<string | null> {
  const file = `${SETTINGS}/${path}`;
  return files.exists(file) ? (await files.readText(file)).trim() : null;
}

/** Writes a sysctl and returns what stood there before; null (and nothing done) when there is none or it stands so already. */
export async function writeSysctl(
  system: Pick<System, 'files'>,
  path: string,
  value: string,
): Promise<string | null> {
  const before = await readSysctl(system, path);
  if (before === null || before === value) return null;
  await system.files.write(`${SETTINGS}/${path}`, value);
  return before;
}
