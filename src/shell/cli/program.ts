// The command line: which commands there are, and how their failures are told.
import { Command, CommanderError } from 'commander';
import type { CounterSample } from '../../core/simulation/recommend.ts';
import { version } from '../../version.ts';
import { registerCheck } from './check.ts';
import type { Context } from './context.ts';
import { registerCost } from './cost.ts';
import { registerDoctor } from './doctor.ts';
import { Failure, isAbsent, USAGE_STATUS } from './failure.ts';
import { registerPrint } from './print.ts';
import { registerRun } from './run/run-command.ts';
import { ask, registerStatus } from './status.ts';

/** Commands in a file of their own beside the program, which is read when one of them is called. */
interface Companion {
  commands: readonly string[];
  /** Completes "COMMAND …" where the file is not there. */
  absent: string;
  add(program: Command, context: Context): Promise<void>;
}

const companions: readonly Companion[] = [
  {
    commands: [
      'set',
      'get',
      'show',
      'add',
      'delete',
      'on',
      'off',
      'tunnel',
      'password',
      'page',
      'call',
    ],
    absent:
      'is for a home on Debian; on OpenWrt use LuCI, or "uci set iotshaper.rate=40" and "service iotshaper reload"',
    add: async (program, context) =>
      (await import('./debian/debian.ts')).registerDebian(program, context),
  },
  {
    commands: ['endpoint'],
    absent: 'is for a server: install the package iot-shaper-endpoint there',
    add: async (program, context) =>
      (await import('./endpoint.ts')).registerEndpoint(program, context),
  },
  {
    commands: ['audit', 'recommend'],
    absent: 'needs iotshaper-tools.js beside the program: install the package again',
    add: async (program, context) =>
      (await import('./tools/tools.ts')).registerTools(
        program,
        context,
        async (runDir) => (await ask(context.system, runDir, 'counters')) as CounterSample[],
      ),
  },
  {
    commands: ['attack', 'simulate', 'lab'],
    absent:
      'is for research and not installed here: install the package iot-shaper-research (from "make research"), or run it in the source tree',
    add: async (program, context) =>
      (await import('../../research/cli/research.ts')).registerResearch(program, context),
  },
];

/**
 * Builds the program.
 * @param word the first on the command line; where it is a command of the service, nothing else is read
 * @throws {Failure} where `word` is a command whose file is not there
 */
export async function buildProgram(context: Context, word?: string): Promise<Command> {
  const { console } = context;
  const program = new Command('iotshaper');
  program
    .description("Makes a smart home's encrypted traffic tell its Internet provider nothing.")
    .version(version)
    .showHelpAfterError('(iotshaper --help lists the commands)')
    // Before any command is added: each takes these over.
    .configureOutput({
      writeOut: (text) => console.write(text),
      writeErr: (text) => console.writeError(text),
    })
    .exitOverride();
  registerRun(program, context);
  registerStatus(program, context);
  registerCheck(program, context);
  registerDoctor(program, context);
  registerPrint(program, context);
  registerCost(program, context);
  const isKnown = () => program.commands.some((command) => command.name() === word);
  for (const { commands, absent, add } of companions) {
    if (isKnown() || word === '--version' || word === '-V') break;
    try {
      await add(program, context);
    } catch (error) {
      if (!isAbsent(error)) throw error;
      if (word !== undefined && commands.includes(word)) throw new Failure(`${word} ${absent}`);
    }
  }
  return program;
}

/** Runs the console's command line. What commander has said itself becomes the exit status, all else is thrown. */
export async function runCli(context: Context): Promise<void> {
  const { words } = context.console;
  try {
    const program = await buildProgram(context, words[0]);
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    context.console.setExitStatus(error.exitCode === 0 ? 0 : USAGE_STATUS);
  }
}
