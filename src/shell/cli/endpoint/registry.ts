// Where the commands of `iotshaper endpoint` find homes: files of this machine, or the registry of its fleet.
import { join } from 'node:path';
import { type FleetSettings, SETTINGS_FILE } from '../../../core/endpoint/fleet/settings.ts';
import type { Registry } from '../../endpoint/registry.ts';
import { readFleetSettings } from '../../endpoint/state/fleet-settings.ts';
import { EndpointStore } from '../../endpoint/store.ts';
import type { System } from '../../system/system.ts';
import { Failure, isAbsent } from '../failure.ts';

/** @throws {Failure} where the fleet's can't be used */
export async function openRegistry(system: System, stateDir: string): Promise<Registry> {
  const settings = await readFleetSettings(system, stateDir);
  if (!settings || settings.registry === null) return new EndpointStore(system, stateDir);
  const { registry } = settings;
  return (await loadFleet(stateDir)).openFleetStore(system, { ...settings, registry });
}

/** @throws {Failure} where there is none */
export async function requireFleetSettings(
  system: System,
  stateDir: string,
): Promise<FleetSettings> {
  const settings = await readFleetSettings(system, stateDir);
  if (settings) return settings;
  throw new Failure(
    `${join(stateDir, SETTINGS_FILE)}: is not there; this endpoint is in no fleet, and nothing asks it anything`,
  );
}

/** Reads the part of the program that only a fleet needs. */
export async function loadFleet(stateDir: string): Promise<typeof import('../../fleet/fleet.ts')> {
  try {
    return await import('../../fleet/fleet.ts');
  } catch (error) {
    if (!isAbsent(error)) throw error;
    throw new Failure(
      `${join(stateDir, SETTINGS_FILE)}: asks for iotshaper-fleet.js beside the program; install the package iot-shaper-endpoint again`,
    );
  }
}
