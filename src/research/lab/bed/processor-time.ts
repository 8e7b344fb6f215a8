// Reads how much processor time a process and its descendants have used.
import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks a second in /proc: USER_HZ, 100 on every Linux a router or server runs. */
const TICKS_PER_S = 100;

/** What /proc says of a process or a thread in its stat (proc(5)). */
export interface ProcessStat {
  /** The process that started it. */
  parent: number;
  /** Its own processor seconds, and those of children that have ended. */
  ownS: number;
  childrenS: number;
  nice: number;
}

/** Reads a stat; zeros where it says nothing. */
export function parseStat(text: string): ProcessStat {
  // The second field, the command, may hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user, system, childUser, childSystem, , nice = 0] = fields.slice(11, 17).map(Number);
  const seconds = (one = 0, other = 0): number => (one + other) / TICKS_PER_S;
  const parent = Number(fields[1] ?? 0);
  return { parent, ownS: seconds(user, system), childrenS: seconds(childUser, childSystem), nice };
}

/** Processor time (user, system, and ended children's) of a process and its descendants, seconds by pid. */
export async function processTimes(pid: number): Promise<Map<number, number>> {
  const times = new Map<number, number>();
  const pending = [pid];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    try {
      const { ownS, childrenS } = parseStat(await readFile(`/proc/${next}/stat`, 'latin1'));
      times.set(next, ownS + childrenS);
      for (const thread of await readdir(`/proc/${next}/task`)) {
        const children = await readFile(`/proc/${next}/task/${thread}/children`, 'latin1');
        pending.push(...children.split(' ').filter(Boolean).map(Number));
      }
    } catch {
      // It ended while being read.
    }
  }
  return times;
}

/** Processor time used between two readings, seconds. */
export function timesBetween(before: Map<number, number>, after: Map<number, number>): number {
  let sum = 0;
  for (const [pid, seconds] of after) sum += seconds - (before.get(pid) ?? 0);
  return sum;
}
