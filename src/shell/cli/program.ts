// The command line: which commands there are, and how their failures are told.
import { Command, CommanderError } from 'commander';
import type { CounterSample } from '../../core/simulation/recommend.ts';
import { version } from '../../version.ts';
import { registerCheck } from './check.ts';
import { registerCost } from './cost.ts';
import { Failure } from './failure.ts';
import { registerPrint } from './print.ts';
import { registerRun } from './run.ts';
import { ask, registerStatus } from './status.ts';

/** Commands in a file of their own beside the program, which is read when one of them is called. */
interface Companion {
  commands: readonly string[];
  /** Completes "COMMAND …" where the file is not there. */
  absent: string;
  add(program: Command): Promise<void>;
}

const companions: readonly Companion[] = [
  {
    commands: ['endpoint'],
    absent: 'is for a server: install the package iot-shaper-endpoint there',
    add: async (program) => (await import('./endpoint.ts')).registerEndpoint(program),
  },
  {
    commands: ['audit', 'recommend'],
    absent: 'needs iotshaper-tools.js beside the program: install the package again',
    add: async (program) =>
      (await import('./tools/tools.ts')).registerTools(
        program,
        async (runDir) => (await ask(runDir, 'counters')) as CounterSample[],
      ),
  },
  {
    commands: ['attack', 'simulate', 'lab'],
    absent:
      'is for research and not installed here: install the package iot-shaper-research (from "make research"), or run it in the source tree',
    add: async (program) =>
      (await import('../../research/cli/research.ts')).registerResearch(program),
  },
];

/**
 * Builds the program.
 * @param word the first on the command line; where it is a command of the service, nothing else is read
 * @throws {Failure} where `word` is a command whose file is not there
 */
export async function buildProgram(word?: string): Promise<Command> {
  const program = new Command('iotshaper');
  program
    .description("Makes a smart home's encrypted traffic tell its Internet provider nothing.")
    .version(version)
    .showHelpAfterError('(iotshaper --help lists the commands)')
    // Before any command is added: each takes it over.
    .exitOverride();
  registerRun(program);
  registerStatus(program);
  registerCheck(program);
  registerPrint(program);
  registerCost(program);
  const isKnown = () => program.commands.some((command) => command.name() === word);
  for (const { commands, absent, add } of companions) {
    if (isKnown() || word === '--version' || word === '-V') break;
    try {
      await add(program);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
      if (word !== undefined && commands.includes(word)) throw new Failure(`${word} ${absent}`);
    }
  }
  return program;
}

/** Runs one command line; sets the exit status, never throws, never shows a stack trace. */
export async function runCli(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0); // the reader, `head` say, has seen enough
  });
  try {
    const program = await buildProgram(argv[2]);
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = tell(error);
  }
}

function tell(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode; // commander has said it
  if (process.env.IOTSHAPER_DEBUG) console.error(error);
  else
    process.stderr.write(`iotshaper: ${error instanceof Error ? error.message : String(error)}\n`);
  const status = (error as { status?: unknown } | null)?.status;
  return error instanceof Error && error.name === 'Failure' && typeof status === 'number'
    ? status
    : 1;
}
