// Puts values into the places of a template.

const PLACE = /\{(\w+)\}/g;

/** Names of the places in a template, each once. */
export function placesOf(template: string): string[] {
  return [...new Set([...template.matchAll(PLACE)].map(([, name]) => name!))];
}

/** The template with `{name}` replaced by the value of that name; a place without a value stays as it is. */
export function fillPlaces<Value>(
  template: string,
  values: Readonly<Record<string, Value>>,
  textOf: (value: Value) => string,
): string {
  return template.replace(PLACE, (place, name) =>
    Object.hasOwn(values, name) ? textOf(values[name]!) : place,
  );
}
