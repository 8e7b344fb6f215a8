// How often something may happen: some times at once, and then at a pace. A value. Pure.

/** What may come in a row, and how long it takes until one more may. */
export interface Pace {
  burst: number;
  everyMs: number;
}

/** What is left of a pace; full where nothing was taken yet. */
export class Allowance {
  readonly #left: number;
  readonly #atMs: number;

  private constructor(left: number, atMs: number) {
    this.#left = left;
    this.#atMs = atMs;
  }

  /**
   * One more at that time.
   *
   * @returns what is left then; null where it may not be yet.
   */
  static take(before: Allowance | undefined, pace: Pace, nowMs: number): Allowance | null {
    const { burst, everyMs } = pace;
    const regained = before ? Math.max(0, nowMs - before.#atMs) / everyMs : 0;
    const left = before ? Math.min(burst, before.#left + regained) : burst;
    return left < 1 ? null : new Allowance(left - 1, nowMs);
  }
}
