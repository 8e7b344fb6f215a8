// Finds processes of ours, those that a killed service left behind too, by their arguments and network namespace.
import { pause, type System, SystemError } from './system.ts';

const GRACE_MS = 2000;
const POLL_MS = 20;

/** Processes of this network namespace whose arguments `matches` accepts. */
export async function findProcesses(
  { files, processes }: Pick<System, 'files' | 'processes'>,
  matches: (argv: readonly string[]) => boolean,
): Promise<number[]> {
  const ours = await files.readLink('/proc/self/ns/net');
  const isHere = async (pid: number): Promise<boolean> => {
    try {
      return (await files.readLink(`/proc/${pid}/ns/net`)) === ours;
    } catch (error) {
      // One that is another user by now is closed to a service that may not trace; what it started itself is here.
      if (!(error instanceof SystemError && error.code === 'EACCES')) throw error;
      return parentOf(await files.readText(`/proc/${pid}/stat`)) === processes.pid;
    }
  };
  const found: number[] = [];
  for (const entry of await files.list('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === processes.pid) continue;
    try {
      const argv = (await files.readText(`/proc/${pid}/cmdline`)).split('\0').slice(0, -1);
      if (matches(argv) && (await isHere(pid))) found.push(pid);
    } catch {
      // it ended meanwhile
    }
  }
  return found;
}

/** By proc(5): the name, in parentheses, may hold anything. */
function parentOf(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]);
}

/** Ends every process of this network namespace whose arguments `matches` accepts. */
export async function endLeftovers(
  system: Pick<System, 'files' | 'processes' | 'clock' | 'timers'>,
  matches: (argv: readonly string[]) => boolean,
): Promise<number> {
  const { clock, processes, timers } = system;
  const found = await findProcesses(system, matches);
  for (const pid of found) processes.signal(pid, 'SIGTERM');
  const untilMs = clock.monotonicMs() + GRACE_MS;
  while (found.some((pid) => processes.signal(pid, 0)) && clock.monotonicMs() < untilMs) {
    await pause(timers, POLL_MS); // not our children: there is no event
  }
  for (const pid of found) processes.signal(pid, 'SIGKILL');
  return found.length;
}
