// `iotshaper endpoint drain`: takes this endpoint out of service, and tells how its homes leave for others.
import { join } from 'node:path';
import type { Drain } from '../../../core/endpoint/machine/admission/draining.ts';
import type { FleetEndpoint, Registry } from '../../endpoint/registry.ts';
import { writeDrained } from '../../endpoint/state/drain-file.ts';
import {
  openServedState,
  readFleetSettings,
  servedDirOf,
} from '../../endpoint/state/fleet-settings.ts';
import { askLocalApi, NotRunningError } from '../../machine/local-api.ts';
import { pause } from '../../system/system.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { defaultRunDir } from '../paths.ts';
import type { AddCommand } from './command.ts';
import { openRegistry } from './registry.ts';

const LOOK_EVERY_MS = 500;
/** The service hears of a change of its files at once. */
const HEARD_WITHIN_MS = 10_000;

interface DrainFlags {
  stateDir: string;
  runDir: string;
  undo?: boolean;
  anyway?: boolean;
  wait: boolean;
}

/** Adds it to the command `endpoint`. */
export function registerDrain(command: AddCommand, context: Context): void {
  const { system, console } = context;
  command('drain', 'send homes on to the other endpoints of their profiles, and take no others')
    .option('--undo', 'serve again whoever comes')
    .option('--anyway', 'even if no other endpoint is known to be there')
    .option('--no-wait', 'do not wait until they have left')
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .addHelpText(
      'after',
      '\nHomes go two seconds apart, and are cut off until another endpoint has them. One that nobody else takes comes back, is\nserved on, and is named; exit status 1 then. The endpoint stays drained until --undo, whatever is started over.',
    )
    .action(async ({ stateDir, runDir, undo, anyway, wait }: DrainFlags) => {
      const settings = await readFleetSettings(system, stateDir);
      // There has to be an endpoint; a fleet's may never have been told what it is to serve.
      if (!settings?.registry) await openServedState(system, stateDir, settings).identity();
      const dir = servedDirOf(stateDir, settings);
      if (undo) {
        await writeDrained(system, dir, null);
        console.writeError(
          'This endpoint serves again whoever comes. Homes that went elsewhere stay there until they lose that endpoint, or it is drained.\n',
        );
        return;
      }
      if (!anyway)
        await requireOthers(await openRegistry(system, stateDir), settings?.endpoint ?? '');
      const since = new Date(system.clock.unixMs()).toISOString();
      await writeDrained(system, dir, since);
      console.writeError('This endpoint is drained: homes that come are sent on.\n');
      if (wait) await follow(context, runDir, since);
    });
}

/** @throws {Failure} where homes would have nowhere to go */
async function requireOthers(registry: Registry, own: string): Promise<void> {
  const hint = '"--anyway" sends homes on all the same';
  let known: readonly FleetEndpoint[];
  try {
    known = (await registry.endpoints?.()) ?? [];
  } catch (error) {
    throw new Failure(
      `${(error as Error).message}; so it is not known whether another endpoint is there to take homes; ${hint}`,
    );
  }
  if (known.some(({ name, drained, heard }) => name !== own && heard && !drained)) return;
  const others = known.filter(({ name }) => name !== own);
  const why =
    others.length === 0
      ? 'there is no other endpoint'
      : `none of the other endpoints (${others.map(({ name }) => name).join(', ')}) is heard and serves homes`;
  throw new Failure(`${why}, so homes have nowhere to go; ${hint}`);
}

/** Tells who leaves until nobody is left that could. @throws {Failure} where some could not */
async function follow({ system, console }: Context, runDir: string, since: string): Promise<void> {
  const untilMs = system.clock.monotonicMs() + HEARD_WITHIN_MS;
  let left: readonly string[] | null = null;
  let gone = 0;
  for (;;) {
    const drain = await askDrain(system, runDir);
    if (drain === undefined) {
      console.writeError('No service runs here; it sends homes on once it is started.\n');
      return;
    }
    if (drain?.since === since) {
      const { leaving, staying } = drain;
      if (left === null) console.writeError(`Homes that are here: ${namesOf(leaving)}.\n`);
      for (const name of left ?? []) {
        if (leaving.includes(name) || staying.includes(name)) continue;
        gone++;
        console.writeError(`Home "${name}" has left.\n`);
      }
      left = leaving;
      if (leaving.length === 0) {
        if (staying.length === 0) return console.writeError('No home is left here.\n');
        throw new Failure(
          `homes that have left: ${gone}; these came back, since their profiles name no other endpoint that takes them, and are served on: ${namesOf(staying)}; "iotshaper endpoint rotate NAME" makes a profile that names all`,
        );
      }
    } else if (left !== null) {
      throw new Failure('somebody else has changed whether this endpoint is drained');
    } else if (system.clock.monotonicMs() > untilMs) {
      throw new Failure('the service has not heard of it; see its log');
    }
    await pause(system.timers, LOOK_EVERY_MS);
  }
}

function namesOf(names: readonly string[]): string {
  return names.join(', ') || 'none';
}

/** As the running service has it; undefined where none runs. */
async function askDrain(
  system: Context['system'],
  runDir: string,
): Promise<Drain | null | undefined> {
  try {
    const status = await askLocalApi(system, join(runDir, 'api.sock'), { method: 'status' });
    return (status as { drained?: Drain | null }).drained ?? null;
  } catch (error) {
    if (error instanceof NotRunningError) return undefined;
    throw error;
  }
}
