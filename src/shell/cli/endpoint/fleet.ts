// `iotshaper endpoint fleet`, which `endpoint run` starts beside the service: a process of its own, which may fail without it.
import { join } from 'node:path';
import { type FleetSettings, SETTINGS_FILE } from '../../../core/endpoint/fleet/settings.ts';
import { openServedState } from '../../endpoint/state/fleet-settings.ts';
import { SupervisedChild } from '../../system/child.ts';
import { consoleLog, type Log } from '../../system/log.ts';
import type { System } from '../../system/system.ts';
import type { Context } from '../context.ts';
import { defaultRunDir } from '../paths.ts';
import type { Service } from '../run/until-signal.ts';
import type { AddCommand } from './command.ts';
import { loadFleet, requireFleetSettings } from './registry.ts';

interface FleetFlags {
  stateDir: string;
  runDir: string;
  once?: boolean;
  of?: string;
}

/** The registry has so long to answer before the service starts with what it told last. */
const PATIENCE_MS = 20_000;
/** Whether the service is still there is asked so often. */
const LOOK_EVERY_MS = 2000;

/** Adds it to the command `endpoint`. */
export function registerFleet(command: AddCommand, context: Context): void {
  const { system, console } = context;
  command(
    'fleet',
    `follow the registry, serve metrics and the API, as ${SETTINGS_FILE} says; "endpoint run" starts it`,
  )
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .option('--once', 'copy what the registry says, and end')
    .option('--of <pid>', 'end with this process')
    .action(async ({ stateDir, runDir, once, of }: FleetFlags) => {
      console.keepFilesPrivate();
      const settings = await requireFleetSettings(system, stateDir);
      const { copyFleet, createFleetService } = await loadFleet(stateDir);
      console.outliveReaders();
      const log = consoleLog(system, console);
      if (once) return copyFleet(system, settings, log);
      const service = createFleetService(system, settings, { stateDir, runDir }, log);
      const ended = new Promise<void>((resolve) => {
        console.onSignal('SIGTERM', resolve);
        console.onSignal('SIGINT', resolve);
        if (of === undefined) return;
        system.timers.every(LOOK_EVERY_MS, () => {
          if (!system.processes.signal(Number(of), 0)) resolve();
        });
      });
      await service.start();
      await ended;
      await service.stop();
      console.exit(0);
    });
}

/** Makes sure that there is something to serve from. @throws {Error} where nothing was ever copied, and nothing can be */
export async function prepareFleet(
  system: System,
  settings: FleetSettings,
  { stateDir }: { stateDir: string },
  log: Log,
): Promise<void> {
  if (settings.registry === null) return;
  const argv = [
    ...system.processes.program,
    'endpoint',
    'fleet',
    '--once',
    '--state-dir',
    stateDir,
  ];
  try {
    await system.processes.run(argv, { timeoutMs: PATIENCE_MS });
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const why = stderr.replace(/^iotshaper: /, '').trim() || (error as Error).message;
    const served = openServedState(system, stateDir, settings);
    await served.identity().catch(() => {
      throw new Error(`${join(stateDir, SETTINGS_FILE)}: ${why}`);
    });
    log('warning', `${why}; what the registry told last is served`);
  }
}

/** The service, with what goes on beside it. */
export function withFleet(
  { system, console }: Context,
  service: Service,
  { stateDir, runDir }: { stateDir: string; runDir: string },
): Service {
  const { processes } = system;
  const beside = new SupervisedChild({
    system,
    // It is in no hurry; what keeps the schedule is.
    argv: () => [
      ...['nice', '-n', '20', ...processes.program, 'endpoint', 'fleet'],
      ...['--state-dir', stateDir, '--run-dir', runDir, '--of', `${processes.pid}`],
    ],
    onLine: (line) => console.writeError(`${line}\n`),
    minPauseMs: 1000,
  });
  return {
    start: async () => {
      await service.start();
      beside.start();
    },
    stop: async () => {
      await beside.stop();
      await service.stop();
    },
    ...(service.lost ? { lost: service.lost } : {}),
  };
}
