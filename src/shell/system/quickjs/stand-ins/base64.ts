// Base64 (RFC 4648, with its alphabet for addresses as well).

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const values = new Map([...LETTERS].map((letter, value) => [letter, value]));
values.set('-', 62).set('_', 63);

export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const word = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let i = 0; i < 4; i++) text += LETTERS[(word >> (18 - 6 * i)) & 63];
  }
  const missing = (3 - (bytes.length % 3)) % 3;
  return text.slice(0, text.length - missing) + '='.repeat(missing);
}

/** What is no letter of it is passed over. */
export function decodeBase64(text: string): Uint8Array {
  const letters = [...text].flatMap((letter) => values.get(letter) ?? []);
  const bytes = new Uint8Array(Math.floor((letters.length * 3) / 4));
  for (let at = 0; at < bytes.length; at++) {
    const bit = at * 8;
    const first = Math.floor(bit / 6);
    const word = ((letters[first] ?? 0) << 6) | (letters[first + 1] ?? 0);
    bytes[at] = word >> (4 - (bit % 6));
  }
  return bytes;
}
