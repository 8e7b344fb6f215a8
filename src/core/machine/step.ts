// What the pure machines of both roles have in common.

/** A reading of both clocks. */
export interface Now {
  /** Of a clock that only goes on. */
  monotonicMs: number;
  unixS: number;
}

/** What follows from an event. */
export interface Step<State, Act, Work> {
  state: State;
  /** At once, in this order, before the work. */
  acts: readonly Act[];
  /** Begun now; null where nothing is to be done, or something is being done. */
  work: Work | null;
}
