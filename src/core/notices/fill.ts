// Puts a notice's values into the places of its template. The page runs this too: nothing here knows any words.

/** A notice as far as filling in needs to know it. */
export interface Filling {
  readonly code: string;
  readonly values: Readonly<Record<string, string | number | Filling>>;
}

const PLACE = /\{(\w+)\}/g;

/**
 * The notice in words.
 *
 * @param templateOf the template of a code; `{name}` in it becomes the value of that name, and stays where there is none.
 * @param numberText a number as the reader's language has it.
 */
export function fillIn(
  { code, values }: Filling,
  templateOf: (code: string) => string,
  numberText: (value: number) => string,
): string {
  return templateOf(code).replace(PLACE, (place, name) => {
    const value = new Map(Object.entries(values)).get(name);
    if (value === undefined) return place;
    if (typeof value === 'object') return fillIn(value, templateOf, numberText);
    return typeof value === 'number' ? numberText(value) : value;
  });
}

/** Codes of the notice and of all within it. */
export function codesOf({ code, values }: Filling): string[] {
  const within = Object.values(values).filter((value) => typeof value === 'object');
  return [code, ...within.flatMap(codesOf)];
}
