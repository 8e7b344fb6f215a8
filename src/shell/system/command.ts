// One external command, as an argument vector and never through a shell.
import { notice } from '../../core/notices/notice.ts';
import { NoticeError } from '../../core/notices/notice-error.ts';
import type { System } from './system.ts';

/** A command that could not be started or ended with a status other than 0. */
export class CommandError extends NoticeError {
  /** By its name: each bundle has its own class, and the door may be another bundle's. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'CommandError';
  }

  override name = 'CommandError';
  readonly argv: readonly string[];
  readonly stderr: string;
  /** Exit status, or null when a signal ended it or it never started. */
  readonly status: number | null;

  constructor(argv: readonly string[], status: number | null, stderr: string) {
    const said = stderr.trim();
    const command = argv.join(' ');
    super(
      said === ''
        ? notice('command-exit-status', { command, status: `${status}` })
        : notice('command-failed', { command, error: said }),
    );
    this.argv = argv;
    this.status = status;
    this.stderr = stderr;
  }
}

export interface CommandOptions {
  /** Text for standard input. */
  input?: string;
  /** Network namespace to run in (`ip netns exec`). */
  netns?: string;
  /** Ends the command with SIGKILL after so long. */
  timeoutMs?: number;
  /** Environment, in place of this process's own. */
  env?: Readonly<Record<string, string | undefined>>;
}

export interface CommandResult {
  stdout: string;
  stderr: string;
}

/** Runs `argv` and tells whether it succeeded, for questions whose "no" is no fault. */
export async function succeeds(
  system: Pick<System, 'processes'>,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<boolean> {
  try {
    await system.processes.run(argv, options);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}
