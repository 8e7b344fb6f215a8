// What `ip` listed, for as long as its monitor tells of no change: nothing is asked anew that nobody has touched.
import { CommandError, type CommandResult } from '../../system/command.ts';
import type { System } from '../../system/system.ts';

/** Not all that is listed is told of: what the kernel learns of a way's MTU is not. */
const KEPT_MS = 60_000;
/** Questions that are remembered; addresses in them may change. */
const MOST = 64;
const NEIGHBOUR = /^(?:Deleted )?\[NEIGH\]/;

type Answer = { result: CommandResult } | { refusal: CommandError };

/** Knows nothing before a monitor has said its first word: only then it hears for sure. */
export class IpMemory {
  readonly #system: System;
  readonly #answers = new Map<string, { answer: Answer; atMs: number }>();
  #hears = false;
  /** Goes up with every change, so that an answer from before one is not kept. */
  #changes = 0;
  /** The machine, with commands answered from memory where that says the same. */
  readonly system: System;

  constructor(system: System) {
    this.#system = system;
    this.system = {
      ...system,
      processes: {
        ...system.processes,
        run: (argv, options) =>
          argv[0] === 'ip' && !options ? this.#run(argv) : system.processes.run(argv, options),
      },
    };
  }

  /** Takes a line of the monitor. @param isNews false for what says of a neighbour what was known of it */
  hear(line: string, isNews: boolean): void {
    this.#hears = true;
    if (!NEIGHBOUR.test(line)) this.#forget();
    else if (isNews) this.#forget(' neigh ');
  }

  /** The monitor hears no more, or another one begins to. */
  distrust(): void {
    this.#hears = false;
    this.#forget();
  }

  #forget(about = ''): void {
    this.#changes++;
    for (const question of this.#answers.keys())
      if (question.includes(about)) this.#answers.delete(question);
  }

  async #run(argv: readonly string[]): Promise<CommandResult> {
    const { clock, processes } = this.#system;
    if (argv[1] !== '-j') {
      try {
        return await processes.run(argv);
      } finally {
        this.#forget();
      }
    }
    const question = argv.join(' ');
    const known = this.#answers.get(question);
    if (known && clock.monotonicMs() - known.atMs < KEPT_MS) return settle(known.answer);
    const [atMs, changes] = [clock.monotonicMs(), this.#changes];
    const answer = await processes.run(argv).then(
      (result): Answer => ({ result }),
      (error): Answer => {
        if (!(error instanceof CommandError) || error.status === null) throw error;
        return { refusal: error };
      },
    );
    if (this.#answers.size >= MOST) this.#answers.clear();
    if (this.#hears && changes === this.#changes) this.#answers.set(question, { answer, atMs });
    return settle(answer);
  }
}

function settle(answer: Answer): CommandResult {
  if ('refusal' in answer) throw answer.refusal;
  return answer.result;
}
