// JSON for programs: spelled as on the bus, whatever the values are called inside.

/** As text, its keys in snake_case: `uploadKBps` is `upload_kBps`, `gbPerMonth` is `gb_per_month`. */
export function renderJson(value: unknown): string {
  return `${JSON.stringify(respell(value, spelled), null, 2)}\n`;
}

/** What {@link renderJson} wrote, called as inside again. @throws {SyntaxError} where it is no JSON */
export function readJson(text: string): unknown {
  return respell(JSON.parse(text), called);
}

function respell(value: unknown, nameOf: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((inner) => respell(inner, nameOf));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [nameOf(key), respell(inner, nameOf)]),
  );
}

/** Keys that are no names of ours, as of a device, stay as they are. */
function spelled(key: string): string {
  if (!/^[a-z][A-Za-z0-9]*$/.test(key)) return key;
  return key
    .replace(/KBps/g, '_kBps')
    .replace(/GB/g, '_gb')
    .replace(/(?<!_k)[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function called(key: string): string {
  if (!/^[a-z][a-z0-9]*(?:_[A-Za-z0-9]+)+$/.test(key)) return key;
  return key
    .replace(/_kBps/g, 'KBps')
    .replace(/_gb/g, 'GB')
    .replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
