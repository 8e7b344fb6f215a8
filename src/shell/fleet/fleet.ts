// All of a fleet that an endpoint reads where it is in one, or is asked by other programs: a file of its own in what is shipped.
import type { FleetSettings } from '../../core/endpoint/fleet/settings.ts';
import type { Registry } from '../endpoint/registry.ts';
import { servedDirOf } from '../endpoint/state/fleet-settings.ts';
import { EndpointStore } from '../endpoint/store.ts';
import type { Log } from '../system/log.ts';
import type { System } from '../system/system.ts';
import { Database } from './database.ts';
import { FleetService } from './fleet-service.ts';
import { FleetStore } from './fleet-store.ts';
import { FleetKeeper } from './keeper.ts';

/** The registry that commands change. */
export function openFleetStore(
  system: System,
  settings: FleetSettings & { registry: string },
): Registry {
  return storeOn(system, settings, new Database(settings.registry));
}

function storeOn(system: System, { endpoint, copy }: FleetSettings, database: Database): Registry {
  return new FleetStore({ system, database, endpoint, workDir: `${copy}-changes` });
}

/** Copies what the registry says, once. @throws {Error} where that can't be done */
export async function copyFleet(system: System, settings: FleetSettings, log: Log): Promise<void> {
  const { registry, endpoint, copy: dir } = settings;
  if (registry === null) return;
  const database = new Database(registry);
  try {
    await new FleetKeeper({ system, database, endpoint, dir, log }).refreshOnce();
  } finally {
    await database.close();
  }
}

export interface FleetPlace {
  stateDir: string;
  runDir: string;
}

/** What goes on beside the service. */
export function createFleetService(
  system: System,
  settings: FleetSettings,
  { stateDir, runDir }: FleetPlace,
  log: Log,
): FleetService {
  const database = settings.registry === null ? null : new Database(settings.registry);
  const registry = database
    ? storeOn(system, settings, database)
    : new EndpointStore(system, servedDirOf(stateDir, settings));
  return new FleetService({ ...{ system, log, settings, stateDir, runDir }, registry, database });
}
