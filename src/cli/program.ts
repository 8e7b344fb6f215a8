// The command line: which commands there are, and how their failures are told.
import { Command, CommanderError } from 'commander';
import type { CounterSample } from '../simulation/recommend.ts';
import { version } from '../version.ts';
import { registerAttackActivity } from './attack-activity.ts';
import { registerAttackIdentify } from './attack-identify.ts';
import { registerAudit } from './audit.ts';
import { registerCheck } from './check.ts';
import { registerCost } from './cost.ts';
import { registerEndpoint } from './endpoint.ts';
import { registerLab } from './lab.ts';
import { registerPrint } from './print.ts';
import { registerRecommend } from './recommend.ts';
import { registerRun } from './run.ts';
import { registerSimulate } from './simulate.ts';
import { ask, registerStatus } from './status.ts';

/** Builds the program with every command. */
export function buildProgram(): Command {
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
  registerEndpoint(program);
  registerCost(program);
  registerSimulate(program);
  registerRecommend(program, async (runDir) => (await ask(runDir, 'counters')) as CounterSample[]);
  registerAudit(program);
  const attack = program
    .command('attack')
    .description('what an observer makes of a capture: which devices, and what they did');
  registerAttackIdentify(attack);
  registerAttackActivity(attack);
  registerLab(program);
  return program;
}

/** Runs one command line; sets the exit status, never throws, never shows a stack trace. */
export async function runCli(argv: readonly string[]): Promise<void> {
  const program = buildProgram();
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0); // the reader, `head` say, has seen enough
  });
  try {
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
