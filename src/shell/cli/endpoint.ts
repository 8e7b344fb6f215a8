// `iotshaper endpoint …`: make and run the far end on a server.
import type { Command } from 'commander';
import { wordsOf } from '../../core/notices/words.ts';
import { EndpointService } from '../endpoint/endpoint-service.ts';
import { examine, listPrefixes } from '../endpoint/examine.ts';
import { makeRunDir } from '../endpoint/openvpn-files.ts';
import { defaultStateDir, EndpointStore } from '../endpoint/store.ts';
import { consoleLog } from '../system/log.ts';
import type { Context } from './context.ts';
import { findFaults, printFaults, requireKernel } from './endpoint-doctor.ts';
import { Failure, requireRoot } from './failure.ts';
import { collectPrefixes, parsePort } from './number-options.ts';
import { defaultRunDir } from './paths.ts';
import { runUntilSignal } from './run/until-signal.ts';

interface InitOptions {
  host: string;
  port: number;
  stateDir: string;
  avoid?: string[];
}

export function registerEndpoint(program: Command, context: Context): void {
  const { system, console } = context;
  const endpoint = program
    .command('endpoint')
    .description('the far end of the tunnel, on a server');
  const command = (name: string, description: string): Command =>
    endpoint
      .command(name)
      .description(description)
      .option('--state-dir <dir>', 'identity and homes', defaultStateDir);

  command('init', 'make this machine an endpoint')
    .requiredOption('--host <host>', 'name or address by which homes reach it')
    .option('--port <port>', 'UDP port', parsePort, 1194)
    .option(
      '--avoid <prefix...>',
      "homes' networks that the tunnel's inside must stay clear of",
      collectPrefixes,
    )
    .action(async ({ host, port, stateDir, avoid = [] }: InitOptions) => {
      const here = (await listPrefixes(system)).map(({ prefix }) => prefix);
      const taken = [...here, ...avoid];
      const identity = await new EndpointStore(system, stateDir).init(host, port, taken);
      console.writeError(
        `Endpoint ${identity.host}:${identity.port} (UDP) is made. Next: iotshaper endpoint add-home NAME\n`,
      );
      if (system.processes.uid !== 0) return;
      for (const fault of await findFaults(system, identity, stateDir))
        console.writeError(`warning: ${wordsOf(fault)}\n`);
    });

  command('add-home', 'add a home and print the profile to upload on its router')
    .argument('<name>', 'letters, digits, dots, dashes, underscores')
    .option('--out <file>', 'write the profile to a file (0600) in place of standard output')
    .action(async (name: string, { stateDir, out }: { stateDir: string; out?: string }) => {
      const store = new EndpointStore(system, stateDir);
      const profile = await store.addHome(name);
      if (out === undefined) {
        console.write(profile);
        return;
      }
      try {
        await system.files.replace(out, profile);
      } catch (error) {
        // Without its profile nobody could ever use it.
        await store.removeHome(name);
        throw new Failure(`--out: ${(error as Error).message}`);
      }
    });

  command(
    'doctor',
    'say what keeps this server from serving homes; exit status 1 when something does',
  )
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .option('--json', 'as the status has it')
    .action(async (options: { stateDir: string; runDir: string; json?: boolean }) => {
      requireRoot(system, 'iotshaper endpoint doctor');
      await makeRunDir(system, options.runDir);
      const identity = await new EndpointStore(system, options.stateDir).identity();
      await printFaults(context, identity, options);
    });

  command('list', 'list the homes').action(async ({ stateDir }: { stateDir: string }) => {
    const store = new EndpointStore(system, stateDir);
    const { tunnelNet } = await store.identity();
    for (const { name, host, fingerprint, controlKey } of await store.homes()) {
      const fault =
        controlKey === ''
          ? '\tcan not be served: of an older version; run remove-home and add-home, then upload the new profile'
          : '';
      console.write(`${name}\t${tunnelNet}.${host}\t${fingerprint}${fault}\n`);
    }
  });

  command('remove-home', 'remove a home; its profile is worth nothing from then on')
    .argument('<name>')
    .action(async (name: string, { stateDir }: { stateDir: string }) => {
      await new EndpointStore(system, stateDir).removeHome(name);
    });

  command('run', 'serve the homes in the foreground')
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .action(async ({ stateDir, runDir }: { stateDir: string; runDir: string }) => {
      requireRoot(system, 'iotshaper endpoint run');
      await requireKernel(system);
      await makeRunDir(system, runDir);
      const store = new EndpointStore(system, stateDir);
      const log = consoleLog(system, console);
      const identity = await store.identity();
      const service = new EndpointService(
        {
          ...{ system, store, runDir, log },
          examine: (inject) => examine({ system, identity, runDir, inject }),
        },
        identity,
      );
      await runUntilSignal(context, service, () => {});
    });
}
