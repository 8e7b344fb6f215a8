// Processes of the stand-in machine: commands that end at once, and children that go on until something ends them.
import { CommandError, type CommandOptions } from '../../../src/shell/system/command.ts';
import type {
  Child,
  ChildEnd,
  ChildEvents,
  Processes,
  Signal,
} from '../../../src/shell/system/system.ts';
import { commandRefusal, type Door } from './door.ts';
import type { KernelFolder } from './files-model.ts';
import type { Ended } from './ip-command.ts';
import { NotUnderstood } from './nft-text.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A child as the model of its program sees it. */
export interface Life {
  readonly argv: readonly string[];
  print(content: string | Uint8Array): void;
  printError(text: string): void;
  /** Ends it. */
  exit(status: number): void;
}

/** What a program does while it runs. */
export interface Program {
  onInput?(text: string): void;
  /** In its place, for one that reads bytes. */
  onBytes?(bytes: Uint8Array): void;
  onInputEnd?(): void;
  /** Takes TERM or INT in its own way; without, the signal ends it. */
  onTerm?(): void;
  /** It has ended, whatever ended it: the kernel closes what it held. */
  onEnd?(): void;
}

/** Starts a program's model; null where this is none of its command lines. */
export type ProgramStart = (argv: readonly string[], life: Life) => Program | null;

/** Runs a command; null where this is none of its command lines. */
export type CommandRun = (argv: readonly string[], input: string) => Ended | null;

interface Running {
  pid: number;
  argv: readonly string[];
  program: Program;
  /** Whatever it is asked, it goes on until it is killed. */
  ignoresTerm: boolean;
  end: (end: ChildEnd) => void;
}

const TIMEOUT_MS = 30_000;
const OWN_PID = 1000;

/** The process table. */
export class ProcessTable {
  readonly running = new Map<number, Running>();
  readonly commands: CommandRun[] = [];
  readonly programs: ProgramStart[] = [];
  /** Commands that this machine has not. */
  readonly missing = new Set<string>();
  /** What the models did not understand, for the test to fail with. */
  readonly notUnderstood: string[] = [];
  readonly environment = new Map<string, string>();
  uid = 0;
  readonly #door: Door;
  readonly #time: VirtualTime;
  #lastPid = OWN_PID;

  constructor(door: Door, time: VirtualTime) {
    this.#door = door;
    this.#time = time;
  }

  /** The door's view, where children are told to `onChild`. */
  view(onChild: (child: Child) => void = () => {}): Processes {
    return {
      pid: OWN_PID,
      uid: this.uid,
      program: ['nice', '-n', '0', 'iotshaper'],
      environment: (name) => this.environment.get(name),
      run: (argv, options) => this.#run(argv, options),
      spawn: (argv, events) => {
        const child = this.#spawn(argv, events);
        onChild(child);
        return child;
      },
      signal: (pid, name) => this.signal(pid, name),
      raisePriority: () => {},
    };
  }

  signal(pid: number, name: Signal): boolean {
    const process = this.running.get(pid);
    if (!process) return false;
    if (name === 'SIGKILL') process.end({ status: null, signal: name, failure: null });
    else if (name !== 0 && !process.ignoresTerm) {
      if (process.program.onTerm) process.program.onTerm();
      else process.end({ status: null, signal: name, failure: null });
    }
    return true;
  }

  /** Processes whose arguments hold this word. */
  find(word: string): Running[] {
    return [...this.running.values()].filter(({ argv }) => argv.includes(word));
  }

  /** Starts a process that is nobody's child here, as one that a killed service left behind. */
  leave(argv: readonly string[]): void {
    this.#begin(argv, { onExit: () => {} });
  }

  /** /proc, as far as processes are in it. */
  get folder(): KernelFolder {
    return {
      read: (path) => {
        const [pid, name] = path.split('/');
        const process = this.running.get(Number(pid));
        return process && name === 'cmdline' ? `${process.argv.join('\0')}\0` : null;
      },
      list: (path) => {
        if (path === '') return ['self', ...[...this.running.keys()].map(String)];
        return this.running.has(Number(path)) || path === 'self' ? ['cmdline', 'ns'] : null;
      },
      link: (path) => (/^(self|\d+)\/ns\/net$/.test(path) ? 'net:[4026531840]' : null),
    };
  }

  print(): string {
    return [...this.running.values()]
      .map(({ argv }) => argv.join(' '))
      .sort()
      .join('\n');
  }

  #run(
    argv: readonly string[],
    options: CommandOptions = {},
  ): Promise<{ stdout: string; stderr: string }> {
    const input = options.input ?? '';
    const what = `run ${argv.join(' ')}${describeInput(input)}`;
    const limitMs = options.timeoutMs ?? TIMEOUT_MS;
    return this.#door.pass(
      what,
      () => {
        if (this.missing.has(argv[0]!)) {
          throw new CommandError(argv, null, `spawn ${argv[0]} ENOENT`);
        }
        const { status, stdout, stderr } = this.#answer(argv, input);
        if (status !== 0) throw new CommandError(argv, status, stderr);
        return { stdout, stderr };
      },
      () => commandRefusal(argv),
      limitMs,
    );
  }

  #answer(argv: readonly string[], input: string): Ended {
    try {
      for (const command of this.commands) {
        const ended = command(argv, input);
        if (ended) return ended;
      }
      throw new NotUnderstood(argv.join(' '));
    } catch (error) {
      if (error instanceof NotUnderstood) this.notUnderstood.push(error.message);
      throw error;
    }
  }

  #spawn(argv: readonly string[], events: ChildEvents): Child {
    const failed = this.#door.enter(`spawn ${argv.join(' ')}`);
    const isMissing = this.missing.has(argv[0]!);
    if (!failed && !isMissing) return this.#begin(argv, events);
    const failure = isMissing ? `spawn ${argv[0]} ENOENT` : 'planted fault';
    this.#time.timers.soon(() => events.onExit({ status: null, signal: null, failure }));
    return { pid: undefined, write: () => {}, endInput: () => {}, kill: () => {} };
  }

  #begin(argv: readonly string[], events: ChildEvents): Child {
    const { soon } = this.#time.timers;
    const pid = ++this.#lastPid;
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    let process: Running | null = null;
    const end = (how: ChildEnd): void => {
      // One that ends before it has begun to run.
      if (process === null) soon(() => end(how));
      if (process === null || !this.running.delete(pid)) return;
      process.program.onEnd?.();
      soon(() => events.onExit(how));
    };
    const life: Life = {
      argv,
      print: (content) =>
        soon(() => events.onOutput?.(typeof content === 'string' ? encode(content) : content)),
      printError: (text) => soon(() => events.onErrorOutput?.(encode(text))),
      exit: (status) => end({ status, signal: null, failure: null }),
    };
    let program: Program | null = null;
    for (const start of this.programs) program ??= start(argv, life);
    if (!program) {
      this.notUnderstood.push(`spawn ${argv.join(' ')}`);
      program = {};
    }
    process = { pid, argv, program, ignoresTerm: false, end };
    this.running.set(pid, process);
    const known = program;
    return {
      pid,
      write: (content) =>
        soon(() => {
          if (!this.running.has(pid)) return;
          if (typeof content === 'string') known.onInput?.(content);
          else known.onBytes?.(content);
        }),
      endInput: () => soon(() => this.running.has(pid) && known.onInputEnd?.()),
      kill: (name) => void this.signal(pid, name),
    };
  }
}

/** The first line of what a command reads, and how much more there is. */
function describeInput(input: string): string {
  if (input === '') return '';
  const lines = input.trimEnd().split('\n');
  const more = lines.length > 1 ? ` and ${lines.length - 1} lines more` : '';
  return ` < ${lines[0]}${more}`;
}
