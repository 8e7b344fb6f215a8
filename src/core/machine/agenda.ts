// What a machine has still to do, of which it does one part at a time.

/** What is to be done, and what is being done. Each part can be done again whenever it is not known to stand. */
export interface Agenda<Part extends string> {
  pending: readonly Part[];
  running: Part | null;
}

/** Has these parts done, beside what is to be done already. */
export function ask<Part extends string>(
  { state }: { readonly state: Agenda<Part> },
  ...parts: readonly Part[]
): void {
  state.pending = [...new Set([...state.pending, ...parts])];
}

/** Whether a part is being done, or will be. */
export function isAsked<Part extends string>(
  { state }: { readonly state: Agenda<Part> },
  part: Part,
): boolean {
  return state.running === part || state.pending.includes(part);
}

/**
 * Takes the next part that there is anything to do about, unless one is being done.
 *
 * @param order what comes first where several are to be done.
 * @param workOf the work that a part takes now; null where there is none to do.
 */
export function takeNext<Part extends string, Work>(
  { state }: { readonly state: Agenda<Part> },
  order: readonly Part[],
  workOf: (part: Part) => Work | null,
): Work | null {
  if (state.running !== null) return null;
  for (const part of order) {
    if (!state.pending.includes(part)) continue;
    state.pending = state.pending.filter((other) => other !== part);
    const work = workOf(part);
    if (!work) continue;
    state.running = part;
    return work;
  }
  return null;
}
