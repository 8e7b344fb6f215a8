// Reads how much processor time a process and its descendants have used.
import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks a second in /proc: USER_HZ, 100 on every Linux a router or server runs. */
const TICKS_PER_S = 100;

/** Processor time (user, system, and ended children's) of a process and its descendants, seconds by pid. */
export async function processTimes(pid: number): Promise<Map<number, number>> {
  const times = new Map<number, number>();
  const pending = [pid];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    try {
      const stat = await readFile(`/proc/${next}/stat`, 'latin1');
      // The second field, the command, may hold spaces and parentheses.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      times.set(next, ticks / TICKS_PER_S);
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
