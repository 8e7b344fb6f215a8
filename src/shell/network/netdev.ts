// Small settings of network devices, and what the kernel says of them.

import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { run } from '../system/command.ts';

/** Index of a netdev; null while there is none of that name. */
export async function netdevIndex(name: string): Promise<number | null> {
  try {
    return Number(await readFile(`/sys/class/net/${name}/ifindex`, 'utf8'));
  } catch {
    return null;
  }
}

/** Sets MTU and queue length. */
export async function setLink(name: string, mtu: number, queuePackets: number): Promise<void> {
  await run(['ip', 'link', 'set', 'dev', name, 'mtu', `${mtu}`, 'txqueuelen', `${queuePackets}`]);
}

/** Reads a sysctl by its path below /proc/sys; null when there is none. */
export async function readSysctl(path: string): Promise<string | null> {
  const file = `/proc/sys/${path}`;
  return existsSync(file) ? (await readFile(file, 'utf8')).trim() : null;
}

/** Writes a sysctl and returns what stood there before; null (and nothing done) when there is none or it stands so already. */
export async function writeSysctl(path: string, value: string): Promise<string | null> {
  const before = await readSysctl(path);
  if (before === null || before === value) return null;
  await writeFile(`/proc/sys/${path}`, value);
  return before;
}
