// Namespaces that a lab left behind because it was killed: each tells whose it is, so that those of a lab that runs stay.
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../shell/system/node/processes.ts';
import { netnsConfig, removeNamespace } from './namespaces.ts';

/** Names of labs' namespaces begin so. */
const PREFIX = 'iotlab-';

/** Says in the namespace itself, where a text may stand: `ip link` shows it as the loopback's alias. */
export async function claim(namespace: string): Promise<void> {
  const alias = `iotlab ${process.pid} ${await startOf(process.pid)}`;
  await run(['ip', '-n', namespace, 'link', 'set', 'lo', 'alias', alias]);
}

/** Removes the namespaces of labs that are dead, and what belongs to them; returns their names. */
export async function removeLeftovers(): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await listNamespaces()) {
    if (!name.startsWith(PREFIX) || !(await isDead(name))) continue;
    await removeNamespace(name);
    await rm(join(netnsConfig, name), { recursive: true, force: true });
    removed.push(name);
  }
  return removed;
}

/** Names of all network namespaces `ip` knows on this machine. */
export async function listNamespaces(): Promise<string[]> {
  try {
    return (await readdir('/run/netns')).sort();
  } catch {
    return [];
  }
}

/** Whether the process that made it has ended; one that nobody has claimed yet is being made just now. */
async function isDead(namespace: string): Promise<boolean> {
  let alias: string | undefined;
  try {
    const { stdout } = await run(['ip', '-n', namespace, '-j', 'link', 'show', 'dev', 'lo']);
    [{ ifalias: alias }] = JSON.parse(stdout) as [{ ifalias?: string }];
  } catch {
    return false; // removed meanwhile
  }
  const [, pid, start] = /^iotlab (\d+) (\d+)$/.exec(alias ?? '') ?? [];
  return pid !== undefined && (await startOf(Number(pid))) !== start;
}

/** When a process started, in the kernel's ticks (proc(5), field 22); '' where there is none. */
async function startOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
