// How a command ends when something is wrong: one or more lines a person understands, and an exit status.
import type { System } from '../system/system.ts';
import type { Context } from './context.ts';

/** Ends a command with its message on standard error and this exit status. */
export class Failure extends Error {
  override name = 'Failure';
  readonly status: number;

  constructor(message: string, status = 1) {
    super(message);
    this.status = status;
  }
}

/** Exit status of a command line that is wrong; 1 is a finding, or what could not be done. */
export const USAGE_STATUS = 2;

/** Refuses options that are wrong together, or for a reason that commander does not know. */
export function usageFailure(message: string): Failure {
  return new Failure(message, USAGE_STATUS);
}

/** Refuses the value of an option or argument; the message completes commander's sentence, "'x' is invalid." */
export class InvalidValue extends Error {
  /** By which commander knows it, so that commands need no commander of their own. */
  readonly code = 'commander.invalidArgument';
  readonly exitCode = 1;
}

/** @throws {Failure} where this process may not change interfaces and rules */
export function requireRoot({ processes }: Pick<System, 'processes'>, what: string): void {
  if (processes.uid !== 0) throw new Failure(`${what} has to run as root`);
}

/** Does the work of one command line; failures become words and the exit status, never a stack trace. */
export async function tellFailures(context: Context, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    context.console.setExitStatus(tell(context, error));
  }
}

/** Says what went wrong; the exit status it stands for. */
function tell({ system, console }: Context, error: unknown): number {
  const fault = error instanceof Error ? error : new Error(String(error));
  if (isDenied(fault)) {
    console.writeError(`iotshaper: ${sentenceOf(fault)}; run it as root\n`);
    return 1;
  }
  const isDebugged = system.processes.environment('IOTSHAPER_DEBUG');
  console.writeError(isDebugged ? `${fault.stack}\n` : `iotshaper: ${sentenceOf(fault)}\n`);
  // By its name: a command in a file of its own has its own Failure.
  return fault.name === 'Failure' ? (fault as Failure).status : 1;
}

function isDenied({ code }: Error & { code?: unknown }): boolean {
  return code === 'EACCES' || code === 'EPERM';
}

/** What went wrong, and with which file: Node.js says "ENOENT: no such file or directory, open 'FILE'". */
function sentenceOf({ message }: Error): string {
  const [, why, path] = /^E[A-Z]+: (.+?), \w+ '(.+)'$/.exec(message) ?? [];
  return why === undefined ? message : `${path}: ${why}`;
}

/** Whether a part of the program that another package brings was looked for in vain; bundles ask for it by `require`. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}
