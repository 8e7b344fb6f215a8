// Reads what an endpoint has beside its own files; a file with a password that others may read is refused.
import { join } from 'node:path';
import {
  type FleetSettings,
  parseFleetSettings,
  SETTINGS_FILE,
} from '../../../core/endpoint/fleet/settings.ts';
import type { System } from '../../system/system.ts';
import type { ServedState } from '../registry.ts';
import { EndpointStore } from '../store.ts';

/** Null where there are none. @throws {Error} where they can't be used */
export async function readFleetSettings(
  { files }: Pick<System, 'files'>,
  stateDir: string,
): Promise<FleetSettings | null> {
  const path = join(stateDir, SETTINGS_FILE);
  if ((await files.stat(path)) === null) return null;
  await requirePrivate({ files }, path);
  try {
    return parseFleetSettings(await files.readText(path));
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

/** @throws {Error} where anybody but the owner may read or change a file */
export async function requirePrivate(
  { files }: Pick<System, 'files'>,
  path: string,
): Promise<void> {
  const mode = (await files.stat(path))?.mode ?? 0;
  if ((mode & 0o077) !== 0) {
    throw new Error(`${path}: holds a secret, and others may read it; run "chmod 600 ${path}"`);
  }
}

/** What the service of this machine serves from: in a fleet, the copy of what the registry told last. */
export function openServedState(
  system: Pick<System, 'files' | 'processes' | 'randomBytes'>,
  stateDir: string,
  settings: FleetSettings | null,
): EndpointStore & ServedState {
  return new EndpointStore(system, servedDirOf(stateDir, settings));
}

export function servedDirOf(stateDir: string, settings: FleetSettings | null): string {
  return settings?.registry ? settings.copy : stateDir;
}
