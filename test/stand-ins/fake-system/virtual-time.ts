// Time that goes on only when a test says so: timers in their order, and all they set off is over before the next.
import type { Cancel, Clock, Timers } from '../../../src/shell/system/system.ts';

/** The longest delay that Node takes; beyond, as for none at all, it waits 1 ms. */
const MAX_DELAY_MS = 2 ** 31 - 1;
/** Turns in which nothing but more turns is asked for: whoever needs so many goes round in circles. */
const MAX_TURNS = 100_000;
/** A machine that has been up for some minutes. */
const START_MS = 300_000;
const START_UNIX_MS = Date.UTC(2027, 4, 3, 12);

interface Timer {
  dueMs: number;
  work: () => void;
  /** Null for one that is over once it has fired. */
  periodMs: number | null;
}

/** A clock and its timers. */
export class VirtualTime {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Called at every instant at which something happened, after all of it. */
  readonly watchers: (() => void)[] = [];
  /** How late a thread that sleeps is woken; its sleep itself takes no time. */
  oversleepMs = 0.07;
  #nowMs = START_MS;
  #unixAtZeroMs = START_UNIX_MS - START_MS;
  /** In the order in which they fire. */
  #waiting: Timer[] = [];
  #soon: (() => void)[] = [];

  constructor() {
    this.clock = { monotonicMs: () => this.#nowMs, unixMs: () => this.#unixAtZeroMs + this.#nowMs };
    this.timers = {
      after: (delayMs, work) => this.#start(delayMs, work, false),
      every: (periodMs, work) => this.#start(periodMs, work, true),
      soon: (work) => void this.#soon.push(work),
      oversleep: () => this.oversleepMs,
    };
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Timers that have not fired. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Sets the clock of the day forward or back. */
  jumpUnix(byMs: number): void {
    this.#unixAtZeroMs += byMs;
  }

  /** Runs what is due within `ms`, one timer after another. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    while (this.#waiting.length > 0 && this.#waiting[0]!.dueMs <= untilMs) await this.step();
    this.#nowMs = untilMs;
  }

  /** Lets the next timer fire, and all that follows from it happen; false where none waits. */
  async step(): Promise<boolean> {
    const timer = this.#waiting.shift();
    if (!timer) return false;
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
    if (timer.periodMs !== null) this.#insert(timer, this.#nowMs + timer.periodMs);
    timer.work();
    await this.settle();
    return true;
  }

  /** Lets everything happen that can happen without time passing. */
  async settle(): Promise<void> {
    for (let turns = 0; ; turns++) {
      // What waits for promises alone is done when Node comes round.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#soon.length === 0) break;
      if (turns > MAX_TURNS) throw new Error('the program under test goes round in circles');
      for (const work of this.#soon.splice(0)) work();
    }
    for (const watch of this.watchers) watch();
  }

  #start(delayMs: number, work: () => void, repeats: boolean): Cancel {
    const delay = delayMs >= 1 && delayMs <= MAX_DELAY_MS ? Math.trunc(delayMs) : 1;
    const timer: Timer = { dueMs: 0, work, periodMs: repeats ? delay : null };
    this.#insert(timer, this.#nowMs + delay);
    return () => {
      const index = this.#waiting.indexOf(timer);
      if (index >= 0) this.#waiting.splice(index, 1);
    };
  }

  /** After all that are due no later. */
  #insert(timer: Timer, dueMs: number): void {
    timer.dueMs = dueMs;
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#waiting[middle]!.dueMs <= dueMs) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, timer);
  }
}
