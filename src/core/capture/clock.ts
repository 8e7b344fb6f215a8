// Packets whose time cannot be true are set aside, and a clock that was set in the middle of a capture is followed.

/** What was odd about a capture's clock. */
export type ClockFault =
  /** So many packets on their own, days from all others. */
  | { kind: 'outliers'; packets: number; timeS: number }
  /** All that follows goes on from another time. */
  | { kind: 'step'; fromS: number; toS: number; joined: boolean };

export interface ClockOptions<T> {
  tell: (fault: ClockFault) => void;
  /** A longer silence is none, but another clock. */
  leapS?: number;
  /** Moves what follows a step to where the clock before it was; else only packets on their own are set aside. */
  join?: boolean;
  /** Copies what a packet only borrows, for it is held for a while. */
  hold?: (packet: T) => T;
}

/** So many packets in a row that agree are a clock. */
const AGREEING = 16;
const WEEK_S = 7 * 86_400;

interface Group<T> {
  packets: T[];
  lastS: number;
}

/**
 * Passes packets on whose times make sense together. The first times of which enough agree are the clock; a packet more than
 * `leapS` off it is held: one of few is set aside, enough of them in a row are the clock set anew. With `join`, they go
 * on a second after what was before, so that a leap of decades is no silence to live through.
 */
export class ClockKeeper<T extends { timeS: number }> {
  readonly #options: Required<ClockOptions<T>>;
  readonly #emit: (packet: T) => void;
  #groups: Group<T>[] = [];
  #lastS = Number.NaN;
  #shiftS = 0;

  constructor(options: ClockOptions<T>, emit: (packet: T) => void) {
    this.#options = { leapS: WEEK_S, join: true, hold: (packet) => packet, ...options };
    this.#emit = emit;
  }

  push(packet: T): void {
    const { timeS } = packet;
    if (Math.abs(timeS - this.#lastS) > this.#options.leapS || Number.isNaN(this.#lastS)) {
      this.#hold(packet);
      return;
    }
    this.#lastS = timeS;
    if (this.#groups.length) {
      this.#setAside(this.#groups);
      this.#groups = [];
    }
    this.#pass(packet);
  }

  /** Nothing more comes: the most that agree are the clock where there was none yet. */
  end(): void {
    const groups = this.#groups;
    if (Number.isNaN(this.#lastS) && groups.length) {
      const most = groups.reduce((a, b) => (b.packets.length > a.packets.length ? b : a));
      this.#setAside(groups.filter((one) => one !== most));
      most.packets.forEach(this.#emit);
    } else this.#setAside(groups);
    this.#groups = [];
  }

  #hold(packet: T): void {
    const { leapS, hold, join, tell } = this.#options;
    const { timeS } = packet;
    let group = this.#groups.find((one) => Math.abs(timeS - one.lastS) <= leapS);
    if (!group) {
      group = { packets: [], lastS: timeS };
      this.#groups.push(group);
    }
    group.packets.push(hold(packet));
    group.lastS = timeS;
    if (group.packets.length < AGREEING) return;
    this.#setAside(this.#groups.filter((one) => one !== group));
    this.#groups = [];
    const firstS = group.packets[0]!.timeS;
    if (!Number.isNaN(this.#lastS)) {
      tell({ kind: 'step', fromS: this.#lastS, toS: firstS, joined: join });
      if (join) this.#shiftS = this.#lastS + this.#shiftS + 1 - firstS;
    }
    this.#lastS = timeS;
    for (const one of group.packets) this.#pass(one);
  }

  #pass(packet: T): void {
    const shiftS = this.#shiftS;
    this.#emit(shiftS === 0 ? packet : { ...packet, timeS: packet.timeS + shiftS });
  }

  #setAside(groups: readonly Group<T>[]): void {
    for (const { packets: few } of groups) {
      this.#options.tell({ kind: 'outliers', packets: few.length, timeS: few[0]!.timeS });
    }
  }
}

/** The same of a source; what is held is handed over before its error is. */
export async function* keepClock<T extends { timeS: number }>(
  packets: AsyncIterable<T>,
  options: ClockOptions<T>,
): AsyncGenerator<T> {
  let ready: T[] = [];
  const keeper = new ClockKeeper(options, (packet) => ready.push(packet));
  let failure: { error: unknown } | null = null;
  try {
    for await (const packet of packets) {
      keeper.push(packet);
      yield* ready;
      ready = [];
    }
  } catch (error) {
    failure = { error };
  }
  keeper.end();
  yield* ready;
  if (failure) throw failure.error;
}

/** A fault in words; `name` is the capture's. */
export function explainClock(name: string, fault: ClockFault): string {
  if (fault.kind === 'outliers') {
    const { packets, timeS } = fault;
    const which = packets === 1 ? 'one packet is' : `${packets} packets are`;
    return `${name}: ${which} dated ${dateOf(timeS)}, far from all others, and left out`;
  }
  const { fromS, toS, joined } = fault;
  const then = joined ? '; what follows is taken to go on at once' : '';
  return `${name}: its clock leaps from ${dateOf(fromS)} to ${dateOf(toS)}${then}`;
}

function dateOf(timeS: number): string {
  const date = new Date(timeS * 1000);
  return Number.isNaN(date.getTime())
    ? `second ${timeS}`
    : date.toISOString().slice(0, 16).replace('T', ' ');
}
