// JSON for programs: spelled as on the bus, whatever the values are called inside.

/** As text, its keys in snake_case: `uploadKBps` is `upload_kBps`, `gbPerMonth` is `gb_per_month`. */
export function renderJson(value: unknown): string {
  return `${JSON.stringify(respell(value), null, 2)}\n`;
}

function respell(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(respell);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [spelled(key), respell(inner)]),
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
