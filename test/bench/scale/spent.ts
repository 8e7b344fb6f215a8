// What the processes of one namespace have taken of processors and memory, told apart by what they are.
import { readdirSync, readFileSync } from 'node:fs';
import { type ProcessStat, parseStat } from '../../../src/research/lab/bed/processor-time.ts';
import { SHAPING_NICE } from '../../../src/shell/shaper/thread.ts';
import { run } from '../../../src/shell/system/node/processes.ts';
import { type Memory, NO_MEMORY, readMemory } from '../process-memory.ts';

/** `shaping` is the service's thread that draws; `kernel` the socats that carry what the kernel is told and asked, and all commands. */
export const parts = ['service', 'shaping', 'openvpn', 'kernel', 'others', 'generator'] as const;
export type Part = (typeof parts)[number];
export type Spent = Record<Part, number>;

function stat(path: string): ProcessStat | null {
  try {
    return parseStat(readFileSync(path, 'utf8'));
  } catch {
    return null; // it has ended
  }
}

function commOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

async function pidsOf(namespace: string): Promise<string[]> {
  const { stdout } = await run(['ip', 'netns', 'pids', namespace]);
  return stdout.split('\n').filter(Boolean);
}

function partOf(comm: string): Part {
  if (comm === 'openvpn') return 'openvpn';
  return comm === 'tc' || comm === 'socat' ? 'kernel' : 'others';
}

/**
 * Processor seconds so far; those of children that have ended are commands'.
 *
 * @param known the processes that are no commands, by id.
 */
export async function readSpent(
  namespace: string,
  known: { service?: number; generator?: number },
): Promise<Spent> {
  const spent: Spent = { service: 0, shaping: 0, openvpn: 0, kernel: 0, others: 0, generator: 0 };
  for (const pid of await pidsOf(namespace)) {
    const found = stat(`/proc/${pid}/stat`);
    if (!found) continue;
    if (Number(pid) === known.generator) spent.generator += found.ownS;
    else if (Number(pid) === known.service) {
      const shapingS = readdirSync(`/proc/${pid}/task`)
        .map((task) => stat(`/proc/${pid}/task/${task}/stat`))
        .filter((thread) => thread?.nice === SHAPING_NICE)
        .reduce((sum, thread) => sum + thread!.ownS, 0);
      spent.shaping += shapingS;
      spent.service += found.ownS - shapingS;
      spent.kernel += found.childrenS;
    } else spent[partOf(commOf(pid))] += found.ownS;
  }
  return spent;
}

/** Processor seconds that all processes which are there have taken so far. */
export async function readWhole(namespace: string): Promise<number> {
  const pids = await pidsOf(namespace);
  return pids.reduce((sum, pid) => sum + (stat(`/proc/${pid}/stat`)?.ownS ?? 0), 0);
}

/** Memory of the service and of its OpenVPN. */
export async function memoryIn(
  namespace: string,
  service: number | undefined,
): Promise<Record<'service' | 'openvpn', Memory>> {
  const found = { service: NO_MEMORY, openvpn: NO_MEMORY };
  for (const pid of await pidsOf(namespace)) {
    const isService = Number(pid) === service;
    if (!isService && commOf(pid) !== 'openvpn') continue;
    found[isService ? 'service' : 'openvpn'] = readMemory(Number(pid));
  }
  return found;
}

/** Share of the machine's processors that was busy between two readings of /proc/stat. */
export function readBusy(): { busy: number; all: number } {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, ...rest] = first
    .trim()
    .split(/\s+/)
    .slice(1, 9)
    .map(Number);
  const busy = user + nice + system + rest.reduce((sum, one) => sum + one, 0);
  return { busy, all: busy + idle + wait };
}
