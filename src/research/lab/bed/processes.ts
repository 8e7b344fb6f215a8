// Long-running processes of the lab: started in a namespace, pinned to a core, logged, ended for certain.
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { systemEnvironment } from '../../../shell/system/node/processes.ts';
import { LabError } from '../error.ts';

/**
 * Which core a process belongs to where the machine has two: the shaping ends keep one to themselves, so that a busy
 * emulator does not disturb their timing as no real home would.
 */
export type Core = 'shaping' | 'emulation';

export interface ProcessOptions {
  argv: readonly string[];
  netns: string;
  core: Core;
  /** File that gets both its outputs. */
  logPath: string;
  /** Given on standard input, which then stays open: its end tells a lab process to finish. */
  input?: string;
}

/** How long a process may take to end after SIGTERM. */
const termMs = 12_000;

/** A running process. */
export class LabProcess {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** Resolves when it has ended, with what a user should know. */
  readonly ended: Promise<string>;
  #isEnded = false;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, { argv, logPath }: ProcessOptions) {
    this.#child = child;
    this.name =
      basename(argv[0]!) === basename(process.execPath) ? argv.slice(1, 4).join(' ') : argv[0]!;
    this.pid = child.pid ?? 0;
    this.logPath = logPath;
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#isEnded = true;
        resolve(`${argv.join(' ')}: ${how}; its log is ${logPath}`);
      };
      child.on('error', (error) => end(error.message));
      child.on('exit', (status, signal) =>
        end(signal ? `ended by ${signal}` : `exit status ${status}`),
      );
    });
    child.stdin?.on('error', () => {}); // it may have ended; `ended` tells
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Closes its standard input, on which lab processes write their logs and end by themselves. */
  async finish(): Promise<void> {
    this.#child.stdin?.end();
    await Promise.race([this.ended, wait(termMs)]);
    await this.stop();
  }

  /** Ends it: SIGTERM, and SIGKILL if that is not heeded. */
  async stop(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (this.#isEnded) return;
      this.#child.kill(signal);
      await Promise.race([this.ended, wait(termMs)]);
    }
  }
}

/** Waits without keeping this process alive. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** Starts a process; whoever calls it has to stop it. */
export async function startProcess(options: ProcessOptions): Promise<LabProcess> {
  const log = await open(options.logPath, 'a', 0o600);
  try {
    const argv = ['ip', 'netns', 'exec', options.netns, ...pinned(options.core), ...options.argv];
    const child = spawn(argv[0]!, argv.slice(1), {
      stdio: ['pipe', log.fd, log.fd],
      // Its own process group: an interrupt on the terminal reaches the lab alone, which ends the others in order.
      detached: true,
      env: systemEnvironment(),
    });
    if (options.input !== undefined) child.stdin?.write(options.input);
    return new LabProcess(child, options);
  } finally {
    await log.close();
  }
}

/** The program itself with other arguments, for what the lab runs in its namespaces. */
export function ownArgv(...args: string[]): string[] {
  const program = process.argv[1];
  if (program === undefined)
    throw new LabError('cannot find the program to start again: no path in argv');
  return [process.execPath, program, ...args];
}

function pinned(core: Core): string[] {
  if (availableParallelism() < 2) return [];
  return ['taskset', '-c', core === 'shaping' ? '0' : '1'];
}
