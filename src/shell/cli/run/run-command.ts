// `iotshaper run` as the command line knows it, for its help and for what is wrong with its options.
import type { Command } from 'commander';
import { platformOf } from '../../system/platform.ts';
import type { Context } from '../context.ts';
import { defaultHomeDir, defaultRunDir } from '../paths.ts';
import type { RunOptions } from './run-options.ts';

export function registerRun(program: Command, context: Context): void {
  const { configPath, ubusSocket } = platformOf(context.system);
  program
    .command('run')
    .description('run the service of a home in the foreground')
    .option('--config <file>', 'UCI configuration', configPath)
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .option('--state-dir <dir>', 'where the last good configuration is kept', defaultHomeDir)
    .option(
      '--ubus <socket>',
      "ubusd's socket; the service does without where there is none",
      ubusSocket,
    )
    .action(async (options: RunOptions) =>
      (await import('../home.ts')).runService(context, options),
    );
}
