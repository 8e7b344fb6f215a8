// Whether what comes in on one side of the machine leaves on the other, from counters that are read now and then.

/** Packets counted on both sides. */
export interface PassageCount {
  entered: number;
  left: number;
}

/** Packets in a row, over at least so long, of which none left: less may be chance. */
const FEWEST = 3;
const SHORTEST_MS = 3000;
/** What was found is believed so long after the last packet that came in. */
const BELIEVED_MS = 300_000;

interface Known {
  count: PassageCount;
  /** Packets that came in since one left last. */
  waiting: number;
  waitingSinceMs: number;
  enteredMs: number;
  leftMs: number;
}

const NEVER = Number.NEGATIVE_INFINITY;

/** One way through the machine. A value: each reading makes another one. */
export class Passage {
  static readonly UNKNOWN = new Passage(null);
  readonly #known: Known | null;

  private constructor(known: Known | null) {
    this.#known = known;
  }

  /** With one reading more; smaller counts than before are those of counters made anew, null those that are away. */
  with(count: PassageCount | null, nowMs: number): Passage {
    if (count === null) return Passage.UNKNOWN;
    const before = this.#known;
    if (!before || count.entered < before.count.entered || count.left < before.count.left) {
      const fresh = { waiting: 0, waitingSinceMs: NEVER, enteredMs: NEVER, leftMs: NEVER };
      return new Passage({ count, ...fresh });
    }
    const entered = count.entered - before.count.entered;
    if (count.left > before.count.left) {
      const enteredMs = entered > 0 ? nowMs : before.enteredMs;
      return new Passage({ count, waiting: 0, waitingSinceMs: NEVER, enteredMs, leftMs: nowMs });
    }
    if (entered === 0) return new Passage({ ...before, count });
    const waitingSinceMs = before.waiting === 0 ? nowMs : before.waitingSinceMs;
    const waiting = before.waiting + entered;
    return new Passage({ ...before, count, waiting, waitingSinceMs, enteredMs: nowMs });
  }

  /** Whether packets come in and none leaves. */
  isShut(nowMs: number): boolean {
    const known = this.#known;
    if (!known || known.waiting < FEWEST) return false;
    return (
      known.enteredMs - known.waitingSinceMs >= SHORTEST_MS && nowMs - known.enteredMs < BELIEVED_MS
    );
  }

  /** Since when nothing has left; Infinity where nothing ever has. */
  quietMs(nowMs: number): number {
    return nowMs - (this.#known?.leftMs ?? NEVER);
  }
}

/** Several ways, by name. */
export type Passages<Name extends string> = Readonly<Record<Name, Passage>>;
export type PassageCounts<Name extends string> = Readonly<Record<Name, PassageCount>>;

export function noPassages<Name extends string>(names: readonly Name[]): Passages<Name> {
  return Object.fromEntries(names.map((name) => [name, Passage.UNKNOWN])) as Passages<Name>;
}

/** With one reading more of each; null where none could be read. */
export function withCounts<Name extends string>(
  passages: Passages<Name>,
  counts: PassageCounts<Name> | null,
  nowMs: number,
): Passages<Name> {
  const next = Object.entries<Passage>(passages).map(([name, passage]) => [
    name,
    passage.with(counts?.[name as Name] ?? null, nowMs),
  ]);
  return Object.fromEntries(next) as Passages<Name>;
}

/** Ways by which packets come in and none leaves. */
export function findShut<Name extends string>(passages: Passages<Name>, nowMs: number): Name[] {
  const names = Object.keys(passages) as Name[];
  return names.filter((name) => passages[name].isShut(nowMs));
}
