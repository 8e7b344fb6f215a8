// Whether two machines use the profile of one home at once: told by the runs of that home that take turns. Pure.

/** How the run of a home that was heard last stands to other runs. */
export interface Sharing {
  /** Two machines use the profile: a run came back after another one, which no machine that was only started anew does. */
  isShared: boolean;
  /** It took over from one that may be alive, or comes after one that is: it is not to be in a hurry to take over again. */
  isLater: boolean;
}

export const ALONE: Sharing = { isShared: false, isLater: false };

/** Two that take turns are told of for so long after one came back. */
const SHARED_MS = 180_000;
/** A run that was heard this lately may be alive; whoever takes over from it is to wait for as long as {@link EARLY_MS}. */
const LATELY_MS = 5000;
/** The run before, where it is alive, is back sooner. */
const EARLY_MS = 20_000;
/** What is kept does not grow with the runs there are. */
const MOST_RUNS = 8;

interface Run {
  nonce: string;
  heardMs: number;
  /** When it came back after another one; null where it never did. */
  backMs: number | null;
}

/** Follows the runs of one home, each of which has a nonce of its own. */
export class Runs {
  /** In the order in which they were first heard. */
  readonly #runs: Run[] = [];
  #latest: Run | null = null;
  /** When the latest took over from one that was heard lately. */
  #tookOverMs = Number.NEGATIVE_INFINITY;

  /** Takes in a hello that counts. */
  hear(nonce: string, nowMs: number): Sharing {
    const before = this.#latest;
    const run = this.#runs.find((other) => other.nonce === nonce) ?? this.#add(nonce, nowMs);
    if (before && run !== before) {
      const isNew = run.backMs === null && run.heardMs === nowMs;
      if (!isNew) run.backMs = nowMs;
      if (nowMs - before.heardMs < LATELY_MS) this.#tookOverMs = nowMs;
    }
    run.heardMs = nowMs;
    this.#latest = run;
    return this.#judge(run, nowMs);
  }

  #add(nonce: string, nowMs: number): Run {
    const run = { nonce, heardMs: nowMs, backMs: null };
    this.#runs.push(run);
    if (this.#runs.length > MOST_RUNS) this.#runs.shift();
    return run;
  }

  #judge(run: Run, nowMs: number): Sharing {
    const back = this.#runs.filter(({ backMs }) => backMs !== null && nowMs - backMs < SHARED_MS);
    const [first] = back;
    if (first) return { isShared: true, isLater: run !== first };
    return { isShared: false, isLater: nowMs - this.#tookOverMs < EARLY_MS };
  }
}
