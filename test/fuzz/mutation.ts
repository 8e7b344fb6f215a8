// Damages valid inputs the same way for the same seed, at random places or where the grammar has its joints.

/** Numbers from 0 up to 1, and whole ones below a limit. */
export interface Draw {
  (): number;
  below(limit: number): number;
  oneOf<T>(values: readonly T[]): T;
}

/** Marsaglia's xorshift32: fast, and the same on every machine. */
export function drawFrom(seed: number): Draw {
  let state = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0;
  const draw = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(draw() * limit);
  return Object.assign(draw, {
    below,
    oneOf: <T>(values: readonly T[]): T => values[below(values.length)]!,
  });
}

export function noise(draw: Draw, most: number): Buffer {
  return Buffer.from(Array.from({ length: draw.below(most) }, () => draw.below(256)));
}

/** Up to five bytes of a sample replaced, flipped, cut off, taken out or said twice, or another sample hung on. */
export function damageBytes(draw: Draw, samples: readonly Uint8Array[]): Buffer {
  let bytes = Buffer.from(draw.oneOf(samples));
  for (let count = draw.below(6); count > 0 && bytes.length > 0; count--) {
    const at = draw.below(bytes.length);
    switch (draw.below(6)) {
      case 0:
        bytes[at] = draw.below(256);
        break;
      case 1:
        bytes[at]! ^= 1 << draw.below(8);
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + draw.below(8))]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(draw.below(at + 1))]);
        break;
      case 5:
        bytes = Buffer.concat([bytes, draw.oneOf(samples)]);
        break;
    }
  }
  return bytes;
}

/** Lines and words of a sample left out, said again, swapped for others of any sample, or for what a grammar minds. */
export function damageText(
  draw: Draw,
  samples: readonly string[],
  dictionary: readonly string[],
): string {
  const lines = draw.oneOf(samples).split('\n');
  for (let count = draw.below(5); count > 0 && lines.length > 0; count--) {
    const at = draw.below(lines.length);
    switch (draw.below(6)) {
      case 0:
        lines.splice(at, 1 + draw.below(3));
        break;
      case 1:
        lines.splice(draw.below(lines.length), 0, lines[at]!);
        break;
      case 2:
        lines[at] = draw.oneOf(draw.oneOf(samples).split('\n'));
        break;
      case 3:
        lines[at] = swapWord(draw, lines[at]!, draw.oneOf(dictionary));
        break;
      case 4:
        lines[at] += draw.oneOf(dictionary);
        break;
      case 5:
        lines[at] = damageBytes(draw, [Buffer.from(lines[at]!)]).toString('latin1');
        break;
    }
  }
  return lines.join('\n');
}

function swapWord(draw: Draw, line: string, word: string): string {
  const words = line.split(/(\s+)/);
  words[draw.below(words.length)] = word;
  return words.join('');
}

const LITERALS = [
  ...[
    'null',
    'true',
    '-1',
    '0',
    '1e999',
    '1e-999',
    '9007199254740993',
    '""',
    '[]',
    '{}',
    '[[[[1]]]]',
  ],
  ...['"\\u0000"', '"\\ud800"', '"__proto__"', '"toString"', '"10.0.0.0/24"', '"::"', '4294967296'],
];

/** JSON of which a value was put in another's place, or a bracket is missing. */
export function damageJson(draw: Draw, samples: readonly string[]): string {
  let text = draw.oneOf(samples);
  for (let count = draw.below(4); count > 0; count--) {
    const parts = text.split(/([,:[\]{}])/);
    const at = draw.below(parts.length);
    parts[at] = draw.below(4) === 0 ? '' : draw.oneOf(LITERALS);
    text = parts.join('');
  }
  return text;
}
