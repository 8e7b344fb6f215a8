// Commands, children and signals of a machine on which QuickJS runs.
import * as machine from 'quickjs:machine';
import * as os from 'quickjs:os';
import * as std from 'quickjs:std';
import { CommandError, type CommandOptions, type CommandResult } from '../command.ts';
import type { Child, ChildEvents, Processes, Signal } from '../system.ts';
import { Stream } from './connections.ts';
import { systemError } from './errors.ts';
import { loop } from './loop.ts';

const TIMEOUT_MS = 30_000;
/** What `reap` adds to a signal's number. */
const SIGNALLED = 256;

const numbers = {
  SIGTERM: machine.SIGTERM,
  SIGKILL: machine.SIGKILL,
  SIGINT: machine.SIGINT,
} as const;
const names = new Map<number, string>(
  Object.entries({ ...numbers, SIGHUP: machine.SIGHUP, SIGUSR2: machine.SIGUSR2 }).map(
    ([name, number]) => [number, name],
  ),
);

function run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const full = options.netns ? ['ip', 'netns', 'exec', options.netns, ...argv] : [...argv];
  return new Promise((resolve, reject) => {
    const output = { stdout: new Pieces(), stderr: new Pieces() };
    const child = start(
      full,
      {
        onOutput: (piece) => output.stdout.push(piece),
        onErrorOutput: (piece) => output.stderr.push(piece),
        onExit: ({ status, signal, failure }) => {
          cancel();
          const stdout = output.stdout.text();
          const stderr = output.stderr.text();
          if (failure !== null) reject(new CommandError(full, null, failure));
          else if (status === 0) resolve({ stdout, stderr });
          else {
            const said = signal ? `${stderr} (ended by ${signal})` : stderr;
            reject(new CommandError(full, status, said));
          }
        },
      },
      options.env,
    );
    const cancel = loop.timers.after(options.timeoutMs ?? TIMEOUT_MS, () => child.kill('SIGKILL'));
    child.write(options.input ?? '');
    child.endInput();
  });
}

/** What was printed, as text once it is whole: a character may stand in two pieces. */
class Pieces {
  readonly #pieces: Uint8Array[] = [];

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
  }

  text(): string {
    const whole = new Uint8Array(this.#pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return machine.decode(whole);
  }
}

/** System commands are found before anything else of the same name. */
function preferSystem(): void {
  const system = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const others = (std.getenv('PATH') ?? '')
    .split(':')
    .filter((folder) => folder !== '' && !system.includes(folder));
  std.setenv('PATH', [...system, ...others].join(':'));
}

preferSystem();

function start(
  argv: readonly string[],
  events: ChildEvents,
  environment: Readonly<Record<string, string | undefined>> = std.getenviron(),
): Child {
  const pairs = Object.entries(environment).filter(([, value]) => value !== undefined);
  const made = machine.spawn(
    argv,
    pairs.map(([name, value]) => `${name}=${value}`),
  );
  if (typeof made === 'number') {
    const failure = `spawn ${argv[0]} ${systemError(made, '').code}`;
    loop.soon(() => events.onExit({ status: null, signal: null, failure }));
    return { pid: undefined, write: () => {}, endInput: () => {}, kill: () => {} };
  }
  const [pid, ending, ...ends] = made;
  const [input, output, errorOutput] = ends.map((fd) => new Stream(fd)) as [Stream, Stream, Stream];
  let open = 3;
  let result = 0;
  const close = (): void => {
    if (--open > 0) return;
    const isSignalled = result >= SIGNALLED;
    const signal = names.get(result - SIGNALLED) ?? `signal ${result - SIGNALLED}`;
    events.onExit({
      status: isSignalled ? null : result,
      signal: isSignalled ? signal : null,
      failure: null,
    });
  };
  output.onData((piece) => events.onOutput?.(piece));
  errorOutput.onData((piece) => events.onErrorOutput?.(piece));
  output.onClose(close);
  errorOutput.onClose(close);
  let isOver = false;
  loop.onReadable(ending, () => {
    result = machine.reap(pid);
    isOver = true;
    loop.forget(ending);
    os.close(ending);
    input.close();
    close();
  });
  return {
    pid,
    write: (content) => input.write(content),
    endInput: () => input.end(),
    kill: (name) => {
      if (!isOver) os.kill(pid, numbers[name]);
    },
  };
}

function signal(pid: number, name: Signal): boolean {
  return os.kill(pid, name === 0 ? 0 : numbers[name]) >= 0;
}

export const quickjsProcesses: Processes = {
  pid: os.getpid(),
  uid: machine.user(),
  program: [os.readlink('/proc/self/exe')[0], scriptArgs[0] ?? ''],
  environment: (name) => std.getenv(name),
  run,
  spawn: start,
  signal,
  raisePriority: (nice) => void machine.priority(nice), // refused without CAP_SYS_NICE
};
