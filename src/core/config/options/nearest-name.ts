// Finds the name somebody meant who mistyped one.

/** Edit distance (Levenshtein) of two short strings. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, character] of [...a].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (row[column - 1] as number) + (character === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] as number) + 1, (next[column - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** The known name nearest to `name`, null where none is so near that it may have been meant. */
export function nearestName(name: string, known: readonly string[]): string | null {
  if (name.length > 32) return null;
  const near = known
    .map((word) => ({ word, steps: distance(name.toLowerCase(), word) }))
    .filter(({ word, steps }) => steps <= Math.max(1, Math.floor(word.length / 3)))
    .sort((a, b) => a.steps - b.steps);
  return near[0]?.word ?? null;
}
