// Commands, children and signals of a real machine.
import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { CommandError, type CommandOptions, type CommandResult } from '../command.ts';
import type { Child, ChildEvents, Processes, Signal } from '../system.ts';

const TIMEOUT_MS = 30_000;

/** See {@link Processes.run}. */
export function run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const full = options.netns ? ['ip', 'netns', 'exec', options.netns, ...argv] : [...argv];
  return new Promise((resolve, reject) => {
    const child = spawn(full[0]!, full.slice(1), {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: options.env ?? systemEnvironment(),
    });
    // spawn's own limit would go on, and hold the process, where the command could not be started.
    const limit = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? TIMEOUT_MS);
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

function start(argv: readonly string[], events: ChildEvents): Child {
  const child = spawn(argv[0]!, argv.slice(1), {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: systemEnvironment(),
  });
  let failure: string | null = null;
  child.on('error', (error) => {
    failure = error.message;
  });
  child.stdin.on('error', () => {}); // its exit tells
  listen(child.stdout, events.onOutput);
  listen(child.stderr, events.onErrorOutput);
  child.on('close', (status, signal) =>
    events.onExit(
      failure === null ? { status, signal, failure } : { status: null, signal: null, failure },
    ),
  );
  return {
    pid: child.pid,
    write: (content) => void child.stdin.write(content),
    endInput: () => void child.stdin.end(),
    kill: (signal) => void child.kill(signal),
  };
}

/** A stream nobody listens to is emptied all the same, or the child would wait. */
function listen(stream: NodeJS.ReadableStream, listener?: (piece: Uint8Array) => void): void {
  if (listener) stream.on('data', listener);
  else stream.resume();
}

function signal(pid: number, name: Signal): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function raisePriority(nice: number): void {
  try {
    setPriority(nice);
  } catch {
    // no CAP_SYS_NICE
  }
}

export const nodeProcesses: Processes = {
  pid: process.pid,
  uid: process.getuid?.() ?? 0,
  program: [process.execPath, process.argv[1] ?? ''],
  environment: (name) => process.env[name],
  run,
  spawn: start,
  signal,
  raisePriority,
};
