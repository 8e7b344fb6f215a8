// What a service and its children use: processor time and voluntary switches by process, memory. Read from /proc.
import { readdirSync, readFileSync } from 'node:fs';
import { parseStat } from '../../../src/research/lab/bed/processor-time.ts';
import { SHAPING_NICE } from '../../../src/shell/shaper/thread.ts';
import { addMemory, type Memory, NO_MEMORY, readMemory } from '../process-memory.ts';

/** One thread of the service, one process of its children, or what children took that have ended. */
interface Part {
  name: string;
  pid: number;
  seconds: number;
  /** Seconds for which it could have run, and others had the processor. */
  waited: number;
  switches: number;
}

/** All that a family has used so far, by thread; the moment on the monotonic clock. */
export interface Reading {
  atMs: number;
  parts: Map<string, Part>;
}

/** What a part used between two readings. */
export interface Use {
  secondsAMinute: number;
  /** For a processor that others had. */
  waitedMsPerS: number;
  switchesPerS: number;
}

const NOTHING: Use = { secondsAMinute: 0, waitedMsPerS: 0, switchesPerS: 0 };

function textOf(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return ''; // it ended while it was read
  }
}

/** A child's program, and which of the two socats it is; what only sends is called a sender. */
function nameOf(pid: number): string {
  const words = textOf(`${pid}/cmdline`).split('\0');
  const program = (words[0] ?? '').split('/').at(-1)!;
  if (words[2] === 'lab' || words[1]?.endsWith('/generator.js')) return 'sender';
  if (program === 'socat') {
    return words.includes('SOCKET-SENDTO') || words.some((word) => word.startsWith('SOCKET-SENDTO'))
      ? 'socat (kernel)'
      : 'socat (packets)';
  }
  return words.includes('monitor') ? `${program} monitor` : program;
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** Nanoseconds on a processor, which the kernel counts to the end: ticks would say little of half a minute at 10 KB/s. */
function readThread(pid: number, thread: number, name: string): Part | null {
  const [ns = '', waitedNs] = textOf(`${pid}/task/${thread}/schedstat`).split(' ');
  if (ns === '') return null;
  const switches = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(
    textOf(`${pid}/task/${thread}/status`),
  );
  return {
    ...{ name, pid, seconds: Number(ns) / 1e9, waited: Number(waitedNs) / 1e9 },
    switches: Number(switches?.[1] ?? 0),
  };
}

/** Reads processes and all that descend from them. */
export function readFamily(roots: readonly number[]): Reading {
  const parts = new Map<string, Part>();
  const pending = [...roots];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    const own = nameOf(pid);
    const isService = own === 'node' || own === 'qjs';
    for (const thread of threadsOf(pid)) {
      const children = textOf(`${pid}/task/${thread}/children`);
      pending.push(...children.split(' ').filter(Boolean).map(Number));
      const { nice } = parseStat(textOf(`${pid}/task/${thread}/stat`));
      const kind = thread === pid ? 'main' : nice === SHAPING_NICE ? 'shaping' : 'other';
      const name = isService ? `service, ${kind} thread${kind === 'other' ? 's' : ''}` : own;
      const part = readThread(pid, thread, name);
      if (part) parts.set(`${pid}/${thread}`, part);
    }
    const { childrenS } = parseStat(textOf(`${pid}/stat`));
    parts.set(`${pid}/ended`, {
      name: 'children that ended',
      pid,
      seconds: childrenS,
      waited: 0,
      switches: 0,
    });
  }
  return { atMs: performance.now(), parts };
}

/** What each part used between two readings, by name; what a child had used before it ended counts once. */
function useBetween(before: Reading, after: Reading): Map<string, Use> {
  const spanS = (after.atMs - before.atMs) / 1000;
  const uses = new Map<string, Use>();
  const add = (name: string, seconds: number, waited: number, switches: number): void => {
    const use = uses.get(name) ?? { ...NOTHING };
    use.secondsAMinute += (seconds * 60) / spanS;
    use.waitedMsPerS += (waited * 1000) / spanS;
    use.switchesPerS += switches / spanS;
    uses.set(name, use);
  };
  for (const [key, { name, seconds, waited, switches }] of after.parts) {
    const old = before.parts.get(key) ?? { seconds: 0, waited: 0, switches: 0 };
    add(name, seconds - old.seconds, waited - old.waited, switches - old.switches);
  }
  const alive = new Set([...after.parts.values()].map(({ pid }) => pid));
  for (const { pid, seconds } of before.parts.values()) {
    if (!alive.has(pid)) add('children that ended', -seconds, 0, 0);
  }
  return uses;
}

/** Mean of parts that took as long, by name. */
function meanOf(each: readonly Map<string, Use>[]): Map<string, Use> {
  const names = new Set(each.flatMap((uses) => [...uses.keys()]));
  return new Map(
    [...names].map((name) => {
      const sum = sumOf(new Map(each.map((uses, part) => [`${part}`, uses.get(name) ?? NOTHING])));
      const mean = (value: number): number => value / each.length;
      return [
        name,
        {
          secondsAMinute: mean(sum.secondsAMinute),
          waitedMsPerS: mean(sum.waitedMsPerS),
          switchesPerS: mean(sum.switchesPerS),
        },
      ];
    }),
  );
}

export function sumOf(uses: Map<string, Use>): Use {
  const sum = { ...NOTHING };
  for (const { secondsAMinute, waitedMsPerS, switchesPerS } of uses.values()) {
    sum.secondsAMinute += secondsAMinute;
    sum.waitedMsPerS += waitedMsPerS;
    sum.switchesPerS += switchesPerS;
  }
  return sum;
}

/** Use in each part of a run. Switches of a child that was replaced within a part are lost. */
export function usesOf(readings: readonly Reading[]): { whole: Map<string, Use>; parts: Use[] } {
  const each = readings.slice(1).map((after, index) => useBetween(readings[index]!, after));
  return { whole: meanOf(each), parts: each.map(sumOf) };
}

/** Memory of processes and all that descend from them, by program. */
export function memoryOf(roots: readonly number[]): Map<string, Memory> {
  const found = new Map<string, Memory>();
  for (const pid of new Set([...readFamily(roots).parts.values()].map((part) => part.pid))) {
    const name = nameOf(pid);
    found.set(name, addMemory(found.get(name) ?? NO_MEMORY, readMemory(pid)));
  }
  return found;
}
