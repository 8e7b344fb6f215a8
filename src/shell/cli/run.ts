// `iotshaper run`: the home service in the foreground, until a signal ends it.
import type { Command } from 'commander';
import { configPath } from '../config/config-file.ts';
import { HomeService } from '../home/home-service.ts';
import { interfaceReader } from '../network/interfaces.ts';
import { consoleLog } from '../system/log.ts';
import { defaultSocketPath, UbusClient } from '../ubus/client.ts';
import { publishIotshaper } from '../ubus/iotshaper-object.ts';
import type { Context } from './context.ts';
import { requireRoot } from './failure.ts';
import { defaultHomeDir, defaultRunDir } from './paths.ts';
import { runUntilSignal, type Service } from './until-signal.ts';

interface RunOptions {
  config: string;
  runDir: string;
  stateDir: string;
  ubus: string;
}

export function registerRun(program: Command, context: Context): void {
  const { system, console } = context;
  program
    .command('run')
    .description('run the service of a home in the foreground')
    .option('--config <file>', 'UCI configuration', configPath)
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .option('--state-dir <dir>', 'where the last good configuration is kept', defaultHomeDir)
    .option(
      '--ubus <socket>',
      "ubusd's socket; the service does without where there is none",
      defaultSocketPath,
    )
    .action(async ({ config, runDir, stateDir, ubus }: RunOptions) => {
      requireRoot(system, 'iotshaper run');
      await system.files.makeFolder(runDir, 0o700);
      await system.files.makeFolder(stateDir, 0o700);
      const log = consoleLog(system, console);
      const readInterfaces = interfaceReader(system, ubus);
      const service = new HomeService({
        ...{ system, configPath: config, runDir, stateDir, log, readInterfaces },
      });
      // Whoever stops the service for a moment only (restart, upgrade, the router going down) says so first.
      console.onSignal('SIGUSR2', () => {
        service.staysShut = true;
      });
      const bus = new UbusClient(system, {
        socketPath: ubus,
        log: (text) => log('info', `ubus: ${text}`),
      });
      publishIotshaper(bus, service);
      const whole: Service = {
        get staysShut() {
          return service.staysShut;
        },
        set staysShut(stays) {
          service.staysShut = stays;
        },
        start: () => service.start(),
        stop: async () => {
          await service.stop();
          await bus.close();
        },
      };
      await runUntilSignal(context, whole, () => void service.reload());
    });
}
