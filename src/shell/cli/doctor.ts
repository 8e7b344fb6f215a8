// `iotshaper doctor`: what is wrong at home and what mends it, as status, check and the page say it; it looks at nothing else.
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Status } from '../../core/home/api.ts';
import type { Notice } from '../../core/notices/notice.ts';
import { askLocalApi, NotRunningError } from '../machine/local-api.ts';
import { platformOf } from '../system/platform.ts';
import type { System } from '../system/system.ts';
import { judgeConfig } from './check.ts';
import type { Context } from './context.ts';
import { Failure } from './failure.ts';
import { defaultHomeDir, defaultRunDir } from './paths.ts';

interface DoctorOptions {
  config: string;
  runDir: string;
  stateDir: string;
  ubus: string;
  json?: boolean;
}

/** What a person is told, and how things stand besides. */
interface Examined {
  findings: Notice[];
  /** '' where no service says how things stand. */
  sentence: string;
}

export function registerDoctor(program: Command, { system, console }: Context): void {
  const { configPath, ubusSocket } = platformOf(system);
  program
    .command('doctor')
    .description('say what is wrong at home and what mends it; exit status 1 when something is')
    .option('--config <file>', 'UCI configuration', configPath)
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .option('--state-dir <dir>', 'what the service keeps', defaultHomeDir)
    .option('--ubus <socket>', "ubusd's socket, where there is one", ubusSocket)
    .option('--json', 'with the code and the values of each finding')
    .action(async (options: DoctorOptions) => {
      const { printFindings } = await import('./home.ts');
      const { findings, sentence } =
        (await askService(system, options.runDir)) ?? (await lookHere(system, options));
      const nothing = ['Nothing found.', sentence].join(' ').trim();
      printFindings(console, findings, { json: options.json, nothing });
    });
}

/** As the running service says; null where none runs. */
async function askService(system: System, runDir: string): Promise<Examined | null> {
  let status: Status;
  try {
    status = (await askLocalApi(system, join(runDir, 'api.sock'), { method: 'status' })) as Status;
  } catch (error) {
    if (error instanceof NotRunningError) return null;
    throw error;
  }
  if (status.role !== 'home')
    throw new Failure('this machine is an endpoint; run "iotshaper endpoint doctor"');
  const { findingsOf } = await import('./home.ts');
  return { findings: findingsOf(status), sentence: status.reason };
}

/** What can be told without a service: the configuration, and the networks it names. */
async function lookHere(
  system: System,
  { config: file, stateDir, ubus }: DoctorOptions,
): Promise<Examined> {
  const { findingsWithout, HouseReader, NETWORKS_FILE } = await import('./home.ts');
  const { good, verdict } = await judgeConfig(system, file, ubus);
  const reader = new HouseReader(system, join(stateDir, NETWORKS_FILE), false);
  const isEnabled = good?.config.main.enabled ?? false;
  const house = good && isEnabled ? await reader.read(good.config, null).catch(() => null) : null;
  return { findings: findingsWithout(verdict, house, isEnabled), sentence: '' };
}
