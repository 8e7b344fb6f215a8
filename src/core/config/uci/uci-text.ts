// Bytes of UCI files as strings and back, without losing bytes that are not UTF-8.

type Decoder = InstanceType<typeof TextDecoder>;

/** Length of the well-formed UTF-8 sequence at `at`, 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number, strictUtf8: Decoder): number {
  const lead = bytes[at] as number;
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length < 2) return length;
  try {
    strictUtf8.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

/**
 * Decodes UTF-8; a byte 0x80…0xff that is part of no well-formed sequence becomes the lone
 * surrogate U+DC80…U+DCFF (Python's PEP 383), so that `encodeText` gives the same bytes again.
 */
export function decodeText(bytes: Uint8Array): string {
  // Here and not above: an engine that has none by itself is given it after it has read this file.
  const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return strictUtf8.decode(bytes);
  } catch {
    let text = '';
    let at = 0;
    while (at < bytes.length) {
      const length = sequenceLength(bytes, at, strictUtf8);
      if (length === 0) text += String.fromCharCode(0xdc00 + (bytes[at] as number));
      else text += strictUtf8.decode(bytes.subarray(at, at + length));
      at += Math.max(length, 1);
    }
    return text;
  }
}

/** Encodes text to UTF-8, the inverse of `decodeText`; other lone surrogates become U+FFFD. */
export function encodeText(text: string): Uint8Array {
  const utf8 = new TextEncoder();
  if (!/\p{Cs}/u.test(text)) return utf8.encode(text);
  const parts: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(code - 0xdc00);
    else parts.push(...utf8.encode(character));
  }
  return Uint8Array.from(parts);
}
