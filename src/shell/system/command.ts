// Runs one external command as an argument vector, never through a shell.
import { spawn } from 'node:child_process';

/** A command that could not be started or ended with a status other than 0. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly argv: readonly string[];
  readonly stderr: string;
  /** Exit status, or null when a signal ended it or it never started. */
  readonly status: number | null;

  constructor(argv: readonly string[], status: number | null, stderr: string) {
    const said = stderr.trim();
    super(`${argv.join(' ')}: ${said === '' ? `exit status ${status}` : said}`);
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
  env?: NodeJS.ProcessEnv;
}

export interface CommandResult {
  stdout: string;
  stderr: string;
}

/**
 * Runs `argv` and resolves with what it printed.
 *
 * @throws {CommandError} quoting the command and its standard error, when it can't be started, ends with another status
 * than 0, or runs out of time.
 */
export function run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const full = options.netns ? ['ip', 'netns', 'exec', options.netns, ...argv] : [...argv];
  return new Promise((resolve, reject) => {
    const child = spawn(full[0]!, full.slice(1), {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: options.env ?? systemEnvironment(),
    });
    // spawn's own limit would go on, and hold the process, where the command could not be started.
    const limit = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 30_000);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', () => {}); // the command may end before it has read everything; its status tells
    child.on('error', (error) => {
      clearTimeout(limit);
      reject(new CommandError(full, null, error.message));
    });
    child.on('close', (status, signal) => {
      clearTimeout(limit);
      if (status === 0) resolve({ stdout, stderr });
      else
        reject(new CommandError(full, status, signal ? `${stderr} (ended by ${signal})` : stderr));
    });
    child.stdin.end(options.input ?? '');
  });
}

/**
 * This process's environment, where system commands are found before anything else of the same name: npm puts
 * `node_modules/.bin` first, and a package's `nft` there is not nftables.
 */
export function systemEnvironment(): NodeJS.ProcessEnv {
  const system = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const others = (process.env.PATH ?? '').split(':').filter((folder) => !system.includes(folder));
  return { ...process.env, PATH: [...system, ...others].join(':') };
}

/** Runs `argv` and tells whether it succeeded, for questions whose "no" is no fault. */
export async function succeeds(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<boolean> {
  try {
    await run(argv, options);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}
