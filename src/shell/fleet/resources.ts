// What the service with all its programs has used, as the kernel's control group counts it.
import { join } from 'node:path';
import type { System } from '../system/system.ts';

export interface Resources {
  cpuSeconds: number;
  memoryBytes: number;
}

/** Null where there is no group of its own (cgroups(7), version 2). */
export async function readResources({ files }: Pick<System, 'files'>): Promise<Resources | null> {
  try {
    const own = /^0::(\/.*)$/m.exec(await files.readText('/proc/self/cgroup'))?.[1];
    if (own === undefined) return null;
    const folder = join('/sys/fs/cgroup', own);
    const stat = await files.readText(join(folder, 'cpu.stat'));
    const microseconds = /^usage_usec (\d+)$/m.exec(stat)?.[1];
    const bytes = Number(await files.readText(join(folder, 'memory.current')));
    return { cpuSeconds: Number(microseconds) / 1e6, memoryBytes: bytes };
  } catch {
    return null;
  }
}
