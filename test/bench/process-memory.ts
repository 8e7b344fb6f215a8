// What a process holds of the machine's memory, as the kernel adds it up (proc(5), smaps_rollup).
import { readFileSync } from 'node:fs';

/** Megabytes (10^6 bytes): resident, proportional, and what nobody else has. */
export interface Memory {
  residentMB: number;
  proportionalMB: number;
  privateMB: number;
}

export const NO_MEMORY: Memory = { residentMB: 0, proportionalMB: 0, privateMB: 0 };

export function addMemory(one: Memory, other: Memory): Memory {
  return {
    residentMB: one.residentMB + other.residentMB,
    proportionalMB: one.proportionalMB + other.proportionalMB,
    privateMB: one.privateMB + other.privateMB,
  };
}

/** Memory of one process, its threads included; none where it has ended. */
export function readMemory(pid: number): Memory {
  let text = '';
  try {
    text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  } catch {
    return NO_MEMORY;
  }
  const mb = (field: string): number =>
    (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024) / 1e6;
  return {
    residentMB: mb('Rss'),
    proportionalMB: mb('Pss'),
    privateMB: mb('Private_Clean') + mb('Private_Dirty'),
  };
}
