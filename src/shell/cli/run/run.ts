// `iotshaper run`: the home service in the foreground, until a signal ends it.
import { join } from 'node:path';
import { HomeService } from '../../home/home-service.ts';
import { interfaceReader } from '../../network/interfaces.ts';
import { consoleLog, type Log } from '../../system/log.ts';
import { platformOf } from '../../system/platform.ts';
import type { System } from '../../system/system.ts';
import { UbusClient } from '../../ubus/client.ts';
import { iotshaperMethods, publishIotshaper } from '../../ubus/iotshaper-object.ts';
import type { Context } from '../context.ts';
import { isAbsent, requireRoot } from '../failure.ts';
import { defaultHomeDir, defaultRunDir } from '../paths.ts';
import { runAlone } from './alone.ts';
import type { RunOptions } from './run-options.ts';
import { runUntilSignal, type Service } from './until-signal.ts';

/** Names the file in the folder of what runs that says that nothing may get out once the service has stopped. */
const STAY_SHUT = 'stay-shut';

/** Serves the home until a signal ends it. @throws {Failure} when not run by root */
export async function runService(context: Context, options: RunOptions): Promise<void> {
  const { system } = context;
  const { configPath, ubusSocket } = platformOf(system);
  const {
    config = configPath,
    runDir = defaultRunDir,
    stateDir = defaultHomeDir,
    ubus = ubusSocket,
  } = options;
  requireRoot(system, 'iotshaper run');
  await runAlone(system, () => serveHome(context, { config, runDir, stateDir, ubus }));
}

async function serveHome(
  context: Context,
  { config, runDir, stateDir, ubus }: Required<RunOptions>,
): Promise<void> {
  const { system, console } = context;
  await system.files.makeFolder(runDir, 0o700);
  await system.files.makeFolder(stateDir, 0o700);
  console.outliveReaders();
  const log = consoleLog(system, console);
  const readInterfaces = interfaceReader(system, ubus);
  const service = new HomeService({
    ...{ system, configPath: config, runDir, stateDir, log, readInterfaces },
  });
  // Whoever stops the service for a moment only (restart, upgrade, the router going down) leaves word first: in a file, for
  // the kernel may hand two signals to two threads, and what was sent last comes first.
  const word = join(runDir, STAY_SHUT);
  await system.files.remove(word);
  const bus = ubus === '' ? null : publishOn(ubus, system, service, log);
  const page = await openPage({ system, home: service, log, configPath: config });
  const whole: Service = {
    get staysShut() {
      return service.staysShut;
    },
    set staysShut(stays) {
      service.staysShut = stays;
    },
    start: async () => {
      await service.start();
      await page?.start();
    },
    stop: async () => {
      if (system.files.exists(word)) service.staysShut = true;
      await page?.stop();
      await service.stop();
      await bus?.close();
    },
  };
  await runUntilSignal(context, whole, () => void service.reload());
}

/** Puts the service on the bus, for LuCI; the command line asks it by its own socket. */
function publishOn(socketPath: string, system: System, service: HomeService, log: Log): UbusClient {
  const bus = new UbusClient(system, { socketPath, log: (text) => log('info', `ubus: ${text}`) });
  publishIotshaper(bus, service);
  return bus;
}

interface PageParts {
  system: System;
  home: HomeService;
  log: Log;
  configPath: string;
}

/** The page that the service serves itself; null where LuCI does, and where the package that has it is not installed. */
async function openPage({
  system,
  home,
  log,
  configPath,
}: PageParts): Promise<Pick<Service, 'start' | 'stop'> | null> {
  const { pageFolder: folder } = platformOf(system);
  if (folder === '') return null;
  try {
    const { createPage } = await import('../debian/page-service.ts');
    const service = iotshaperMethods(home);
    return await createPage({
      ...{ system, log, configPath, folder, service },
      reload: () => home.reload(),
    });
  } catch (error) {
    if (!isAbsent(error)) throw error;
    return null;
  }
}
