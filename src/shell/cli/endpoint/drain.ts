// `iotshaper endpoint drain`: takes this endpoint out of service, and tells how its homes leave for others.
import { join } from 'node:path';
import { loadOfServed, type ServedHome } from '../../../core/endpoint/fleet/figures.ts';
import { findShortage, type Shortage } from '../../../core/endpoint/fleet/room.ts';
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
    .option('--anyway', 'even if no other endpoint is known to be there, or to have room')
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
      if (!anyway) {
        const registry = await openRegistry(system, stateDir);
        const others = await requireOthers(registry, settings?.endpoint ?? '');
        await requireRoom(registry, others, (await askService(system, runDir))?.homes ?? []);
      }
      const since = new Date(system.clock.unixMs()).toISOString();
      await writeDrained(system, dir, since);
      console.writeError('This endpoint is drained: homes that come are sent on.\n');
      if (wait) await follow(context, runDir, since);
    });
}

const ANYWAY = '"--anyway" sends homes on all the same';

/** Those that would take homes. @throws {Failure} where homes would have nowhere to go */
async function requireOthers(registry: Registry, own: string): Promise<FleetEndpoint[]> {
  let known: readonly FleetEndpoint[];
  try {
    known = (await registry.endpoints?.()) ?? [];
  } catch (error) {
    throw new Failure(
      `${(error as Error).message}; so it is not known whether another endpoint is there to take homes; ${ANYWAY}`,
    );
  }
  const others = known.filter(({ name }) => name !== own);
  const taking = others.filter(({ drained, heard }) => heard && !drained);
  if (taking.length > 0) return taking;
  const why =
    others.length === 0
      ? 'there is no other endpoint'
      : `none of the other endpoints (${others.map(({ name }) => name).join(', ')}) is heard and serves homes`;
  throw new Failure(`${why}, so homes have nowhere to go; ${ANYWAY}`);
}

/** @param served homes that are here @throws {Failure} where the others have no room for all of them */
async function requireRoom(
  registry: Registry,
  others: readonly FleetEndpoint[],
  served: readonly ServedHome[],
): Promise<void> {
  const leaving = served.map((home) => ({ name: home.name, ...loadOfServed(home) }));
  const homes = (await registry.homes()).length;
  const shortage = findShortage({ leaving, others, homes, book: await registry.limits() });
  if (shortage) throw new Failure(`${renderShortage(shortage)}; ${ANYWAY}`);
}

/** What is missing, and what would make room. */
function renderShortage({ homes, leaving, left, enough }: Shortage): string {
  const { slots, kBps } = enough;
  const what = slots === null ? 'KB/s' : 'packets a second';
  const figure = slots === null ? 'kBps' : 'slots';
  const rooms = left.map((one) => `${one.name} for ${Math.floor(one[figure] ?? 0)}`);
  const words = [
    ...(slots === null ? [] : [`--slots ${slots}`]),
    ...(kBps === null ? [] : [`--rate ${kBps}`]),
  ];
  return `homes here have ${Math.ceil(leaving[figure])} ${what}, and the other endpoints have room left: ${rooms.join(', ')}; these would find none: ${namesOf(homes)}; add an endpoint, or let each carry more, if it can: "iotshaper endpoint limit --machine ${words.join(' ')}"`;
}

/** Tells who leaves until nobody is left that could. @throws {Failure} where some could not */
async function follow({ system, console }: Context, runDir: string, since: string): Promise<void> {
  const untilMs = system.clock.monotonicMs() + HEARD_WITHIN_MS;
  let left: readonly string[] | null = null;
  let gone = 0;
  for (;;) {
    const service = await askService(system, runDir);
    if (service === null) {
      console.writeError('No service runs here; it sends homes on once it is started.\n');
      return;
    }
    const { drained } = service;
    if (drained?.since === since) {
      const { leaving, staying } = drained;
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

/** What the running service says. */
interface Service {
  drained?: Drain | null;
  homes?: ServedHome[];
}

/** Null where none runs. */
async function askService(system: Context['system'], runDir: string): Promise<Service | null> {
  try {
    const status = await askLocalApi(system, join(runDir, 'api.sock'), { method: 'status' });
    return status as Service;
  } catch (error) {
    if (error instanceof NotRunningError) return null;
    throw error;
  }
}
