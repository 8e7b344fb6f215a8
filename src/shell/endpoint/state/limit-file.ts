// What homes are allowed, on disk beside them: one file of 0600, which an endpoint without limits does not have.
import { join } from 'node:path';
import {
  type LimitBook,
  NO_LIMITS,
  readLimitBook,
  renderLimitBook,
} from '../../../core/endpoint/admission/limits.ts';
import { parseJson } from '../../../core/endpoint/keeping.ts';
import type { Served } from '../../../core/endpoint/machine/events.ts';
import type { System, SystemError } from '../../system/system.ts';
import { readDrained } from './drain-file.ts';
import { withFolderLock } from './folder-lock.ts';
import { readElsewhere } from './usage-file.ts';

type LimitSystem = Pick<System, 'files' | 'processes'>;

/** By which the kernel lists processors: `0-3`, `0,2-3`. */
const CORES_PATH = '/sys/devices/system/cpu/online';

export function limitsPathOf(dir: string): string {
  return join(dir, 'limits.json');
}

/** @throws {Error} where the file is damaged. */
export async function readLimits({ files }: LimitSystem, dir: string): Promise<LimitBook> {
  const path = limitsPathOf(dir);
  let text: string;
  try {
    text = await files.readText(path);
  } catch (error) {
    if ((error as SystemError).code === 'ENOENT') return NO_LIMITS;
    throw error;
  }
  const book = readLimitBook(parseJson(text));
  if (book) return book;
  throw new Error(
    `${path}: is damaged; restore it from a backup, or remove it and set limits anew`,
  );
}

/** One change, whoever else changes them. */
export function changeLimits(
  system: LimitSystem,
  dir: string,
  change: (before: LimitBook) => LimitBook,
): Promise<LimitBook> {
  return withFolderLock(system, dir, async () => {
    const after = change(await readLimits(system, dir));
    await system.files.replace(limitsPathOf(dir), renderLimitBook(after));
    return after;
  });
}

/** Homes, what they are allowed on this machine, and whether it is to serve them. */
export async function readServed(
  system: LimitSystem,
  store: { dir: string; homes: () => Promise<Served['homes']> },
): Promise<Served> {
  const limits = await readLimits(system, store.dir);
  return {
    homes: await store.homes(),
    limits: { ...limits, cores: await countCores(system) },
    drained: await readDrained(system, store.dir),
    elsewhere: await readElsewhere(system, store.dir),
  };
}

export async function countCores({ files }: Pick<System, 'files'>): Promise<number | null> {
  const listed = await files.readText(CORES_PATH).catch(() => '');
  const spans = [...listed.matchAll(/(\d+)(?:-(\d+))?/g)];
  const cores = spans.reduce(
    (sum, [, first, last = first]) => sum + Number(last) - Number(first) + 1,
    0,
  );
  return cores === 0 ? null : cores;
}
