// One long-lived tc that reads command after command, replaced by another one now and then: it never gives back what they took.
import { type Notice, notice } from '../../core/notices/notice.ts';
import { lineReader } from '../system/lines.ts';
import type { Cancel, Child, System } from '../system/system.ts';

/** What the one that is to end still has to do takes it milliseconds; then it is ended. */
const ENDS_WITHIN_MS = 1000;
/** One that ends by itself is started again, but not over and over. */
const GOOD_RUN_MS = 1000;

const ARGV = ['tc', '-s', '-force', '-batch', '-'];

export interface TcBatchOptions {
  system: Pick<System, 'clock' | 'processes' | 'timers'>;
  /** Called with each line that is printed. */
  onLine: (line: string) => void;
  /** One has ended before its time, and another one has taken its place: what it was still to do is lost. */
  onLost: () => void;
  /** tc can't be run. */
  onFault: (fault: Notice) => void;
  /** Commands that one is given before another takes its place. */
  commandsEach: () => number;
}

/** Running from {@link TcBatch.restart} to {@link TcBatch.stop}. */
export class TcBatch {
  readonly #options: TcBatchOptions;
  #child: Child | null = null;
  #commands = 0;
  /** The one before, which does what it was told before the next one says anything. */
  #ending: Child | null = null;
  #held = '';
  #cancelKill: Cancel = () => {};

  constructor(options: TcBatchOptions) {
    this.#options = options;
  }

  /** Starts another one at once: tc remembers a netdev's index by its name, so one made again needs a new tc. */
  restart(): void {
    this.stop();
    this.#child = this.#spawn();
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** Has commands done, in the order they are given, each ended by a line's end. */
  write(text: string): void {
    if (!this.#child) return;
    if (this.#ending) this.#held += text;
    else this.#child.write(text);
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#commands++;
    if (!this.#ending && this.#commands >= this.#options.commandsEach()) this.#replace(this.#child);
  }

  stop(): void {
    this.#cancelKill();
    this.#ending?.kill('SIGKILL');
    this.#child?.endInput();
    this.#ending = null;
    this.#child = null;
    this.#held = '';
  }

  /** The next one stands ready before the old one ends; meanwhile classes keep the rates they have. */
  #replace(old: Child): void {
    this.#child = this.#spawn();
    this.#ending = old;
    old.endInput();
    this.#cancelKill = this.#options.system.timers.after(ENDS_WITHIN_MS, () => old.kill('SIGKILL'));
  }

  #spawn(): Child {
    const { system, onLine } = this.#options;
    const startedMs = system.clock.monotonicMs();
    this.#commands = 0;
    const isOurs = (): boolean => child === this.#child || child === this.#ending;
    const child: Child = system.processes.spawn(ARGV, {
      onOutput: lineReader((line) => {
        if (isOurs()) onLine(line);
      }),
      onExit: ({ failure, signal }) => {
        if (child === this.#ending) this.#goOn(signal !== null);
        else if (child === this.#child) this.#lose(failure, startedMs);
      },
    });
    return child;
  }

  #lose(failure: string | null, startedMs: number): void {
    const { system, onFault, onLost } = this.#options;
    this.#child = null;
    if (failure !== null) onFault(notice('command-failed', { command: 'tc', error: failure }));
    if (failure !== null || system.clock.monotonicMs() - startedMs < GOOD_RUN_MS) return;
    this.#child = this.#spawn();
    onLost();
  }

  /** The old one has done all it was told, unless it took too long: then that is lost with what came after it. */
  #goOn(wasKilled: boolean): void {
    this.#cancelKill();
    this.#ending = null;
    if (wasKilled) {
      this.#held = '';
      this.#options.onLost();
    }
    const text = this.#held;
    this.#held = '';
    this.#child?.write(text);
  }
}
