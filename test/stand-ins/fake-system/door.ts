// Counts every effect that goes through the door, and has the ones fail that a test names.
import { CommandError } from '../../../src/shell/system/command.ts';
import { SystemError } from '../../../src/shell/system/system.ts';
import type { VirtualTime } from './virtual-time.ts';

/**
 * How an effect fails: before anything has come of it; after all of it has, so that its caller is wrong about it; or never
 * answering until its time limit ends it (a command's; anything else fails as before).
 */
export type Failing = 'before' | 'after' | 'hangs';

/** One effect, in the order in which they went through. */
export interface Call {
  number: number;
  atMs: number;
  /** As `print` shows it: `run ip -4 rule show`. */
  what: string;
  /** How it was made to fail. */
  failed: Failing | null;
}

/** What is refused, in the door's own errors. */
export function refusal(what: string): SystemError {
  return new SystemError('EIO', `EIO: planted fault, ${what}`);
}

export function commandRefusal(argv: readonly string[]): CommandError {
  return new CommandError(argv, 1, 'planted fault');
}

/** All that goes through. */
export class Door {
  readonly calls: Call[] = [];
  readonly #time: VirtualTime;
  /** How long an effect takes. */
  latencyMs: (what: string) => number = () => 0;
  readonly #planned = new Map<number, Failing>();
  readonly #matching: { pattern: RegExp; failing: Failing; left: number }[] = [];

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** Has the call of this number, counted from 1, fail once. */
  failAt(number: number, failing: Failing = 'before'): void {
    this.#planned.set(number, failing);
  }

  /** Has the `n`-th call from now on fail once; 1 is the next one. */
  failNext(n = 1, failing: Failing = 'before'): void {
    this.failAt(this.calls.length + n, failing);
  }

  /** Has the next calls fail whose text the pattern finds, so often. */
  failMatching(pattern: RegExp, times = 1, failing: Failing = 'before'): void {
    this.#matching.push({ pattern, failing, left: times });
  }

  /** Ends all planned failing. */
  forgive(): void {
    this.#planned.clear();
    this.#matching.length = 0;
  }

  /** Counts an effect that is over in the same breath; how it is to fail, or null. */
  enter(what: string): Failing | null {
    const number = this.calls.length + 1;
    let failed = this.#planned.get(number) ?? null;
    this.#planned.delete(number);
    const match = this.#matching.find(({ pattern, left }) => left > 0 && pattern.test(what));
    if (!failed && match) {
      match.left--;
      failed = match.failing;
    }
    this.calls.push({ number, atMs: this.#time.nowMs, what, failed });
    return failed;
  }

  /**
   * Does an effect that takes its time.
   *
   * @param limitMs after which one that hangs is ended.
   * @param undo takes back what nobody could hold after it failed: what was opened.
   */
  async pass<T>(
    what: string,
    work: () => T,
    refuse: () => Error,
    limitMs = 0,
    undo: (result: T) => void = () => {},
  ): Promise<T> {
    const failed = this.enter(what);
    const ms = failed === 'hangs' ? limitMs : this.latencyMs(what);
    if (ms > 0) await new Promise<void>((resolve) => this.#time.timers.after(ms, resolve));
    if (failed === 'before' || failed === 'hangs') throw refuse();
    const result = work();
    if (failed === 'after') {
      undo(result);
      throw refuse();
    }
    return result;
  }

  /** The calls, numbered, one a line. */
  print(from = 1): string {
    return this.calls
      .slice(from - 1)
      .map(
        ({ number, atMs, what, failed }) =>
          `${number} ${(atMs / 1000).toFixed(3)} s ${what}${failed ? ` (planted: fails ${failed})` : ''}`,
      )
      .join('\n');
  }
}
