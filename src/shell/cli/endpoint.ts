// `iotshaper endpoint …`: make and run the far end on a server.
import type { Command } from 'commander';
import { EndpointService } from '../endpoint/endpoint-service.ts';
import { examine } from '../endpoint/examine.ts';
import { makeRunDir } from '../endpoint/openvpn-files.ts';
import { openServedState, readFleetSettings } from '../endpoint/state/fleet-settings.ts';
import { consoleLog } from '../system/log.ts';
import type { Context } from './context.ts';
import { registerCloudInit } from './endpoint/cloud-init.ts';
import { printFaults, requireKernel } from './endpoint/doctor.ts';
import { registerDrain } from './endpoint/drain.ts';
import { prepareFleet, registerFleet, withFleet } from './endpoint/fleet.ts';
import { registerHomes } from './endpoint/homes.ts';
import { registerLimit } from './endpoint/limit.ts';
import { registerPlace } from './endpoint/place.ts';
import { requireRoot } from './failure.ts';
import { defaultEndpointDir, defaultRunDir } from './paths.ts';
import { runAlone } from './run/alone.ts';
import { runUntilSignal } from './run/until-signal.ts';

export function registerEndpoint(program: Command, context: Context): void {
  const { system, console } = context;
  const endpoint = program
    .command('endpoint')
    .description('the far end of the tunnel, on a server');
  const command = (name: string, description: string): Command =>
    endpoint
      .command(name)
      .description(description)
      .option('--state-dir <dir>', 'identity and homes', defaultEndpointDir);

  registerPlace(command, context);
  registerHomes(command, context);
  registerFleet(command, context);
  registerLimit(command, context);
  registerDrain(command, context);

  command(
    'doctor',
    'say what keeps this server from serving homes; exit status 1 when something does',
  )
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .option('--json', 'as the status has it')
    .action(async (options: { stateDir: string; runDir: string; json?: boolean }) => {
      requireRoot(system, 'iotshaper endpoint doctor');
      await makeRunDir(system, options.runDir);
      const settings = await readFleetSettings(system, options.stateDir);
      const identity = await openServedState(system, options.stateDir, settings).identity();
      await printFaults(context, identity, options);
    });

  command('run', 'serve the homes in the foreground')
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .action(async ({ stateDir, runDir }: { stateDir: string; runDir: string }) => {
      requireRoot(system, 'iotshaper endpoint run');
      await runAlone(system, async () => {
        await requireKernel(system);
        await makeRunDir(system, runDir);
        console.outliveReaders();
        const log = consoleLog(system, console);
        const settings = await readFleetSettings(system, stateDir);
        if (settings) await prepareFleet(system, settings, { stateDir }, log);
        const store = openServedState(system, stateDir, settings);
        const identity = await store.identity();
        const service = new EndpointService(
          {
            ...{ system, store, runDir, log },
            isOfFleet: settings?.registry != null,
            usageDir: system.processes.environment('STATE_DIRECTORY') ?? store.dir,
            examine: (inject) => examine({ system, identity, runDir, inject }),
          },
          identity,
        );
        const whole = settings ? withFleet(context, service, { stateDir, runDir }) : service;
        await runUntilSignal(context, whole, () => {});
      });
    });

  registerCloudInit(
    (name, description) => endpoint.command(name).description(description),
    context,
  );
}
