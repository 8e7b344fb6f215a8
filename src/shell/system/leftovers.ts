// Finds processes of ours, those that a killed service left behind too, by their arguments and network namespace.
import { readdir, readFile, readlink } from 'node:fs/promises';

const GRACE_MS = 2000;
const POLL_MS = 20;

/** Processes of this network namespace whose arguments `matches` accepts. */
export async function findProcesses(
  matches: (argv: readonly string[]) => boolean,
): Promise<number[]> {
  const ours = await readlink('/proc/self/ns/net');
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const argv = (await readFile(`/proc/${pid}/cmdline`, 'latin1')).split('\0').slice(0, -1);
      if (matches(argv) && (await readlink(`/proc/${pid}/ns/net`)) === ours) found.push(pid);
    } catch {
      // it ended meanwhile
    }
  }
  return found;
}

/** Ends every process of this network namespace whose arguments `matches` accepts. */
export async function endLeftovers(matches: (argv: readonly string[]) => boolean): Promise<number> {
  const found = await findProcesses(matches);
  for (const pid of found) signal(pid, 'SIGTERM');
  const untilMs = performance.now() + GRACE_MS;
  while (found.some((pid) => signal(pid, 0)) && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS)); // not our children: there is no event
  }
  for (const pid of found) signal(pid, 'SIGKILL');
  return found.length;
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
